import { crc32c } from "../../../native-free/crc32c.ts";
import { assert } from "../../util/assert.ts";
import { getUint32LE, getUint64LE, setUint32LE, setUint64LE } from "../../util/little-endian.ts";
import {
  DEVICE_BYTES_MAX,
  DEVICE_BYTES_MIN,
  DEVICES_MAX,
  JOURNAL_BYTES_MAX,
  JOURNAL_BYTES_MIN,
} from "../limits.ts";
import { decodeDevices, DEVICE_ENTRY_BYTES, encodeDevices } from "./device-table.ts";
import { FormatFault } from "./fault.ts";
import { BLOCK_BYTES, EXTENT_BYTES_MAX, EXTENT_BYTES_MIN } from "./geometry.ts";
import {
  getName,
  getUuid,
  isUuid,
  isZero,
  NAME_FIELD_BYTES,
  setName,
  setUuid,
} from "./identity.ts";
import { checkLayout, HEAD_BYTES, JOURNAL_OFFSET_BYTES, TAIL_BYTES } from "./layout.ts";
import { getPointer, type PagePointer, setPointer } from "./pointer.ts";
import type { PoolDevice } from "./records.ts";

/** Who has the pool open, or had it last. */
export interface OwnerRecord {
  /** UUID form of what tells hosts apart. */
  readonly hostId: string;
  /** The kernel's boot id, a UUID: the page cache that was written to (rule K). */
  readonly bootId: string;
  /** A UUID that each opening makes up. */
  readonly nonce: string;
  readonly pid: number;
  /** Seconds since 1970. */
  readonly openedAtSeconds: number;
  /** "clean": the owner has closed the pool. */
  readonly state: "active" | "clean";
}

/** Changes of the format that a reader may not know, 32 bits each. */
export interface FeatureMasks {
  /** Whoever does not know one of these may use the pool all the same. */
  readonly compat: number;
  /** ... may only read it. */
  readonly roCompat: number;
  /** ... leaves it alone. */
  readonly incompat: number;
}

/** What this version knows: there are none yet. */
export const KNOWN_FEATURES: FeatureMasks = { compat: 0, roCompat: 0, incompat: 0 };

export const FORMAT_VERSION = 1;

/** The start of everything; see FORMAT.md. Sizes and offsets in bytes. */
export interface Superblock {
  readonly features: FeatureMasks;
  readonly poolUuid: string;
  /** Of the device it lies on, and that one's number in the pool. */
  readonly deviceUuid: string;
  readonly deviceIndex: number;
  readonly devices: readonly PoolDevice[];
  readonly extentBytes: number;
  /** Something was found broken: nobody writes before a check. */
  readonly needsCheck: boolean;
  readonly readOnly: boolean;
  /** Nothing is left to replay. */
  readonly clean: boolean;
  readonly generation: number;
  readonly epoch: number;
  /** Of the checkpoint; the device labels of a pool that is being made have none yet. */
  readonly root: PagePointer;
  /** The checkpoint includes the journal up to this block. */
  readonly checkpointSeq: number;
  readonly journal: { readonly offsetBytes: number; readonly blocks: number };
  readonly owner: OwnerRecord;
  readonly poolName: string;
}

export type SuperblockFault = FormatFault;

const SuperblockField = {
  magic: [0, 16],
  formatVersion: [16, 4],
  flags: [20, 4],
  compat: [24, 4],
  roCompat: [28, 4],
  incompat: [32, 4],
  extentShift: [36, 4],
  poolUuid: [40, 16],
  deviceUuid: [56, 16],
  deviceIndex: [72, 4],
  deviceCount: [76, 4],
  generation: [80, 8],
  epoch: [88, 4],
  reserved92: [92, 4],
  checkpointSeq: [96, 8],
  root: [104, 16],
  journalOffset: [120, 8],
  journalBlocks: [128, 8],
  ownerHostId: [136, 16],
  ownerBootId: [152, 16],
  ownerNonce: [168, 16],
  ownerPid: [184, 4],
  ownerState: [188, 4],
  ownerOpenedAt: [192, 8],
  reserved200: [200, 56],
  poolName: [256, NAME_FIELD_BYTES],
  devices: [384, DEVICES_MAX * DEVICE_ENTRY_BYTES],
  reserved1152: [1152, 2940],
  crc: [4092, 4],
} as const;
checkLayout("superblock", SuperblockField, BLOCK_BYTES);

/** Generations and sequence numbers go on from what a disk says: there must be room, and numbers stay exact. */
const COUNTER_MAX: number = 2 ** 52;
/** The epoch after the last one would be 0 on disk. */
const EPOCH_END: number = 2 ** 32 - 1;

/** Its ends of line show what a transfer as text does to it, as PNG's do. */
const MAGIC = Buffer.from("thinlunpool\r\n\x1a\n\0", "latin1");
assert(MAGIC.length === SuperblockField.magic[1], "the magic fills its field");

const Flag = { needsCheck: 1, readOnly: 2, clean: 4 } as const;
const FLAGS_KNOWN = 7;
const OwnerState = { clean: 1, active: 2 } as const;

export function encodeSuperblock(sb: Superblock): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES);
  const field = SuperblockField;
  const flags =
    (sb.needsCheck ? Flag.needsCheck : 0) |
    (sb.readOnly ? Flag.readOnly : 0) |
    (sb.clean ? Flag.clean : 0);
  bytes.set(MAGIC, field.magic[0]);
  setUint32LE(bytes, field.formatVersion[0], FORMAT_VERSION);
  setUint32LE(bytes, field.flags[0], flags);
  setUint32LE(bytes, field.compat[0], sb.features.compat);
  setUint32LE(bytes, field.roCompat[0], sb.features.roCompat);
  setUint32LE(bytes, field.incompat[0], sb.features.incompat);
  setUint32LE(bytes, field.extentShift[0], Math.log2(sb.extentBytes));
  setUuid(bytes, field.poolUuid[0], sb.poolUuid);
  setUuid(bytes, field.deviceUuid[0], sb.deviceUuid);
  setUint32LE(bytes, field.deviceIndex[0], sb.deviceIndex);
  setUint32LE(bytes, field.deviceCount[0], sb.devices.length);
  setUint64LE(bytes, field.generation[0], sb.generation);
  setUint32LE(bytes, field.epoch[0], sb.epoch);
  setUint64LE(bytes, field.checkpointSeq[0], sb.checkpointSeq);
  setPointer(bytes, field.root[0], sb.root);
  setUint64LE(bytes, field.journalOffset[0], sb.journal.offsetBytes);
  setUint64LE(bytes, field.journalBlocks[0], sb.journal.blocks);
  setOwner(bytes, sb.owner);
  setName(bytes, field.poolName[0], sb.poolName);
  encodeDevices(bytes, field.devices[0], sb.devices);
  setUint32LE(bytes, field.crc[0], crc32c(bytes, 0, field.crc[0]));
  const reread = decodeSuperblock(bytes);
  assert(
    !(reread instanceof FormatFault) || reread.kind === "unsupported",
    "a superblock that is written can be read",
  );
  return bytes;
}

/** Whoever does not know a feature must not change what depends on it. */
export function mayWrite(sb: Superblock): boolean {
  return (sb.features.roCompat & ~KNOWN_FEATURES.roCompat) === 0;
}

/** Reads a superblock; a fault says why it cannot be used. Any bytes are fine. */
export function decodeSuperblock(bytes: Uint8Array): Superblock | SuperblockFault {
  const field = SuperblockField;
  if (bytes.length !== BLOCK_BYTES) return new FormatFault("absent", "not a block of 4 KiB");
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) {
    return new FormatFault("absent", "no superblock lies here");
  }
  if (crc32c(bytes, 0, field.crc[0]) !== getUint32LE(bytes, field.crc[0])) {
    return new FormatFault("damaged", "the superblock's checksum is wrong");
  }
  const version = getUint32LE(bytes, field.formatVersion[0]);
  if (version !== FORMAT_VERSION) {
    return new FormatFault(
      "unsupported",
      `format version ${version}, this one knows ${FORMAT_VERSION}`,
    );
  }
  const features = getFeatures(bytes);
  const unknown = (features.incompat & ~KNOWN_FEATURES.incompat) >>> 0;
  if (unknown !== 0) {
    return new FormatFault(
      "unsupported",
      `the pool uses features that this version does not know: 0x${unknown.toString(16)}`,
    );
  }
  return decodeFields(bytes, features);
}

function decodeFields(bytes: Uint8Array, features: FeatureMasks): Superblock | FormatFault {
  const field = SuperblockField;
  const flags = getUint32LE(bytes, field.flags[0]);
  const extentBytes = 2 ** getUint32LE(bytes, field.extentShift[0]);
  const devices = decodeDevices(bytes, field.devices[0], getUint32LE(bytes, field.deviceCount[0]));
  const root = getPointer(bytes, field.root[0]);
  const owner = getOwner(bytes);
  const nameAt = field.poolName[0];
  const poolName = getName(bytes, nameAt, nameAt + NAME_FIELD_BYTES);
  if (extentBytes < EXTENT_BYTES_MIN || extentBytes > EXTENT_BYTES_MAX) {
    return damaged("extents of an impossible size");
  }
  if (devices === null) return damaged("an impossible table of devices");
  if (root === null) return damaged("an impossible pointer to the root");
  if (owner === null) return damaged("an impossible owner");
  if (poolName === null) return damaged("an impossible name");
  const superblock: Superblock = {
    features,
    poolUuid: getUuid(bytes, field.poolUuid[0]),
    deviceUuid: getUuid(bytes, field.deviceUuid[0]),
    deviceIndex: getUint32LE(bytes, field.deviceIndex[0]),
    devices,
    extentBytes,
    needsCheck: (flags & Flag.needsCheck) !== 0,
    readOnly: (flags & Flag.readOnly) !== 0,
    clean: (flags & Flag.clean) !== 0,
    generation: getUint64LE(bytes, field.generation[0]),
    epoch: getUint32LE(bytes, field.epoch[0]),
    root,
    checkpointSeq: getUint64LE(bytes, field.checkpointSeq[0]),
    journal: {
      offsetBytes: getUint64LE(bytes, field.journalOffset[0]),
      blocks: getUint64LE(bytes, field.journalBlocks[0]),
    },
    owner,
    poolName,
  };
  const complaint = complaintOf(superblock);
  if (complaint !== null) return damaged(complaint);
  return areReservedZero(bytes, flags, superblock)
    ? superblock
    : damaged("bytes that must be zero");
}

function damaged(what: string): FormatFault {
  return new FormatFault("damaged", `the superblock has ${what}`);
}

/** What cannot be in a superblock although each field has its form. */
function complaintOf(sb: Superblock): string | null {
  if (!isUuid(sb.poolUuid)) return "no pool UUID";
  const own = sb.devices[sb.deviceIndex];
  if (own === undefined || own.uuid !== sb.deviceUuid)
    return "a device of its own that is not listed";
  if (sb.generation > COUNTER_MAX || sb.checkpointSeq > COUNTER_MAX || sb.epoch >= EPOCH_END) {
    return "an impossible generation, sequence number or epoch";
  }
  const { offsetBytes, blocks } = sb.journal;
  const journalBytes = blocks * BLOCK_BYTES;
  if (journalBytes < JOURNAL_BYTES_MIN || journalBytes > JOURNAL_BYTES_MAX) {
    return "a journal of an impossible size";
  }
  const room = (sb.devices[0]?.sizeBytes ?? 0) - TAIL_BYTES;
  if (offsetBytes < JOURNAL_OFFSET_BYTES || offsetBytes % BLOCK_BYTES !== 0) {
    return "a journal in an impossible place";
  }
  return offsetBytes + journalBytes <= room ? null : "a journal past the end of its device";
}

function getFeatures(bytes: Uint8Array): FeatureMasks {
  return {
    compat: getUint32LE(bytes, SuperblockField.compat[0]),
    roCompat: getUint32LE(bytes, SuperblockField.roCompat[0]),
    incompat: getUint32LE(bytes, SuperblockField.incompat[0]),
  };
}

function setOwner(bytes: Uint8Array, owner: OwnerRecord): void {
  const field = SuperblockField;
  setUuid(bytes, field.ownerHostId[0], owner.hostId);
  setUuid(bytes, field.ownerBootId[0], owner.bootId);
  setUuid(bytes, field.ownerNonce[0], owner.nonce);
  setUint32LE(bytes, field.ownerPid[0], owner.pid);
  setUint32LE(bytes, field.ownerState[0], OwnerState[owner.state]);
  setUint64LE(bytes, field.ownerOpenedAt[0], owner.openedAtSeconds);
}

function getOwner(bytes: Uint8Array): OwnerRecord | null {
  const field = SuperblockField;
  const state = getUint32LE(bytes, field.ownerState[0]);
  const openedAtSeconds = getUint64LE(bytes, field.ownerOpenedAt[0]);
  if (state !== OwnerState.clean && state !== OwnerState.active) return null;
  if (!Number.isSafeInteger(openedAtSeconds)) return null;
  return {
    hostId: getUuid(bytes, field.ownerHostId[0]),
    bootId: getUuid(bytes, field.ownerBootId[0]),
    nonce: getUuid(bytes, field.ownerNonce[0]),
    pid: getUint32LE(bytes, field.ownerPid[0]),
    openedAtSeconds,
    state: state === OwnerState.active ? "active" : "clean",
  };
}

/** A feature that this version may ignore can give a meaning to reserved bytes; without one they are zeros. */
function areReservedZero(bytes: Uint8Array, flags: number, sb: Superblock): boolean {
  const { features } = sb;
  const unknown =
    (features.compat & ~KNOWN_FEATURES.compat) | (features.roCompat & ~KNOWN_FEATURES.roCompat);
  if (unknown !== 0) return true;
  const field = SuperblockField;
  const nameEnd = field.poolName[0] + 1 + (bytes[field.poolName[0]] ?? 0);
  return (
    (flags & ~FLAGS_KNOWN) === 0 &&
    isZero(bytes, field.reserved92[0], field.checkpointSeq[0]) &&
    isZero(bytes, field.reserved200[0], field.poolName[0]) &&
    isZero(bytes, nameEnd, field.devices[0]) &&
    isZero(bytes, field.devices[0] + sb.devices.length * DEVICE_ENTRY_BYTES, field.crc[0])
  );
}
assert(
  DEVICE_BYTES_MIN > HEAD_BYTES + TAIL_BYTES + JOURNAL_BYTES_MIN &&
    DEVICE_BYTES_MAX > DEVICE_BYTES_MIN,
  "the smallest device holds head, journal and tail",
);
