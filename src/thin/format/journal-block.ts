import { assert } from "../../util/assert.ts";
import {
  getUint16LE,
  getUint32LE,
  getUint64LE,
  setUint16LE,
  setUint32LE,
  setUint64LE,
} from "../../util/little-endian.ts";
import { FormatFault } from "./fault.ts";
import { BLOCK_BYTES } from "./geometry.ts";
import { hasUuid, isZero, uuidBytes } from "./identity.ts";
import { decodeRecord } from "./journal-record.ts";
import { checkLayout } from "./layout.ts";
import { blockCrc } from "./page.ts";
import type { JournalRecord } from "./records.ts";

const JournalField = {
  magic: [0, 4],
  records: [4, 2],
  recordBytes: [6, 2],
  poolTag: [8, 8],
  seq: [16, 8],
  epoch: [24, 4],
  prevCrc: [28, 4],
  reserved32: [32, 28],
  crc: [60, 4],
} as const;

/** Records begin here. */
export const JOURNAL_HEADER_BYTES = 64;
checkLayout("journal block", JournalField, JOURNAL_HEADER_BYTES);

/** Bytes for records in a block. */
export const JOURNAL_BLOCK_ROOM: number = BLOCK_BYTES - JOURNAL_HEADER_BYTES;

/** "TLJB" */
const MAGIC = 0x424a_4c54;

/** What a journal block says of itself. */
export interface JournalHeader {
  readonly epoch: number;
  /** Its number since the pool was made; it lies at this modulo the length of the ring. */
  readonly seq: number;
  /** The checksum of the block before it, 0 before the first one of an epoch. */
  readonly prevCrc: number;
}

export interface JournalBlock extends JournalHeader {
  readonly crc: number;
  readonly records: JournalRecord[];
}

/**
 * Finishes a block that holds `records` records in its `bytes` bytes from {@link JOURNAL_HEADER_BYTES}: zeroes the rest, writes header
 * and checksum. Returns the checksum, for the next block.
 */
export function sealJournalBlock(
  block: Uint8Array,
  header: JournalHeader & { poolUuid: string; records: number; bytes: number },
): number {
  assert(block.length === BLOCK_BYTES, "a journal block is a block");
  assert(header.bytes >= 0 && header.bytes <= JOURNAL_BLOCK_ROOM, "records fit into their block");
  const field = JournalField;
  block.fill(0, JOURNAL_HEADER_BYTES + header.bytes);
  setUint32LE(block, field.magic[0], MAGIC);
  setUint16LE(block, field.records[0], header.records);
  setUint16LE(block, field.recordBytes[0], header.bytes);
  const tag = uuidBytes(header.poolUuid);
  for (let index = 0; index < field.poolTag[1]; index += 1) {
    block[field.poolTag[0] + index] = tag[index] ?? 0;
  }
  setUint64LE(block, field.seq[0], header.seq);
  setUint32LE(block, field.epoch[0], header.epoch);
  setUint32LE(block, field.prevCrc[0], header.prevCrc);
  const [reserved, reservedBytes] = field.reserved32;
  for (let index = 0; index < reservedBytes; index += 1) block[reserved + index] = 0;
  const crc = blockCrc(block, JOURNAL_HEADER_BYTES + header.bytes);
  setUint32LE(block, field.crc[0], crc);
  return crc;
}

/**
 * Whether a block says of itself that it is block `seq` of the epoch, or one of a later epoch: cheap, for scans of a ring. What does not say so is
 * neither, whole or not; what does is still to be opened.
 */
export function mayBeJournalBlock(block: Uint8Array, epoch: number, seq: number): boolean {
  const found = getUint32LE(block, JournalField.epoch[0]);
  return found > epoch || (found === epoch && getUint64LE(block, JournalField.seq[0]) === seq);
}

/** Reads a journal block. Whether it is the one that follows, and of the epoch, is the caller's to judge. */
export function openJournalBlock(block: Uint8Array, poolUuid: string): JournalBlock | FormatFault {
  const field = JournalField;
  if (block.length !== BLOCK_BYTES) return new FormatFault("absent", "not a block of 4 KiB");
  if (getUint32LE(block, field.magic[0]) !== MAGIC) {
    return new FormatFault("absent", "no journal block lies here");
  }
  const crc = getUint32LE(block, field.crc[0]);
  if (blockCrc(block) !== crc) {
    return new FormatFault("damaged", "the journal block's checksum is wrong");
  }
  if (!hasUuid(block, field.poolTag[0], poolUuid, field.poolTag[1])) {
    return new FormatFault("misplaced", "a journal block of another pool");
  }
  const seq = getUint64LE(block, field.seq[0]);
  const records = decodeRecords(block);
  if (records instanceof FormatFault) return records;
  if (!Number.isSafeInteger(seq)) {
    return new FormatFault("damaged", "a journal block with an impossible number");
  }
  return {
    epoch: getUint32LE(block, field.epoch[0]),
    seq,
    prevCrc: getUint32LE(block, field.prevCrc[0]),
    crc,
    records,
  };
}

function decodeRecords(block: Uint8Array): JournalRecord[] | FormatFault {
  const field = JournalField;
  const count = getUint16LE(block, field.records[0]);
  const end = JOURNAL_HEADER_BYTES + getUint16LE(block, field.recordBytes[0]);
  if (end > BLOCK_BYTES) {
    return new FormatFault("damaged", "a journal block with more records than fit");
  }
  const records: JournalRecord[] = [];
  let at = JOURNAL_HEADER_BYTES;
  while (at < end) {
    const decoded = decodeRecord(block, at, end);
    if (decoded instanceof FormatFault) return decoded;
    records.push(decoded.record);
    at = decoded.next;
  }
  const isPadded =
    isZero(block, end, BLOCK_BYTES) &&
    isZero(block, field.reserved32[0], field.reserved32[0] + field.reserved32[1]);
  if (records.length !== count || !isPadded) {
    return new FormatFault("damaged", "a journal block that does not add up");
  }
  return records;
}
