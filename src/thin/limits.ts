/** Limits of the thin engine, each with its reason. */

/** Devices of a pool: what the superblock's table holds. */
export const DEVICES_MAX = 32;

/** Runs of extents of a pool, one for each time that a device is added or grows: what a root page holds. */
export const SEGMENTS_MAX = 64;

/** Extents of a pool: map entries are 31 bits, of which one value means unmapped. 128 TiB at 64 KiB. */
export const EXTENTS_MAX: number = 2 ** 31 - 2;

/** Size of a volume. Far more than a pool can hold; keeps every byte offset exact in a double with room to spare. */
export const VOLUME_BYTES_MAX: number = 2 ** 50;

/** Size of a device. A larger one is used up to here. */
export const DEVICE_BYTES_MAX: number = 2 ** 50;

/** The head and tail that are kept free, the shortest journal, and a few extents for metadata and data. */
export const DEVICE_BYTES_MIN: number = 12 * 1024 * 1024;

/** Ids of volumes are never given twice: one snapshot a second lasts for 136 years. The one after the last is a number of 32 bits, too. */
export const VOLUME_ID_MAX: number = 2 ** 32 - 2;

/** Volumes of a pool: 16 directory pages of 252 pages of 15 volumes. */
export const VOLUMES_MAX: number = 16 * 252 * 15;

/** UTF-8 bytes of a name of a volume or pool: with its length it fills 128 bytes of a record. */
export const NAME_BYTES_MAX = 127;

/** Shares of space in use at which a pool can warn: what a root page holds. */
export const THRESHOLDS_MAX = 8;

/** The journal must hold two checkpoint intervals. */
export const JOURNAL_BYTES_MIN: number = 1024 * 1024;
export const JOURNAL_BYTES_DEFAULT: number = 64 * 1024 * 1024;

/** A replay reads all of it: 4 GiB are some seconds. */
export const JOURNAL_BYTES_MAX: number = 4 * 1024 * 1024 * 1024;

/**
 * Leaves of the maps of all volumes, mapped or not, each copy's counted anew: their ids take four bytes of memory each, 1 GiB in all. Enough
 * for 16,000 snapshots of 1 TiB.
 */
export const LEAF_SLOTS_MAX: number = 2 ** 28;
