import {
  chooseReplay,
  isBlockLost,
  type JournalScan,
  scanJournal,
} from "../checkpoint/journal-scan.ts";
import { IoError } from "../../util/io-error.ts";
import type { Superblock } from "../format/superblock.ts";
import { checkReplay, type Suspicion } from "./check-replay.ts";
import type { Findings } from "./findings.ts";
import type { LocatedPool } from "./locate-pool.ts";
import type { PoolTree } from "./pool-tree.ts";

/** What follows the checkpoint. */
export interface JournalReport {
  /** Blocks behind the checkpoint, and the records in them. */
  readonly blocks: number;
  readonly records: number;
  /** Blocks that even a power loss leaves trustworthy. */
  readonly durableBlocks: number;
  /** Of a pool that was closed: nothing is to be replayed. */
  readonly isReplayed: boolean;
}

const NOTHING: JournalReport = { blocks: 0, records: 0, durableBlocks: 0, isReplayed: false };

/** The blocks of the journal behind a checkpoint, the newest unless told. @throws {IoError} the ring cannot be read */
export function readJournal(
  pool: LocatedPool,
  superblock: Superblock | undefined = pool.superblocks[0],
): Promise<JournalScan> {
  const [device] = pool.devices;
  if (superblock === undefined || device === undefined || device === null) {
    return Promise.resolve({ blocks: [], beyond: [], hasLaterEpoch: false, unreadable: [] });
  }
  const ring = { device, poolUuid: pool.poolUuid, ...superblock.journal };
  return scanJournal(ring, superblock.epoch, superblock.checkpointSeq);
}

/** A checkpoint, and what is left to be judged by the journal. */
export interface CheckedTree {
  readonly tree: PoolTree;
  readonly suspicion: Suspicion;
}

/** Reads the journal, and judges what it leads to. */
export async function checkJournal(
  pool: LocatedPool,
  checked: CheckedTree | null,
  findings: Findings,
): Promise<JournalReport> {
  const [superblock] = pool.superblocks;
  if (superblock === undefined) return NOTHING;
  let scan: JournalScan;
  try {
    scan = await readJournal(pool);
    // The block of a pool in use can have been written between two reads: a second look tells.
    if (isLost(scan, superblock)) scan = await readJournal(pool);
  } catch (error) {
    if (!(error instanceof IoError)) throw error;
    findings.error(`the journal cannot be read: ${error.message}`);
    return NOTHING;
  }
  const { blocks } = scan;
  if (isLost(scan, superblock)) {
    const seq = superblock.checkpointSeq + blocks.length + 1;
    findings.error(`journal block ${seq} is broken, and was whole before`);
  }
  if (scan.hasLaterEpoch) {
    findings.error("the newest superblock is lost: the journal holds blocks of a later opening");
  }
  const { replayed } = chooseReplay(blocks, false, superblock.checkpointSeq);
  if (scan.unreadable.length > 0) findings.warning(unreadableBlocks(scan.unreadable));
  if (checked !== null) {
    await checkReplay(pool, checked.tree, blocks, checked.suspicion, findings);
  }
  return {
    blocks: blocks.length,
    records: blocks.reduce((sum, { records }) => sum + records.length, 0),
    durableBlocks: replayed,
    isReplayed: !superblock.clean && blocks.length > 0,
  };
}

/** In words. A place of the ring that is bad and needed is a block that is lost, and told of as such. */
export function unreadableBlocks(numbers: readonly number[]): string {
  return `blocks of the journal that cannot be read: ${numbers.length}, the first is ${numbers[0]}`;
}

/** Whether a block is missing that a barrier says was there. */
function isLost(scan: JournalScan, { checkpointSeq }: Superblock): boolean {
  return isBlockLost(scan, checkpointSeq, false);
}
