import { leadingNumber, splitParameters } from "./parameters.ts";

/** What makes a new logical unit. */
export interface NewLogicalUnit {
  /** Undefined where none was given: tgtd makes a unit without medium. */
  readonly path: string | undefined;
  /** Undefined: the default of the device type. */
  readonly backingStoreType: string | undefined;
  readonly backingStoreOptions: string | undefined;
  readonly sync: boolean;
  readonly direct: boolean;
  /** Bytes; undefined: the default. tgtd does not check that it is a power of two. */
  readonly blockSizeBytes: number | undefined;
  /** SCSI's peripheral device type. */
  readonly deviceType: number;
}

/** Disk, tape, CD/DVD, changer, object store and pass-through. */
const DEVICE_TYPES: ReadonlySet<number> = new Set([0, 1, 5, 8, 0x11, 0x0c]);

/** tgtd's, and `thin`, which is this daemon's: a volume of a pool. */
const BACKING_STORE_TYPES: ReadonlySet<string> = new Set([
  "rdwr",
  "aio",
  "null",
  "thin",
  "sg",
  "bsg",
  "ssc",
  "smc",
  "mmc",
  "sheepdog",
]);

/**
 * Reads the parameters of a new logical unit: of two with one key the later counts, one without a value and one that
 * nobody knows are passed over. Null where tgtd calls the request invalid.
 */
export function newLogicalUnit(
  text: string | undefined,
  deviceType: number,
): NewLogicalUnit | null {
  const values = new Map<string, string>();
  for (const { key, value } of splitParameters(text ?? "")) {
    if (value !== undefined && value !== "") values.set(key, value);
  }
  const backingStoreType = values.get("bstype");
  const flags = (values.get("bsoflags") ?? "").split(":").filter((flag) => flag !== "");
  // Only the beginning counts, for tgtd.
  const isKnown = (flag: string): boolean => flag.startsWith("sync") || flag.startsWith("direct");
  if (!DEVICE_TYPES.has(deviceType) || !flags.every((flag) => isKnown(flag))) return null;
  if (backingStoreType !== undefined && !BACKING_STORE_TYPES.has(backingStoreType)) return null;
  const blockSizeBytes = leadingNumber(values.get("blocksize") ?? "");
  return {
    path: values.get("path"),
    backingStoreType,
    backingStoreOptions: values.get("bsopts"),
    sync: flags.some((flag) => flag.startsWith("sync")),
    direct: flags.some((flag) => flag.startsWith("direct")),
    blockSizeBytes: blockSizeBytes > 0 ? blockSizeBytes : undefined,
    deviceType,
  };
}
