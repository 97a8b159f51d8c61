import { assert } from "../../util/assert.ts";

/** A block of metadata, and the smallest unit that a PARTIAL entry tells apart, in bytes. */
export const BLOCK_BYTES = 4096;

export const EXTENT_BYTES_MIN: number = 16 * 1024;
export const EXTENT_BYTES_MAX: number = 1024 * 1024;
export const EXTENT_BYTES_DEFAULT: number = 64 * 1024;

/** No extent: a hole under a PARTIAL entry, or an allocation that failed. */
export const NO_EXTENT = -1;

/** Bits of a PARTIAL entry's mask: what one word of a journal record and of a leaf's side page holds. */
const MASK_BITS_MAX = 32;

/** The sizes that follow from a pool's extent size. */
export class Geometry {
  readonly extentBytes: number;
  /** log2 of `extentBytes`. */
  readonly extentShift: number;
  /** Metadata blocks of an extent. */
  readonly blocksPerExtent: number;
  /** What one bit of a mask stands for, in bytes: 4 KiB up to extents of 128 KiB, a 32nd of the extent above. */
  readonly maskBlockBytes: number;
  /** Bits of a mask: 4 to 32. */
  readonly maskBlocks: number;
  /** The mask of a complete extent, unsigned. */
  readonly fullMask: number;

  constructor(extentBytes: number) {
    assert(isExtentSize(extentBytes), "an extent is a power of two, 16 KiB to 1 MiB");
    this.extentBytes = extentBytes;
    this.extentShift = Math.log2(extentBytes);
    this.blocksPerExtent = extentBytes / BLOCK_BYTES;
    this.maskBlocks = Math.min(this.blocksPerExtent, MASK_BITS_MAX);
    this.maskBlockBytes = extentBytes / this.maskBlocks;
    this.fullMask = 2 ** this.maskBlocks - 1;
  }
}

export function isExtentSize(bytes: number): boolean {
  return (
    bytes >= EXTENT_BYTES_MIN && bytes <= EXTENT_BYTES_MAX && Number.isInteger(Math.log2(bytes))
  );
}
