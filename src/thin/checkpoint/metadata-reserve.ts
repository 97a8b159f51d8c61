import type { Geometry } from "../format/geometry.ts";
import { DIRTY_PAGES_MAX } from "./limits.ts";

/** Of the pool's extents, as a share, and in bytes at the most. Maps of full leaves take a 16,000th; the rest is for sparse ones. */
const RESERVE_SHARE = 1 / 100;
const RESERVE_BYTES_MAX: number = 1024 * 1024 * 1024;

/** Small pools keep a larger share, as far as this many extents. */
const SMALL_SHARE = 1 / 8;
const SMALL_EXTENTS_MAX = 64;

/** And as many blocks as three checkpoints need that write a change or two each, as far as this share of a pool of a few extents. */
const RESERVE_BLOCKS_MIN = 64;
const RESERVE_SHARE_MAX = 1 / 3;

/**
 * Places become free again two checkpoints later: three blocks for a dirty page or node. Half of the reserve is for changes that need
 * no space for data and still make maps larger (an unmap from a leaf that is shared).
 */
const BLOCKS_PER_DIRTY_PAGE = 8;

/** What the last group of records before the limit makes dirty besides: see `PAGES_PER_CHANGE` of the space. */
const DIRTY_PAGES_OVER = 8;

/** Without them a pool of a few extents would stand still. */
const DIRTY_PAGES_MIN = 2;

/** Extents that data may not take, so that there is always room for checkpoints. */
export function metadataReserve(extentCount: number, geometry: Geometry): number {
  const small = Math.min(Math.ceil(extentCount * SMALL_SHARE), SMALL_EXTENTS_MAX);
  const share = Math.ceil(extentCount * RESERVE_SHARE);
  const least = Math.ceil(RESERVE_BLOCKS_MIN / geometry.blocksPerExtent);
  const floor = Math.min(least, Math.floor(extentCount * RESERVE_SHARE_MAX));
  return Math.min(Math.max(share, small, floor), RESERVE_BYTES_MAX / geometry.extentBytes);
}

/** Dirty pages that a checkpoint within this reserve can write. */
export function dirtyPagesFor(reserveExtents: number, geometry: Geometry): number {
  const blocks = reserveExtents * geometry.blocksPerExtent;
  const pages = Math.floor(blocks / BLOCKS_PER_DIRTY_PAGE) - DIRTY_PAGES_OVER;
  return Math.min(DIRTY_PAGES_MAX, Math.max(DIRTY_PAGES_MIN, pages));
}
