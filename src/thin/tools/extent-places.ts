import type { BlockDevice } from "../../device/block-device.ts";
import { BLOCK_BYTES, Geometry } from "../format/geometry.ts";
import type { Segment } from "../format/records.ts";

/** A place on a device; null: the device is missing. */
export interface Place {
  readonly device: BlockDevice | null;
  readonly offsetBytes: number;
}

/** Where the extents and metadata blocks of a pool lie, by its segments. For tools: pools that are in use have `AddressSpace`. */
export class ExtentPlaces {
  readonly geometry: Geometry;
  readonly extentCount: number;
  readonly segments: readonly Segment[];
  readonly #devices: readonly (BlockDevice | null)[];
  /** The number of each segment's first extent. */
  readonly #firsts: readonly number[];

  constructor(
    extentBytes: number,
    segments: readonly Segment[],
    devices: readonly (BlockDevice | null)[],
  ) {
    this.geometry = new Geometry(extentBytes);
    this.segments = segments;
    this.#devices = devices;
    const firsts: number[] = [];
    let count = 0;
    for (const { extents } of segments) {
      firsts.push(count);
      count += extents;
    }
    this.#firsts = firsts;
    this.extentCount = count;
  }

  get blockCount(): number {
    return this.extentCount * this.geometry.blocksPerExtent;
  }

  /** The segment's number and its first extent's. The extent is one of the pool. */
  segmentOf(phys: number): { index: number; first: number } {
    let index = this.#firsts.length - 1;
    while (index > 0 && (this.#firsts[index] ?? 0) > phys) index -= 1;
    return { index, first: this.#firsts[index] ?? 0 };
  }

  placeOf(phys: number): Place {
    const { index, first } = this.segmentOf(phys);
    const segment = this.segments[index];
    if (segment === undefined) return { device: null, offsetBytes: 0 };
    return {
      device: this.#devices[segment.device] ?? null,
      offsetBytes: segment.offsetBytes + (phys - first) * this.geometry.extentBytes,
    };
  }

  placeOfBlock(block: number): Place {
    const phys = this.extentOfBlock(block);
    const { device, offsetBytes } = this.placeOf(phys);
    const inExtent = block - phys * this.geometry.blocksPerExtent;
    return { device, offsetBytes: offsetBytes + inExtent * BLOCK_BYTES };
  }

  extentOfBlock(block: number): number {
    return Math.floor(block / this.geometry.blocksPerExtent);
  }

  /** Whether the block can hold a page. */
  hasBlock(block: number): boolean {
    return block > 0 && block < this.blockCount;
  }
}
