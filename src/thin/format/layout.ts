import { assert } from "../../util/assert.ts";
import { BLOCK_BYTES } from "./geometry.ts";

/** Where things are on a device and in a page. FORMAT.md is the same in words. Offsets and sizes in bytes. */

const KIB = 1024;
const MIB: number = 1024 * KIB;

/** Never holds data: what a guest writes must not look like a label of the host's disk. */
export const HEAD_BYTES: number = 8 * MIB;
/** Kept free at the end of a device for the same reason. */
export const TAIL_BYTES: number = 2 * MIB;

/** Between the two slots of a superblock: no single misdirected or torn write, nor a bad track, meets both. */
const SLOT_DISTANCE_BYTES: number = 64 * KIB;
const TAIL_SLOT_BYTES: number = 1.5 * MIB;

/** The two places at the head; a superblock of generation g is written to the place g % 2. */
export const SUPERBLOCK_OFFSETS: readonly [number, number] = [
  3 * MIB,
  3 * MIB + SLOT_DISTANCE_BYTES,
];
/** Rewritten by the owner while a pool on shared storage is open. */
export const HEARTBEAT_OFFSET: number = 3 * MIB + 2 * SLOT_DISTANCE_BYTES;
/** On device 0. */
export const JOURNAL_OFFSET_BYTES: number = 8 * MIB;
/** Segments begin at a multiple of this. */
export const SEGMENT_ALIGNMENT_BYTES: number = MIB;

/** The two places of a superblock's copies at the end of a device of this size. */
export function tailOffsets(sizeBytes: number): readonly [number, number] {
  const end = sizeBytes - (sizeBytes % BLOCK_BYTES);
  return [end - TAIL_SLOT_BYTES, end - TAIL_SLOT_BYTES + SLOT_DISTANCE_BYTES];
}

export const PAGE_HEADER_BYTES = 64;
/** Room in a page behind its header. */
export const PAGE_ROOM_BYTES: number = BLOCK_BYTES - PAGE_HEADER_BYTES;

/** Extents that a leaf maps. */
export const LEAF_ENTRIES = 1008;
export const LEAF_ENTRY_BYTES = 4;
/** The bit of a leaf's entry that says PARTIAL; the others are the extent's number plus one, 0: unmapped. */
export const PARTIAL_FLAG = 0x8000_0000;
assert(LEAF_ENTRIES * LEAF_ENTRY_BYTES === PAGE_ROOM_BYTES, "entries fill a leaf");

export const POINTER_BYTES = 16;
/** Leaves under a node of level 1: each has pointers to the leaf and its two side pages. */
export const NODE_LEAVES = 84;
export const LEAF_POINTERS_BYTES: number = 3 * POINTER_BYTES;
assert(NODE_LEAVES * LEAF_POINTERS_BYTES === PAGE_ROOM_BYTES, "leaf pointers fill a node");

/** Children of a node of level 2 and up, and of a directory page. */
export const NODE_POINTERS = 252;
assert(NODE_POINTERS * POINTER_BYTES === PAGE_ROOM_BYTES, "pointers fill a node");

export const VOLUMES_PER_PAGE = 15;
export const VOLUME_RECORD_BYTES = 256;
/** In a volumes page: the count, then room for more, then the records. */
export const VOLUME_RECORDS_OFFSET = 128;
assert(
  VOLUME_RECORDS_OFFSET + VOLUMES_PER_PAGE * VOLUME_RECORD_BYTES <= BLOCK_BYTES,
  "volume records fit into a page",
);

/** Directory pages of a root. */
export const DIRECTORIES_MAX = 16;

/** Levels of nodes over a volume's leaves; 84 x 252^4 leaves are more than any volume has. */
export const DEPTH_MAX = 5;

/** Leaves under one node of a level, 1 and up. */
export function leavesUnder(level: number): number {
  return NODE_LEAVES * NODE_POINTERS ** (level - 1);
}

/** Levels of nodes that so many leaves need: 0 for none, 1 for up to 84. */
export function depthFor(leafCount: number): number {
  let depth = 0;
  while (depth < DEPTH_MAX && (depth === 0 ? 0 : leavesUnder(depth)) < leafCount) depth += 1;
  return depth;
}

/** A field: where it begins and how many bytes it takes. */
export type Field = readonly [offset: number, lengthBytes: number];

/**
 * Checks at load that the named fields, reserved ranges included, tile a structure without gap or overlap: a slip of the pen
 * stops the program instead of corrupting a pool.
 */
export function checkLayout(
  name: string,
  fields: Readonly<Record<string, Field>>,
  lengthBytes: number,
): void {
  const sorted = Object.values(fields).toSorted((a, b) => a[0] - b[0]);
  let end = 0;
  for (const [offset, fieldBytes] of sorted) {
    if (offset !== end) throw new RangeError(`${name}: fields do not tile it at byte ${end}`);
    end = offset + fieldBytes;
  }
  if (end !== lengthBytes) throw new RangeError(`${name}: ends at ${end}, not at ${lengthBytes}`);
}
