/** Limits of the members of a pool, each with its reason. */

/** Smaller than this, journal, reserved ends and metadata would leave next to nothing. */
export const MEMBER_BYTES_MIN: number = 64 * 1024 * 1024;

/** Between two heartbeats. Short beside what a takeover waits, long beside a write. */
export const HEARTBEAT_INTERVAL_MS = 1000;

/** An owner whose heartbeat is later than this stops by itself: half of what a takeover watches for. */
export const HEARTBEAT_LATE_MS = 5000;

/** Intervals that a takeover watches. ZFS waits for 20 of them, to allow for slower writes. */
export const WATCH_INTERVALS = 10;

/**
 * How long a claim looks for others' heartbeats before it writes its own, and again afterwards: long enough for two of them, and for
 * others that began at the same time to have written theirs.
 */
export const CLAIM_MS = 2500;

/** Backups copy what is not zeros, in pieces of this size. */
export const BACKUP_PIECE_BYTES: number = 64 * 1024;

/** Backups of one name and one moment: more than devices are wiped at a time. With that many, something else is wrong. */
export const BACKUPS_OF_A_NAME_MAX = 64;

/** A name that an administrator typed is a type, a colon and an identity: longer than any is a mistake. */
export const CONSENT_NAME_LENGTH_MAX = 200;
