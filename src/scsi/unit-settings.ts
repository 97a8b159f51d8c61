import type { VolumeCapabilities } from "../volume/volume.ts";

/** What an administrator sets of a logical unit, also while initiators are there. All of it outlives a reset of the unit. */
export interface UnitSettings {
  /** Refuses writes even where the volume takes them. */
  readonly readOnly: boolean;
  /** False: the unit is there, and its medium is not. Commands that are running end as they would have. */
  readonly online: boolean;
  /** RMB of the standard INQUIRY data: people may take the medium away. */
  readonly removable: boolean;
  /** WCE of the Caching mode page. False: every write is on stable media before it is answered. */
  readonly writeCache: boolean;
  /** SWP of the Control mode page: refuses writes, and says that software did. */
  readonly softwareWriteProtect: boolean;
  /** D_SENSE of the Control mode page: sense data in descriptor format. */
  readonly descriptorSense: boolean;
  /** LBPME, and with it UNMAP, where the volume can give space back. */
  readonly thinProvisioning: boolean;
  /** LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT of READ CAPACITY (16); null: what follows from the volume. */
  readonly physicalBlockExponent: number | null;
  /** LOWEST ALIGNED LOGICAL BLOCK ADDRESS of READ CAPACITY (16). */
  readonly lowestAlignedLba: number;
  /** OPTIMAL TRANSFER LENGTH GRANULARITY of VPD page B0h, in blocks, 0 for none; null: what follows from the volume. */
  readonly optimalGranularityBlocks: number | null;
  /** OPTIMAL TRANSFER LENGTH of VPD page B0h, in blocks, 0 for none; null: what follows from the volume. */
  readonly optimalTransferBlocks: number | null;
  /** MEDIUM ROTATION RATE of VPD page B1h: 0 not told, 1 none, otherwise per minute; null: what follows from the volume. */
  readonly rotationRate: number | null;
}

/** What a unit has where nothing is set. */
export const UNIT_SETTINGS_DEFAULTS: UnitSettings = {
  readOnly: false,
  online: true,
  removable: false,
  writeCache: true,
  softwareWriteProtect: false,
  descriptorSense: false,
  thinProvisioning: true,
  physicalBlockExponent: null,
  lowestAlignedLba: 0,
  optimalGranularityBlocks: null,
  optimalTransferBlocks: null,
  rotationRate: null,
};

/** Widths of the fields in READ CAPACITY (16), SBC-3 5.13.2, and in VPD page B0h, SBC-3 6.6.4. */
const EXPONENT_MAX = 0xf;
const LOWEST_ALIGNED_LBA_MAX = 0x3fff;
const GRANULARITY_BLOCKS_MAX = 0xffff;
const TRANSFER_BLOCKS_MAX = 0xffff_ffff;

/** MEDIUM ROTATION RATE, SBC-3 6.6.3: what is not one of these is reserved. */
const RotationRate = { notReported: 0, nonRotating: 1, min: 0x0401, max: 0xfffe } as const;

function rangeProblems(name: string, value: number | null, max: number): string[] {
  if (value === null || (Number.isInteger(value) && value >= 0 && value <= max)) return [];
  return [`${name}: ${value} is not a whole number from 0 to ${max}`];
}

function rotationProblems(rate: number | null): string[] {
  const { notReported, nonRotating, min, max } = RotationRate;
  if (rate === null || rate === notReported || rate === nonRotating) return [];
  if (Number.isInteger(rate) && rate >= min && rate <= max) return [];
  return [`rotationRate: ${rate} is neither 0, 1, nor a whole number from ${min} to ${max}`];
}

/** What is wrong with settings, one line for each that is; nothing where they can be used. */
export function unitSettingsProblems(settings: Partial<UnitSettings>): string[] {
  const {
    physicalBlockExponent = null,
    lowestAlignedLba = null,
    optimalGranularityBlocks = null,
    optimalTransferBlocks = null,
    rotationRate = null,
  } = settings;
  return [
    ...rangeProblems("physicalBlockExponent", physicalBlockExponent, EXPONENT_MAX),
    ...rangeProblems("lowestAlignedLba", lowestAlignedLba, LOWEST_ALIGNED_LBA_MAX),
    ...rangeProblems("optimalGranularityBlocks", optimalGranularityBlocks, GRANULARITY_BLOCKS_MAX),
    ...rangeProblems("optimalTransferBlocks", optimalTransferBlocks, TRANSFER_BLOCKS_MAX),
    ...rotationProblems(rotationRate),
  ];
}

/** The settings as they work out on a volume: what initiators are told, and what the commands go by. */
export type EffectiveSettings = {
  readonly [Name in keyof UnitSettings]: NonNullable<UnitSettings[Name]>;
};

function exponentOf(physicalBlockBytes: number, blockBytes: number): number {
  const ratio = physicalBlockBytes / blockBytes;
  return ratio <= 1 ? 0 : Math.min(Math.floor(Math.log2(ratio)), EXPONENT_MAX);
}

/** Fills in what follows from the volume, and takes away what the volume cannot do. */
export function effectiveSettings(
  settings: UnitSettings,
  capabilities: VolumeCapabilities,
  blockBytes: number,
): EffectiveSettings {
  const { physicalBlockBytes, optimalIoBytes, rotational } = capabilities;
  const granularityBlocks = Math.max(1, Math.ceil(physicalBlockBytes / blockBytes));
  const optimalBlocks = Math.floor(optimalIoBytes / blockBytes);
  return {
    ...settings,
    readOnly: settings.readOnly || !capabilities.writable,
    thinProvisioning: settings.thinProvisioning && capabilities.discardGranularityBytes > 0,
    physicalBlockExponent:
      settings.physicalBlockExponent ?? exponentOf(physicalBlockBytes, blockBytes),
    optimalGranularityBlocks:
      settings.optimalGranularityBlocks ?? Math.min(granularityBlocks, GRANULARITY_BLOCKS_MAX),
    optimalTransferBlocks:
      settings.optimalTransferBlocks ?? Math.min(optimalBlocks, TRANSFER_BLOCKS_MAX),
    rotationRate:
      settings.rotationRate ?? (rotational ? RotationRate.notReported : RotationRate.nonRotating),
  };
}
