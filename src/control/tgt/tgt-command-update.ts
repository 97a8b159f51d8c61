import {
  leadingNumber,
  splitParameter,
  splitParameters,
  uint32Of,
  wholeInt32,
  withoutWord,
} from "./parameters.ts";

/** What `update` may change of a target, the system and a logical unit, and which values tgtd takes for it. */

export interface TgtSetting {
  /** As tgtd spells it, whatever the case it came in. */
  readonly key: string;
  readonly value: string;
}

const YES_NO = (value: string): boolean => value === "Yes" || value === "No";
const ANYTHING = (): boolean => true;
// Only the beginning of each word counts, for tgtd.
const DIGESTS = (value: string): boolean =>
  value.split(",").every((word) => word.startsWith("None") || word.startsWith("CRC32C"));

/** The low 32 bits count, as for tgtd. */
function range(least: number, most: number): (value: string) => boolean {
  return (value) => {
    const low = uint32Of(leadingNumber(value));
    return low >= least && low <= most;
  };
}

const SEGMENT = range(512, 2 ** 24 - 1);
const COUNT = range(1, 65_535);
const SECONDS = range(0, 3600);

/** Keys of sessions, found whatever their case; ranges as tgtd 1.0.85 answers. */
const SESSION_KEYS: Readonly<Record<string, (value: string) => boolean>> = {
  MaxRecvDataSegmentLength: SEGMENT,
  HeaderDigest: DIGESTS,
  DataDigest: DIGESTS,
  InitialR2T: YES_NO,
  MaxOutstandingR2T: COUNT,
  ImmediateData: YES_NO,
  FirstBurstLength: SEGMENT,
  MaxBurstLength: SEGMENT,
  DataPDUInOrder: YES_NO,
  DataSequenceInOrder: YES_NO,
  ErrorRecoveryLevel: range(0, 2),
  IFMarker: YES_NO,
  OFMarker: YES_NO,
  DefaultTime2Wait: SECONDS,
  DefaultTime2Retain: SECONDS,
  OFMarkInt: ANYTHING,
  IFMarkInt: ANYTHING,
  MaxConnections: COUNT,
  RDMAExtensions: YES_NO,
  TargetRecvDataSegmentLength: SEGMENT,
  InitiatorRecvDataSegmentLength: SEGMENT,
  MaxOutstandingUnexpectedPDUs: (value) => !range(1, 1)(value),
  MaxXmitDataSegmentLength: SEGMENT,
  MaxQueueCmd: range(1, 512),
};

const SESSION_KEY_OF_LOWER_CASE: ReadonlyMap<string, string> = new Map(
  Object.keys(SESSION_KEYS).map((key) => [key.toLowerCase(), key]),
);

/** Keys of a target itself, in this case only. */
const TARGET_KEYS: Readonly<Record<string, (value: string) => boolean>> = {
  state: (value) => value === "offline" || value === "ready",
  nop_count: ANYTHING,
  nop_interval: ANYTHING,
  RedirectAddress: ANYTHING,
  RedirectPort: ANYTHING,
  // Only the beginning counts, for tgtd.
  RedirectReason: (value) => value.startsWith("Temporary") || value.startsWith("Permanent"),
  RedirectCallback: ANYTHING,
};

/** The setting of a target; null where tgtd calls the request invalid, undefined where it is no setting at all. */
export function targetSetting(text: string): TgtSetting | null | undefined {
  const { key, value } = splitParameter(text);
  if (value === undefined) return undefined;
  const own = Object.hasOwn(TARGET_KEYS, key) ? TARGET_KEYS[key] : undefined;
  if (own !== undefined) return own(value) ? { key, value } : null;
  const sessionKey = SESSION_KEY_OF_LOWER_CASE.get(key.toLowerCase());
  if (sessionKey === undefined) return null;
  return SESSION_KEYS[sessionKey]?.(value) ? { key: sessionKey, value } : null;
}

/** Which values a key of the system takes, `debug` apart: one of these words, or anything that is not empty. */
const SYSTEM_KEYS: Readonly<Record<string, readonly string[] | "text" | "number">> = {
  State: ["offline", "ready"],
  iSNS: ["On", "Off"],
  iSNSServerIP: "text",
  iSNSServerPort: "number",
  iSNSAccessControl: "text",
};

/** What tgtd looks for first; where the text begins with it, nothing behind its value counts. */
const DEBUG = /^debug=(on|off)/;

/** Settings of the system, in order; null where one of the list is none. Nothing at all is a success, for tgtd. */
export function systemSettings(text: string): readonly TgtSetting[] | null {
  const debug = DEBUG.exec(text)?.[1];
  if (debug !== undefined) return [{ key: "debug", value: debug }];
  const settings = splitParameters(text).map(({ key, value }) => systemSetting(key, value ?? ""));
  return settings.every((setting) => setting !== null) ? settings : null;
}

function systemSetting(key: string, value: string): TgtSetting | null {
  const accepted = Object.hasOwn(SYSTEM_KEYS, key) ? SYSTEM_KEYS[key] : undefined;
  if (accepted === undefined || value === "") return null;
  if (accepted === "text") return { key, value };
  if (accepted === "number") {
    const number = wholeInt32(value);
    return number === undefined ? null : { key, value: String(number) };
  }
  return accepted.includes(value) ? { key, value } : null;
}

const LUN_TEXTS = [
  "scsi_id",
  "scsi_sn",
  "vendor_id",
  "product_id",
  "product_rev",
  "mode_page",
  "path",
  "bsopts",
  "bsoflags",
];
const LUN_NUMBERS = [
  "sense_format",
  "lbppbe",
  "la_lba",
  "optimal_xfer_gran",
  "optimal_xfer_len",
  "removable",
  "readonly",
  "online",
  "thin_provisioning",
  "rotation_rate",
];
const LUN_KEYS: ReadonlySet<string> = new Set([...LUN_TEXTS, ...LUN_NUMBERS]);

/** What `--params` changes of a logical unit, in order; null where one of it is unknown or empty. */
export function lunSettings(text: string): readonly TgtSetting[] | null {
  const settings: TgtSetting[] = [];
  for (const { key, value } of splitParameters(withoutWord(text, "targetOps"))) {
    if (!LUN_KEYS.has(key) || value === undefined || value === "") return null;
    settings.push({ key, value });
  }
  return settings;
}
