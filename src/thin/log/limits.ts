/** Limits of the journal, each with its reason. */

/**
 * Blocks of the ring that only barrier records use. Records that wait for room must not keep a barrier from its end: the
 * checkpoint that makes room may not have begun. One stall sees two at the most, one for what was applied when it began and
 * one for the block in flight.
 */
export const BARRIER_BLOCKS_RESERVED = 8;

/**
 * What is kept of the ring and of the pages that may be dirty for writes that an operation on their volume waits for: otherwise a
 * snapshot under load takes as long as a checkpoint. A share of 1; of the 64 MiB of pages, enough for two thousand writes.
 */
export const HURRY_SHARE: number = 1 / 8;

/** Records that have left the queue are forgotten when there are this many of them. */
export const QUEUE_COMPACTED_AFTER = 1024;

/** Pages of maps that a group of records makes dirty: a leaf, its side pages, and a node of each level above it. */
export const PAGES_PER_GROUP_MAX = 8;

/** Buckets of how many records a block carries: a block has room for about a hundred. */
export const BLOCK_RECORDS_BOUNDS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128];

/**
 * Buckets of how long barriers take, in milliseconds: from a disk that keeps its cache by a battery to one that hangs until the kernel
 * resets it.
 */
export const BARRIER_BOUNDS_MS: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000,
];
