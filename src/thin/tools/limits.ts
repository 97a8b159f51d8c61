/** Limits of the tools, each with its reason. Sizes in bytes. */

/** One read of metadata: what a disk streams without a pause, and little beside a terabyte's 64 MiB of leaves. */
export const READ_BYTES_MAX: number = 1024 * 1024;

/** Pages that lie closer together than this are read with what is between them. */
export const READ_GAP_BYTES_MAX: number = 64 * 1024;

/** Findings that a report names; a broken pool can have millions, of the same few kinds. */
export const FINDINGS_MAX = 200;

/** A check of an open pool begins again when checkpoints have overtaken it; a pool that does this to it so often is too busy. */
export const RESTARTS_MAX = 8;

/** Reads of pages that are under way at a time: as many as Node has threads for them, so that neither a disk nor a processor waits. */
export const READS_IN_FLIGHT = 4;
