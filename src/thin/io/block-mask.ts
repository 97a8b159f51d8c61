import type { Geometry } from "../format/geometry.ts";

/** Masks of a PARTIAL entry's blocks. Ranges are bytes from the beginning of the extent, not empty. All masks are unsigned. */

const ALL_BLOCKS = 0xffff_ffff;
const LAST_BIT = 31;

/** The blocks that a range touches. */
export function touchedBlocks(geometry: Geometry, fromBytes: number, toBytes: number): number {
  const first = Math.floor(fromBytes / geometry.maskBlockBytes);
  const last = Math.floor((toBytes - 1) / geometry.maskBlockBytes);
  return ((ALL_BLOCKS << first) & (ALL_BLOCKS >>> (LAST_BIT - last))) >>> 0;
}

/** Whether the mask has all of `blocks`. */
export function hasBlocks(mask: number, blocks: number): boolean {
  return (blocks & ~mask) === 0;
}

export function joinMasks(mask: number, blocks: number): number {
  return (mask | blocks) >>> 0;
}

/** Whether the block at `atBytes` is in the mask. */
export function hasBlockAt(geometry: Geometry, mask: number, atBytes: number): boolean {
  return ((mask >>> Math.floor(atBytes / geometry.maskBlockBytes)) & 1) === 1;
}

/** Where the run of blocks ends that are, all or none, in the mask as the one at `fromBytes` is; `toBytes` at the most. */
export function runEnd(
  geometry: Geometry,
  mask: number,
  fromBytes: number,
  toBytes: number,
): number {
  const { maskBlockBytes } = geometry;
  const isIn = hasBlockAt(geometry, mask, fromBytes);
  let at = (Math.floor(fromBytes / maskBlockBytes) + 1) * maskBlockBytes;
  while (at < toBytes && hasBlockAt(geometry, mask, at) === isIn) at += maskBlockBytes;
  return Math.min(at, toBytes);
}
