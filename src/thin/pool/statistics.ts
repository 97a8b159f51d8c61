import type { Histogram } from "../../util/histogram.ts";
import type { PoolParts } from "./pool-parts.ts";
import type { SpaceWatch } from "./space-watch.ts";

/** How a pool's journal, flushes, checkpoints and map memory are. Those that end in `Total` only grow while the pool is open. */
export interface PoolStatistics {
  readonly journalBlocks: number;
  /** Blocks that recovery might still need. */
  readonly journalBlocksInUse: number;
  /** Blocks whose records have taken effect, since the pool was made. */
  readonly journalWrittenTotal: number;
  /** Of these, those that a power loss might take. */
  readonly journalVolatileBlocks: number;
  /** Records wait for a checkpoint that makes room. */
  readonly isJournalStalled: boolean;
  /** Since the pool was opened: how many records the blocks of the journal carry, and of how many appends. */
  readonly journalBlockRecords: Histogram;
  readonly journalAppendsTotal: number;
  /** How long barriers took that have ended, and for how long the oldest one runs; 0: none does. Milliseconds. */
  readonly barrierDurationsMs: Histogram;
  readonly barrierRunningMs: number;
  /** Flushes of devices. */
  readonly flushesTotal: number;
  /** Checkpoints since the pool was made. */
  readonly checkpointsTotal: number;
  readonly isCheckpointing: boolean;
  /** Map leaves, and what of them memory holds. */
  readonly leaves: number;
  readonly leafResidentBytes: number;
  readonly leafMemoryBytes: number;
  readonly leafDirtyPages: number;
  /** Writes have found no space, and none has come free since. */
  readonly isFull: boolean;
  /** Shares of the space in use at which there are warnings, ascending. */
  readonly thresholds: readonly number[];
  /** The pool grows by itself where less than this is usable, in bytes; null: it does not. */
  readonly lowWaterBytes: number | null;
}

type Counted = Pick<PoolParts, "journal" | "barrier" | "checkpointer" | "state" | "fullPolicy">;
type Watched = Pick<SpaceWatch, "thresholds" | "lowWaterBytes">;

/** All of it is kept anyway: to ask costs the data path nothing. */
export function statisticsOf(
  { journal, barrier, checkpointer, state, fullPolicy }: Counted,
  { thresholds, lowWaterBytes }: Watched,
): PoolStatistics {
  const { leaves } = state;
  return {
    journalBlocks: journal.blocks,
    journalBlocksInUse: journal.blocksInUse,
    journalWrittenTotal: journal.appliedSeq,
    journalVolatileBlocks: Math.max(0, journal.appliedSeq - barrier.durableSeq),
    isJournalStalled: journal.isStalled,
    journalBlockRecords: journal.blockRecords,
    journalAppendsTotal: journal.appendsTotal,
    barrierDurationsMs: barrier.durationsMs,
    barrierRunningMs: barrier.runningMs,
    // Each checkpoint flushes the superblock besides.
    flushesTotal: barrier.flushes + checkpointer.made,
    checkpointsTotal: checkpointer.generation,
    isCheckpointing: checkpointer.isRunning,
    leaves: leaves.count,
    leafResidentBytes: leaves.residentBytes,
    leafMemoryBytes: leaves.memoryBytes,
    leafDirtyPages: leaves.dirtyPages,
    isFull: fullPolicy.isFull,
    thresholds,
    lowWaterBytes,
  };
}
