/** Limits of a pool's life, each with its reason. */

/** A threshold warns again when the use has been this far below it, as a share of 1. */
export const THRESHOLD_HYSTERESIS = 0.02;

/** A failed growth is not tried again at once: what it needs (a disk, an operator) takes its time. Milliseconds. */
export const GROWTH_BACKOFF_MS_MIN = 5_000;
export const GROWTH_BACKOFF_MS_MAX = 300_000;

/** The longest that a write waits for space by default: initiators wait about 30 s before they abort. Milliseconds. */
export const HOLD_MS_DEFAULT = 1_000;

/** How long a pool may be full by default until writers are told that it is: time for somebody to add a disk. Milliseconds. */
export const FULL_RETRY_MS_DEFAULT = 60_000;

/** That a pool is full, or not any more, is said so often in an interval: once each. What comes after is summed up. Milliseconds. */
export const FULL_NOTICES_MAX = 2;
export const FULL_NOTICE_INTERVAL_MS = 60_000;

/**
 * What found no room on the file system below is tried again so often: a try costs a failed system call, or the file system's own search for
 * room, and an operator should not have to wait. Milliseconds.
 */
export const STORAGE_RETRY_MS = 250;

/** A file system below that nothing has found full for so long is not any more, as far as anybody knows. Milliseconds. */
export const STORAGE_QUIET_MS = 60_000;

/** That the file system below is full is said again so often. Milliseconds. */
export const STORAGE_REMINDER_MS = 60_000;

/**
 * A pool that is opened or closed waits no longer for room on the file system below, in milliseconds: whoever starts or stops the service
 * has to hear of it. Twice this at the most, which is well within the time that the service has for its end.
 */
export const STORAGE_WAIT_MS = 5_000;

/** How often housekeeping looks round, in milliseconds. */
export const HOUSEKEEPING_TICK_MS = 250;

/** Dirty data are made durable at least this often, in milliseconds: part of what the pool promises. */
export const BARRIER_INTERVAL_MS = 1_000;

/** A pool with records behind its checkpoint, or with one checkpoint since it was opened, is checkpointed when it has been idle this long, in milliseconds. */
export const IDLE_CHECKPOINT_MS = 60_000;

/** Discards are passed to the devices no faster than this by default: they compete with clients' I/O. Bytes a second. */
export const DISCARD_BYTES_PER_SECOND_DEFAULT: number = 4 * 1024 * 1024 * 1024;

/** One discard, in bytes: a punch of a large file holds the file's locks for as long as it takes. */
export const DISCARD_BYTES_MAX: number = 64 * 1024 * 1024;

/** Discards between two flushes, in runs. */
export const DISCARD_RUNS_MAX = 64;

/** When devices make no zeros of what they are told to discard, they are not asked again at once. Milliseconds. */
export const DISCARD_BACKOFF_MS_MIN = 10_000;
export const DISCARD_BACKOFF_MS_MAX: number = 60 * 60 * 1000;

/** The filler copies no more than this by default, in bytes a second: it must not be felt. */
export const FILL_BYTES_PER_SECOND_DEFAULT: number = 16 * 1024 * 1024;

/** Leaves kept in memory by default, in bytes: those of 4 TiB mapped. */
export const LEAF_MEMORY_BYTES_DEFAULT: number = 256 * 1024 * 1024;

/** A volume's size is a multiple of this, in bytes: the sector of its users. */
export const VOLUME_SIZE_UNIT_BYTES = 512;

/** A checkpoint is made when the journal since the last one is this full: two intervals must fit. A share of 1. */
export const JOURNAL_SHARE_MAX = 0.4;

/** A checkpoint is made when so much of what may be dirty is. A share of 1. */
export const DIRTY_SHARE_MAX = 0.5;

/** Leaves that the filler looks at in one go: most of them have nothing to fill. */
export const FILL_LEAVES_PER_ROUND = 256;
