/** Limits of checkpoints and recovery, each with its reason. Sizes in bytes. */

/** One write of a checkpoint: long enough for a disk to stream, short enough not to be felt by what waits behind it. */
export const RUN_BYTES_MAX: number = 256 * 1024;

/** Writes of a checkpoint under way at a time: half of what a device takes, the other half is for everybody else. */
export const RUNS_IN_FLIGHT_MAX = 4;

/** One read of the journal at recovery: a disk streams, and a damaged ring costs no more than one of them too many. */
export const JOURNAL_READ_BYTES: number = 1024 * 1024;

/** Leaves in one read at recovery: 1 MiB, which a disk streams. */
export const LEAF_RUN_PAGES_MAX = 256;

/** Pages between two leaves that are read with them: a read of its own takes longer than 32 KiB more, on a disk as in memory. */
export const LEAF_GAP_PAGES_MAX = 8;

/** Dirty pages of maps past which appends wait for a checkpoint: 64 MiB of pages. */
export const DIRTY_PAGES_MAX: number = 16 * 1024;

/**
 * Leaves of a checkpoint that are written before they count as clean. Fewer would let writes run dry in between, more would keep the memory for
 * dirty pages used up for longer.
 */
export const LEAVES_WRITTEN_TOGETHER = 2048;
