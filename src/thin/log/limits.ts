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
