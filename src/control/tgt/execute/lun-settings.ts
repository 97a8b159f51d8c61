import type { UnitSettings } from "../../../scsi/unit-settings.ts";
import { unitSettingsProblems } from "../../../scsi/unit-settings.ts";
import type { LunConfig, TgtLunConfig } from "../../config/config.ts";
import { leadingNumber } from "../parameters.ts";
import { SCSI_ID_CHARS_MAX } from "../show/identity.ts";
import type { TgtSetting } from "../tgt-command-update.ts";
import { volumeOf } from "./backing-store.ts";
import { modePageSettings } from "./mode-page.ts";
import { TgtRefused } from "./tgt-refused.ts";

type Settings = LunConfig["settings"];

/** Of the fields of SCSI pages, the bits that there are. */
const FIELD_MASKS = {
  lbppbe: 0xf,
  la_lba: 0x3fff,
  optimal_xfer_gran: 0xffff,
  optimal_xfer_len: 0xffff_ffff,
  rotation_rate: 0xffff,
} as const;

const SETTING_OF_FIELD = {
  lbppbe: "physicalBlockExponent",
  la_lba: "lowestAlignedLba",
  optimal_xfer_gran: "optimalGranularityBlocks",
  optimal_xfer_len: "optimalTransferBlocks",
  rotation_rate: "rotationRate",
} as const satisfies Readonly<Record<keyof typeof FIELD_MASKS, keyof UnitSettings>>;

const SETTING_OF_FLAG = {
  removable: "removable",
  thin_provisioning: "thinProvisioning",
  sense_format: "descriptorSense",
} as const satisfies Readonly<Record<string, keyof UnitSettings>>;

/** Widths of the fields of standard INQUIRY data, in characters; what is longer is cut. */
const INQUIRY_FIELDS = {
  vendor_id: ["vendor", 8],
  product_id: ["product", 16],
  product_rev: ["revision", 4],
} as const;

function isKeyOf<T extends object>(table: T, key: string): key is Extract<keyof T, string> {
  return Object.hasOwn(table, key);
}

function tgtOf({ tgt }: LunConfig): TgtLunConfig {
  if (tgt === null) {
    throw new TgtRefused("unsupported-operation", "the unit was not made by tgtadm");
  }
  return tgt;
}

function withSettings(lun: LunConfig, changes: Settings): LunConfig {
  const settings = { ...lun.settings, ...changes };
  const [problem] = unitSettingsProblems(settings);
  if (problem !== undefined) throw new TgtRefused("invalid-request", problem);
  return { ...lun, settings };
}

function printable(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  throw new TgtRefused("invalid-request", "names of units are printable ASCII");
}

/** A flag as C reads it: every number but 0 is yes, and what is no number is 0. */
function isSet(value: string): boolean {
  return leadingNumber(value) !== 0;
}

/**
 * The LUN after one of tgt's settings.
 *
 * @param isHeld an initiator needs the medium to stay
 * Refused: invalid-request, prevent-removal.
 */
export function withLunSetting(
  lun: LunConfig,
  { key, value }: TgtSetting,
  isHeld: boolean,
): LunConfig {
  const tgt = tgtOf(lun);
  if (isKeyOf(FIELD_MASKS, key)) {
    const number = (leadingNumber(value) & FIELD_MASKS[key]) >>> 0;
    return withSettings(lun, { [SETTING_OF_FIELD[key]]: number });
  }
  if (isKeyOf(SETTING_OF_FLAG, key)) {
    return withSettings(lun, { [SETTING_OF_FLAG[key]]: isSet(value) });
  }
  if (isKeyOf(INQUIRY_FIELDS, key)) {
    const [field, charactersMax] = INQUIRY_FIELDS[key];
    const text = printable(value).slice(0, charactersMax);
    return { ...lun, identity: { ...lun.identity, [field]: text } };
  }
  switch (key) {
    case "scsi_id":
      return { ...lun, tgt: { ...tgt, scsiId: identifier(value) } };
    case "scsi_sn":
      return { ...lun, tgt: { ...tgt, scsiSn: identifier(value) } };
    case "readonly":
      return { ...lun, readOnly: isSet(value) };
    case "online":
      return withOnline(lun, tgt, isSet(value), isHeld);
    case "mode_page":
      return withSettings(lun, modePageSettings(value, isSync(tgt)));
    case "path":
      return withPath(lun, tgt, value);
    default:
      // Of a store that is open, tgtd changes neither flags nor options.
      throw new TgtRefused("invalid-request", `${key} cannot change`);
  }
}

function identifier(value: string): string {
  return printable(value).slice(0, SCSI_ID_CHARS_MAX);
}

function isSync({ storeFlags }: TgtLunConfig): boolean {
  return storeFlags.split(":").includes("sync");
}

function withOnline(
  lun: LunConfig,
  { storePath }: TgtLunConfig,
  online: boolean,
  isHeld: boolean,
): LunConfig {
  if (!online && isHeld) throw new TgtRefused("prevent-removal");
  // There is nothing that could be brought online.
  if (online && storePath === "") throw new TgtRefused("invalid-request", "there is no medium");
  return withSettings(lun, { online });
}

/** The same path again takes up a new size; either way the unit has to be offline before, and is online after. */
function withPath(lun: LunConfig, tgt: TgtLunConfig, storePath: string): LunConfig {
  if (lun.settings.online !== false) {
    throw new TgtRefused("invalid-request", "a medium is changed while the unit is offline");
  }
  const { name } = volumeOf(tgt.storeType, storePath, tgt.storeFlags);
  const changed = withSettings(lun, { online: true });
  return { ...changed, volume: name, tgt: { ...tgt, storePath } };
}
