/** Every bound of the SCSI layer, with its reason. */

/**
 * Tasks in one logical unit's task set. Far more than the queues of a rack of initiators (32 sessions of 128), few
 * enough that a task management function can walk the set.
 */
export const TASK_SET_MAX: number = 4096;

/** Logical units of one target: what flat space addressing reaches (SAM-5 4.7.7.3, 14 bits). */
export const LUN_MAX: number = 0x3fff;

/** Unit attentions that wait on one nexus for one logical unit; there are fewer distinct ones than this. */
export const ATTENTIONS_MAX: number = 16;

/** One READ, WRITE or VERIFY (MAXIMUM TRANSFER LENGTH of VPD B0h): bounds what a command can hold back. */
export const TRANSFER_BYTES_MAX: number = 16 * 1024 * 1024;

/**
 * One WRITE SAME (MAXIMUM WRITE SAME LENGTH): a pattern is really written, so this bounds how long it takes. No more than
 * one transfer, as conformance tests read and write at once what they zeroed at once.
 */
export const WRITE_SAME_BYTES_MAX: number = 16 * 1024 * 1024;

/** Descriptors of one UNMAP; Linux sends one, Windows up to 256. */
export const UNMAP_DESCRIPTORS_MAX: number = 256;

/** What one UNMAP frees in all (MAXIMUM UNMAP LBA COUNT): conformance tests take more than 2^20 for a mistake. */
export const UNMAP_BLOCKS_MAX: number = 1024 * 1024;

/** The longest data-out that a command has gathered before its handler looks at it: an UNMAP list, or one block. */
export const PARAMETER_BYTES_MAX: number = 8 * 1024;

/** VERIFY and WRITE SAME go through the range in steps of this many bytes, so that others get their turn. */
export const STEP_BYTES: number = 256 * 1024;

/** Runs of blocks that one GET LBA STATUS reports; the initiator asks again from where the answer ends. */
export const LBA_STATUS_DESCRIPTORS_MAX: number = 256;

/** I/O errors of one kind of one logical unit are logged this often at the most; what was left out is counted. */
export const ERROR_REPORT_INTERVAL_MS: number = 1000;

/**
 * Initiators of one target that are counted each by itself, the first ones that come; the others are counted together. Whoever
 * may log in under any name must not make metrics without bound.
 */
export const INITIATORS_COUNTED_MAX: number = 64;

/**
 * How long an initiator may come back that has lost its session, milliseconds: five times as long as Linux waits, as it comes, before it
 * tells file systems that their disk is gone.
 */
export const DEPARTED_MS_MAX = 600_000;

/** How many of them are remembered for a target: more than one has sessions as it comes. */
export const DEPARTED_INITIATORS_MAX = 256;
