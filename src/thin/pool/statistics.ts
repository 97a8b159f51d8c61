import type { PoolParts } from "./pool-parts.ts";

/** How a pool's journal, flushes, checkpoints and map memory are. Those that end in `Total` only grow while the pool is open. */
export interface PoolStatistics {
  readonly journalBlocks: number;
  /** Blocks that recovery might still need. */
  readonly journalBlocksInUse: number;
  /** Blocks whose records have taken effect, since the pool was made. */
  readonly journalWrittenTotal: number;
  /** Of these, those that a power loss might take. */
  readonly journalVolatileBlocks: number;
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
}

type Counted = Pick<PoolParts, "journal" | "barrier" | "checkpointer" | "state">;

/** All of it is kept anyway: to ask costs the data path nothing. */
export function statisticsOf({ journal, barrier, checkpointer, state }: Counted): PoolStatistics {
  const { leaves } = state;
  return {
    journalBlocks: journal.blocks,
    journalBlocksInUse: journal.blocksInUse,
    journalWrittenTotal: journal.appliedSeq,
    journalVolatileBlocks: Math.max(0, journal.appliedSeq - barrier.durableSeq),
    flushesTotal: barrier.flushes,
    checkpointsTotal: checkpointer.generation,
    isCheckpointing: checkpointer.isRunning,
    leaves: leaves.count,
    leafResidentBytes: leaves.residentBytes,
    leafMemoryBytes: leaves.memoryBytes,
    leafDirtyPages: leaves.dirtyPages,
  };
}
