/** Arguments are names, sizes and short lists: more is a mistake. */
export const BODY_BYTES_MAX: number = 64 * 1024;

/** The most that one request reads from or writes to a volume: what both sides hold in memory for it. */
export const DATA_BYTES_MAX: number = 4 * 1024 * 1024;

/** Runs of extents in one reply: what makes about half a MiB of JSON. */
export const EXTENTS_MAX = 8192;

/** The longest list that an operation takes: a group of snapshots is smaller, and so is what is wiped at a time. */
export const LIST_ENTRIES_MAX = 256;
