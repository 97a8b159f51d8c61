/** Bounds of the configuration, each with its reason. */

/** A file of this size describes some ten thousand targets; a larger one was given by mistake. */
export const CONFIG_BYTES_MAX: number = 4 * 1024 * 1024;

/** A file with one secret in it. */
export const SECRET_FILE_BYTES_MAX = 4096;

/** Portals: an address of each network of a host, some ports each. */
export const PORTALS_MAX = 256;

/** Targets: discovery answers with all of them. */
export const TARGETS_MAX = 16_384;

/** LUNs of one target that are configured; more can be addressed than hosts scan in reasonable time. */
export const LUNS_MAX = 4096;

/** The smallest disk: one block of 4096 bytes. */
export const VOLUME_BYTES_MIN = 4096;

/** Sizes stay exact numbers, and a file system's largest file is far below. */
export const VOLUME_BYTES_MAX: number = 4 * 2 ** 50;

/** Sizes are multiples of the smallest logical block, so that no byte of a disk is out of reach. */
export const VOLUME_SIZE_STEP_BYTES = 512;

/** A device of a pool: what 2^32 of the smallest extents would need, rounded down to a size that people say. */
export const POOL_DEVICE_BYTES_MAX: number = 2 ** 45;

/** Thresholds of a pool that are told apart; more would be noise. */
export const THRESHOLDS_MAX = 8;

/** Initiators give up long before. */
export const FULL_RETRY_SECONDS_MAX = 86_400;

/** A pool that promises a thousand times what it has, ten times over, has no limit. */
export const OVERCOMMIT_MAX = 10_000;

/** Words of a command: whoever needs more writes a script. */
export const COMMAND_WORDS_MAX = 64;

/** A command that makes space; what takes longer is better done before it is asked for. */
export const COMMAND_SECONDS_MAX = 3600;

/** A delay for tests: longer than every time limit of an initiator. */
export const DELAY_MS_MAX = 600_000;

/** Accounts that are kept for being bound: one for each initiator of a large site. */
export const ACCOUNTS_MAX = 4096;
