import type { Geometry } from "../format/geometry.ts";
import { DIRTY_PAGES_MAX } from "./limits.ts";

/** Of the pool's extents, as a share, and in bytes at the most. Maps of full leaves take a 16,000th; the rest is for sparse ones. */
const RESERVE_SHARE = 1 / 100;
const RESERVE_BYTES_MAX: number = 1024 * 1024 * 1024;

/** Small pools keep a larger share, as far as this many extents. */
const SMALL_SHARE = 1 / 8;
const SMALL_EXTENTS_MAX = 64;

/**
 * Each dirty page may take another for the node above it, and places become free again two checkpoints later: three times two blocks for
 * a page, and some for volumes and root.
 */
const BLOCKS_PER_DIRTY_PAGE = 8;

/** Two leaves with their side pages: without them a pool of a few extents would stand still. */
const DIRTY_PAGES_MIN = 6;

/** Extents that data may not take, so that there is always room for checkpoints. */
export function metadataReserve(extentCount: number, geometry: Geometry): number {
  const small = Math.min(Math.ceil(extentCount * SMALL_SHARE), SMALL_EXTENTS_MAX);
  const share = Math.ceil(extentCount * RESERVE_SHARE);
  return Math.min(Math.max(share, small), RESERVE_BYTES_MAX / geometry.extentBytes);
}

/** Dirty pages that a checkpoint within this reserve can write. */
export function dirtyPagesFor(reserveExtents: number, geometry: Geometry): number {
  const blocks = reserveExtents * geometry.blocksPerExtent;
  const pages = Math.floor(blocks / BLOCKS_PER_DIRTY_PAGE);
  return Math.min(DIRTY_PAGES_MAX, Math.max(DIRTY_PAGES_MIN, pages));
}
