import type { BlockDevice } from "../../device/block-device.ts";
import { IoError } from "../../util/io-error.ts";
import { readInto } from "../../util/io-request.ts";
import { isFault } from "../format/fault.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { type JournalBlock, mayBeJournalBlock, openJournalBlock } from "../format/journal-block.ts";
import { isSafe, type JournalRecord } from "../format/records.ts";
import { JOURNAL_READ_BYTES } from "./limits.ts";

/** The ring on device 0. */
export interface JournalRing {
  readonly device: BlockDevice;
  readonly poolUuid: string;
  readonly offsetBytes: number;
  readonly blocks: number;
}

/** One block that a recovery found. */
export interface FoundBlock {
  readonly seq: number;
  readonly crc: number;
  readonly records: readonly JournalRecord[];
}

/** What of the ring belongs to an epoch, behind a checkpoint. */
export interface JournalScan {
  /** The blocks that follow each other without a gap. */
  readonly blocks: readonly FoundBlock[];
  /** Whole ones behind a gap: after a power loss that can be, after a kill it cannot. */
  readonly beyond: readonly FoundBlock[];
  /** There are blocks of an epoch that began after this one: its superblock is lost, and what it did is not to be known. */
  readonly hasLaterEpoch: boolean;
  /** Numbers of blocks that the device does not give. They are like blocks that are not whole: a power loss may leave one so. */
  readonly unreadable: readonly number[];
}

/**
 * Reads the blocks behind `afterSeq`, each once: the whole ring, also where it could end. A block of an earlier round, of an older epoch or of
 * zeros in the place of the next one is what the end looks like, and just as well what a lost or torn write leaves of a block that was
 * promised. Only what lies behind tells them apart: blocks of this epoch, of which a barrier may cover the gap, or of a later one, whose
 * superblock is lost. How far behind, nothing limits: a device can lose any stretch. To end early would be to take a loss for the end, and
 * saves half a second of a spinning disk.
 *
 * @throws {IoError} the device is not there, or fails over a whole stretch of the ring
 */
export async function scanJournal(
  ring: JournalRing,
  epoch: number,
  afterSeq: number,
): Promise<JournalScan> {
  const blocks: FoundBlock[] = [];
  const beyond: FoundBlock[] = [];
  const unreadable: number[] = [];
  let hasLaterEpoch = false;
  let seq = afterSeq + 1;
  const end = seq + ring.blocks;
  let memory = new Uint8Array(JOURNAL_READ_BYTES);
  let other = new Uint8Array(JOURNAL_READ_BYTES);
  let reading = readFrom(ring, seq, end, memory, unreadable);
  while (seq < end) {
    const bytes = await reading;
    const count = bytes.length / BLOCK_BYTES;
    // The device works while these are looked at.
    reading = readFrom(ring, seq + count, end, other, unreadable);
    [memory, other] = [other, memory];
    for (let at = 0; at < count; at += 1, seq += 1) {
      const page = bytes.subarray(at * BLOCK_BYTES, (at + 1) * BLOCK_BYTES);
      // A ring is full of blocks that a checkpoint has buried: most of them need no more than this.
      if (!mayBeJournalBlock(page, epoch, seq)) continue;
      const block = openJournalBlock(page, ring.poolUuid);
      if (isFault(block)) continue;
      hasLaterEpoch ||= block.epoch > epoch;
      if (block.epoch !== epoch || block.seq !== seq) continue;
      const found = { seq, crc: block.crc, records: block.records };
      (follows(block, afterSeq, blocks) ? blocks : beyond).push(found);
    }
  }
  return { blocks, beyond, hasLaterEpoch, unreadable };
}

/**
 * Reads blocks from `seq` on that lie together in the ring, as many as the memory has room for; none from `end` on. One that cannot be
 * read is zeros, and noted.
 */
async function readFrom(
  ring: JournalRing,
  seq: number,
  end: number,
  memory: Uint8Array,
  unreadable: number[],
): Promise<Uint8Array> {
  const index = seq % ring.blocks;
  const count = Math.min(memory.length / BLOCK_BYTES, ring.blocks - index, end - seq);
  const bytes = memory.subarray(0, count * BLOCK_BYTES);
  if (count === 0) return bytes;
  const error = await tryRead(ring, index, bytes);
  if (error === null) return bytes;
  const failed: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const block = bytes.subarray(at * BLOCK_BYTES, (at + 1) * BLOCK_BYTES);
    if ((await tryRead(ring, index + at, block)) === null) continue;
    block.fill(0);
    failed.push(seq + at);
  }
  // Not a bad place but a bad device: what was written would be taken for what never was.
  if (failed.length === count && count > 1) throw error;
  for (const one of failed) unreadable.push(one);
  return bytes;
}

/** Null: it was read. What is wrong with more than a place, such as a device that is gone, is thrown. */
async function tryRead(
  ring: JournalRing,
  index: number,
  bytes: Uint8Array,
): Promise<IoError | null> {
  try {
    await readInto(ring.device, ring.offsetBytes + index * BLOCK_BYTES, bytes);
    return null;
  } catch (error) {
    if (error instanceof IoError && error.kind === "medium") return error;
    throw error;
  }
}

/**
 * Whether a block is missing that was there: blocks are written one after the other, so after a kill all before the last are, and
 * after a power loss all that a barrier covers.
 */
export function isBlockLost(
  { blocks, beyond }: Pick<JournalScan, "blocks" | "beyond">,
  afterSeq: number,
  sameBoot: boolean,
): boolean {
  if (beyond.length === 0) return false;
  const gap = afterSeq + blocks.length + 1;
  return (
    sameBoot ||
    beyond.some(({ records }) => records.some((r) => r.kind === "barrier" && r.upto >= gap))
  );
}

/** The first block has nothing before it that it could be held against: the epoch vouches for it. */
function follows(block: JournalBlock, afterSeq: number, found: readonly FoundBlock[]): boolean {
  const last = found.at(-1);
  if (block.seq !== afterSeq + found.length + 1) return false;
  return last === undefined || block.prevCrc === last.crc;
}

/** What of the journal is carried out. */
export interface Replayable {
  readonly records: readonly { readonly record: JournalRecord; readonly seq: number }[];
  /** Blocks of which all records are carried out, and of which some are not. */
  readonly replayed: number;
  readonly discarded: number;
}

/**
 * Chooses what is replayed. All of it, where the page cache is the one that the killed process wrote to (rule K); after a power loss
 * what a barrier covers, and on for as long as records are safe (rule B). `durableSeq` is covered for another reason.
 */
export function chooseReplay(
  blocks: readonly FoundBlock[],
  isAllTrusted: boolean,
  durableSeq: number,
): Replayable {
  let covered = durableSeq;
  for (const { records } of blocks) {
    for (const record of records) {
      if (record.kind === "barrier") covered = Math.max(covered, record.upto);
    }
  }
  const chosen: { record: JournalRecord; seq: number }[] = [];
  for (const [index, { seq, records }] of blocks.entries()) {
    for (const record of records) {
      if (record.kind === "barrier") continue;
      if (!isAllTrusted && seq > covered && !isSafe(record)) {
        return { records: chosen, replayed: index, discarded: blocks.length - index };
      }
      chosen.push({ record, seq });
    }
  }
  return { records: chosen, replayed: blocks.length, discarded: 0 };
}
