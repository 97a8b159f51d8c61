/** Limits of the device layer, each with its reason. */

/**
 * The most that one synchronous call moves. Copying 256 KiB from the page cache takes 40 microseconds; more than that
 * in one turn of the event loop would be felt by the other connections.
 */
export const SYNCHRONOUS_BYTES_MAX: number = 256 * 1024;

/**
 * Asynchronous operations of one device at a time. The pool of libuv has 32 threads for the whole daemon: a device that
 * is stuck holds 8 of them, and the others go on.
 */
export const CONCURRENT_TRANSFERS_MAX = 8;

/** Beside those: the signs of life of a pool's owner come one at a time, and must not wait for data. */
export const URGENT_TRANSFERS = 1;

/**
 * A synchronous read of 64 KiB that took longer than this was not in the page cache: a copy takes about 10 microseconds, and
 * flash some 80 for the first 4 KiB, to which the sleep and the wake-up come.
 */
export const COLD_READ_MS_PER_64K = 0.15;

/** A synchronous write that took longer than this met a kernel that throttles writers, or pages under write-back. */
export const SLOW_WRITE_MS = 1;

/** After a slow write, so many writes go through the thread pool before the event loop is risked again. */
export const WRITES_ASYNCHRONOUS_AFTER_SLOW = 64;

/**
 * Written bytes after which fdatasync starts in the background. The kernel lets the writer wait when too much is dirty,
 * which must not happen to the event loop: its threshold is rarely below 100 MiB.
 */
export const DIRTY_BYTES_MAX: number = 64 * 1024 * 1024;

/** Zeros up to this are written rather than asked of a tool, whose start takes about as long as 2 MiB of writing. */
export const ZEROES_WRITTEN_BYTES_MAX: number = 64 * 1024;

/** Zeros are written in pieces of this size when no tool can do it, so that other requests come in between. */
export const ZEROES_PIECE_BYTES: number = 1024 * 1024;

/**
 * The size of a bounce buffer for direct I/O; longer requests take several rounds. One for each transfer makes
 * 2.25 MiB a device.
 */
export const BOUNCE_BUFFER_BYTES: number = 256 * 1024;

/** Slow reads in a row after which nothing of their region is expected any more: memory was evidently taken away. */
export const COLD_READS_IN_A_ROW_MAX = 4;

/** The residency map of one device may take 4 KiB of memory for each 128 MiB: 32 MiB in all, for 1 TiB in use. */
export const RESIDENCY_REGIONS_MAX = 8192;

/** Capacity of a memory device: what a process can sensibly be asked to hold. It takes memory as it is written. */
export const MEMORY_DEVICE_BYTES_MAX: number = 64 * 1024 * 1024 * 1024;
