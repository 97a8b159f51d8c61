import { type FieldsOf, flag, natural, optional, orNull, type Schema, text } from "./schema.ts";

/** How a LUN is described to initiators, as far as somebody has said it; null: as follows from the volume, or this program's own. */
export interface LunSettings {
  readonly vendor: string | null;
  readonly product: string | null;
  readonly revision: string | null;
  readonly serial: string | null;
  /** People may take the medium away. */
  readonly removable: boolean;
  /** False: every write is on stable media before it is answered. */
  readonly writeCache: boolean;
  /** Refuses writes, and says that software did. */
  readonly softwareWriteProtect: boolean;
  /** Sense data in descriptor format. */
  readonly descriptorSense: boolean;
  /** Initiators may give space back, where the volume can. */
  readonly thinProvisioning: boolean;
  /** A physical block has 2 to the power of so many logical ones. */
  readonly physicalBlockExponent: number | null;
  readonly lowestAlignedLba: number;
  /** Transfers are best multiples of so many blocks; 0: not told. */
  readonly optimalGranularityBlocks: number | null;
  /** The best length of a transfer, in blocks; 0: not told. */
  readonly optimalTransferBlocks: number | null;
  /** 0: not told, 1: a disk that does not turn, otherwise per minute. */
  readonly rotationRate: number | null;
}

/** What is said of a LUN; null: as it is where nobody says anything. */
export interface LunSettingArguments {
  readonly readOnly?: boolean;
  readonly online?: boolean;
  readonly blockBytes?: number;
  readonly vendor?: string | null;
  readonly product?: string | null;
  readonly revision?: string | null;
  readonly serial?: string | null;
  readonly removable?: boolean | null;
  readonly writeCache?: boolean | null;
  readonly softwareWriteProtect?: boolean | null;
  readonly descriptorSense?: boolean | null;
  readonly thinProvisioning?: boolean | null;
  readonly physicalBlockExponent?: number | null;
  readonly lowestAlignedLba?: number | null;
  readonly optimalGranularityBlocks?: number | null;
  readonly optimalTransferBlocks?: number | null;
  readonly rotationRate?: number | null;
}

type Described<T> = { readonly [Name in keyof LunSettings]: T };

/** What is told of each: the same, whether it is asked for or answered. */
const MEANING: Described<string> = {
  vendor: "8 characters; null: this program's own",
  product: "16 characters; null: this program's own",
  revision: "4 characters; null: this program's own",
  serial: "64 characters; null: what follows from the volume",
  removable: "people may take the medium away",
  writeCache: "false: every write is on stable media before it is answered",
  softwareWriteProtect: "writes are refused, and software is said to do so",
  descriptorSense: "sense data come in descriptor format",
  thinProvisioning: "initiators may give space back, where the volume can",
  physicalBlockExponent:
    "a physical block has 2 to the power of so many logical ones; null: what follows from the volume",
  lowestAlignedLba: "the first logical block that begins a physical one",
  optimalGranularityBlocks:
    "transfers are best multiples of so many blocks; 0: not told; null: what follows from the volume",
  optimalTransferBlocks:
    "the best length of a transfer, in blocks; 0: not told; null: what follows from the volume",
  rotationRate:
    "0: not told, 1: it does not turn, otherwise 1025 to 65534 per minute; null: what follows from the volume",
};

/** Names of INQUIRY data, numbers and switches. */
const name = (key: keyof LunSettings): Schema<string | null> => orNull(text(MEANING[key]));
const count = (key: keyof LunSettings): Schema<number | null> => orNull(natural(MEANING[key]));
const onOff = (key: keyof LunSettings): Schema<boolean> => flag(MEANING[key]);
const settable = (key: keyof LunSettings): Schema<boolean | null> => orNull(flag(MEANING[key]));

export const LUN_SETTINGS: FieldsOf<LunSettings> = {
  vendor: name("vendor"),
  product: name("product"),
  revision: name("revision"),
  serial: name("serial"),
  removable: onOff("removable"),
  writeCache: onOff("writeCache"),
  softwareWriteProtect: onOff("softwareWriteProtect"),
  descriptorSense: onOff("descriptorSense"),
  thinProvisioning: onOff("thinProvisioning"),
  physicalBlockExponent: count("physicalBlockExponent"),
  lowestAlignedLba: natural(MEANING.lowestAlignedLba),
  optimalGranularityBlocks: count("optimalGranularityBlocks"),
  optimalTransferBlocks: count("optimalTransferBlocks"),
  rotationRate: count("rotationRate"),
};

export const LUN_SETTING_ARGUMENTS: FieldsOf<LunSettingArguments> = {
  readOnly: optional(flag("initiators cannot write")),
  online: optional(flag("its medium is there; false: it is not ready, and stays a LUN")),
  blockBytes: optional(natural("512 or 4096")),
  vendor: optional(name("vendor")),
  product: optional(name("product")),
  revision: optional(name("revision")),
  serial: optional(name("serial")),
  removable: optional(settable("removable")),
  writeCache: optional(settable("writeCache")),
  softwareWriteProtect: optional(settable("softwareWriteProtect")),
  descriptorSense: optional(settable("descriptorSense")),
  thinProvisioning: optional(settable("thinProvisioning")),
  physicalBlockExponent: optional(count("physicalBlockExponent")),
  lowestAlignedLba: optional(count("lowestAlignedLba")),
  optimalGranularityBlocks: optional(count("optimalGranularityBlocks")),
  optimalTransferBlocks: optional(count("optimalTransferBlocks")),
  rotationRate: optional(count("rotationRate")),
};
