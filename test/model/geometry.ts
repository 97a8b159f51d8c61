/**
 * A universe small enough that a random walk meets itself: three blocks an extent instead of sixteen, two sectors a
 * block instead of eight. Every rule is about "some" and "the rest", for which three is enough.
 */
export const BLOCKS_PER_EXTENT = 3;
export const SECTORS_PER_BLOCK = 2;
export const SECTORS_PER_EXTENT: number = BLOCKS_PER_EXTENT * SECTORS_PER_BLOCK;

/** The mask of an entry whose blocks all live in its own extent. */
export const FULL_MASK: number = (1 << BLOCKS_PER_EXTENT) - 1;

/** Where an entry has no extent: the blocks outside its mask read as zeros. */
export const HOLE = -1;

export const EXTENTS_PER_VOLUME = 3;
export const VOLUMES_MAX = 4;

/** Blocks of the journal ring: few, so that it wraps within a history. */
export const JOURNAL_BLOCKS = 16;

/** Appends stop and a checkpoint runs when only so many blocks are left. */
export const JOURNAL_RESERVE = 3;

/** Places for leaves: three generations of each volume (two that count, one being written), and some that stay free. */
export const LEAF_SLOTS: number = 3 * VOLUMES_MAX + 2;

/** Places for roots: as many generations. */
export const ROOT_SLOTS = 3;

/** Extents on each device. The last device is added to the pool while it runs. */
export const EXTENTS_OF_DEVICE: readonly number[] = [4, 4, 3];
export const DEVICES: number = EXTENTS_OF_DEVICE.length;
export const DEVICES_AT_START: number = DEVICES - 1;
export const EXTENTS: number = EXTENTS_OF_DEVICE.reduce((sum, count) => sum + count, 0);

/** The device that holds superblocks, checkpoints and journal. */
export const METADATA_DEVICE = 0;

/** The extents of the first device, which hold zeros from the mark on that no allocation has passed. */
export const VIRGIN_END: number = EXTENTS_OF_DEVICE[METADATA_DEVICE] ?? 0;

/** Where the mark stands in a new pool. */
export const VIRGIN_FROM = 1;

/** A cell is what the disk writes in one piece: a sector of data, or a 4 KiB block of metadata. */
const SUPERBLOCK_CELL = 0;
const ROOT_CELL = 2;
const LEAF_CELL: number = ROOT_CELL + ROOT_SLOTS;
const JOURNAL_CELL: number = LEAF_CELL + LEAF_SLOTS;
const LABEL_CELL: number = JOURNAL_CELL + JOURNAL_BLOCKS;
const DATA_CELL: number = LABEL_CELL + DEVICES;
export const METADATA_CELLS: number = DATA_CELL;
export const CELLS: number = DATA_CELL + EXTENTS * SECTORS_PER_EXTENT;

export const superblockCell = (generation: number): number => SUPERBLOCK_CELL + (generation & 1);
export const rootCell = (slot: number): number => ROOT_CELL + slot;
export const leafCell = (slot: number): number => LEAF_CELL + slot;
export const journalCell = (seq: number): number => JOURNAL_CELL + (seq % JOURNAL_BLOCKS);
export const labelCell = (device: number): number => LABEL_CELL + device;
export const dataCell = (extent: number, block: number, sector: number): number =>
  DATA_CELL + extent * SECTORS_PER_EXTENT + block * SECTORS_PER_BLOCK + sector;

const DEVICE_OF_EXTENT: readonly number[] = EXTENTS_OF_DEVICE.flatMap((count, device) =>
  Array.from({ length: count }, () => device),
);

const DEVICE_OF_CELL: readonly number[] = Array.from({ length: CELLS }, (_, cell) => {
  if (cell < LABEL_CELL) return METADATA_DEVICE;
  if (cell < DATA_CELL) return cell - LABEL_CELL;
  return deviceOfExtent(Math.floor((cell - DATA_CELL) / SECTORS_PER_EXTENT));
});

export function deviceOfExtent(extent: number): number {
  return DEVICE_OF_EXTENT[extent] ?? DEVICES;
}

export function deviceOfCell(cell: number): number {
  return DEVICE_OF_CELL[cell] ?? DEVICES;
}

/** The extents of one device, in order. */
export function extentsOf(device: number): number[] {
  return DEVICE_OF_EXTENT.flatMap((owner, extent) => (owner === device ? [extent] : []));
}
