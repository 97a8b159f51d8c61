import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import type { Geometry } from "../format/geometry.ts";
import type { Segment } from "../format/records.ts";
import { EXTENTS_MAX, SEGMENTS_MAX } from "../limits.ts";
import { PoolError } from "../pool-error.ts";

/**
 * Where the pool's extents are: they are numbered through all segments in their order. Devices come by their index in the pool;
 * one that is being added is offered with {@link addDevice} before the record that makes a segment of it.
 */
export class AddressSpace {
  readonly geometry: Geometry;
  readonly #segments: Segment[] = [];
  readonly #devices: BlockDevice[];
  /** The first extent of each segment, and behind them the number of all extents. */
  readonly #firsts: number[] = [0];
  /** Of the extent that was looked for last: the next one is most often near it, and a pool that has grown often has many. */
  #lastSegment = 0;

  constructor(geometry: Geometry, segments: readonly Segment[], devices: readonly BlockDevice[]) {
    this.geometry = geometry;
    this.#devices = [...devices];
    for (const segment of segments) this.addSegment(segment);
  }

  get extentCount(): number {
    return this.#firsts[this.#segments.length]!;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get devices(): readonly BlockDevice[] {
    return this.#devices;
  }

  /** Makes a device known, so that a segment can be added on it; returns its index. */
  addDevice(device: BlockDevice): number {
    this.#devices.push(device);
    return this.#devices.length - 1;
  }

  /** Adds a segment at the end. Throws {@link PoolError} "corrupt" or "missing" where it cannot be. */
  addSegment(segment: Segment): void {
    const { device, offsetBytes, extents, virginFrom } = segment;
    if (this.#devices[device] === undefined) {
      throw new PoolError(
        "missing",
        `the pool has extents on device ${device}, which is not there`,
      );
    }
    const isSane =
      isCount(offsetBytes) && isCount(extents) && isCount(virginFrom) && virginFrom <= extents;
    if (!isSane || extents === 0 || this.extentCount + extents > EXTENTS_MAX) {
      throw new PoolError("corrupt", `a segment of ${extents} extents on device ${device}`);
    }
    if (this.#segments.length >= SEGMENTS_MAX) {
      throw new PoolError("corrupt", `more than ${SEGMENTS_MAX} segments`);
    }
    this.#firsts.push(this.extentCount + extents);
    this.#segments.push(segmentWith(segment, virginFrom));
  }

  /** The first extent of a segment. */
  firstOf(segment: number): number {
    const first = this.#firsts[segment];
    assert(first !== undefined && segment < this.#segments.length, "a segment is there");
    return first;
  }

  segmentOf(phys: number): number {
    const last = this.#lastSegment;
    if (phys >= this.#firsts[last]! && phys < this.#firsts[last + 1]!) return last;
    assert(phys >= 0 && phys < this.extentCount, "an extent is one of the pool's");
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (phys >= this.#firsts[middle]!) low = middle;
      else high = middle - 1;
    }
    this.#lastSegment = low;
    return low;
  }

  deviceIndexOf(phys: number): number {
    return this.#segments[this.segmentOf(phys)]!.device;
  }

  deviceOf(phys: number): BlockDevice {
    return this.#devices[this.deviceIndexOf(phys)]!;
  }

  /** Where the extent begins on its device, in bytes. */
  offsetOf(phys: number): number {
    const index = this.segmentOf(phys);
    const place = phys - this.#firsts[index]!;
    return this.#segments[index]!.offsetBytes + place * this.geometry.extentBytes;
  }

  /** Whether a run of extents is one range of bytes on one device. */
  contiguous(phys: number, run: number): boolean {
    return phys >= 0 && phys + run <= this.#firsts[this.segmentOf(phys) + 1]!;
  }

  /** Whether the extents are there, in one segment, and below the segment's virgin mark. */
  isMappable(phys: number, run: number): boolean {
    if (phys < 0 || run < 1 || phys + run > this.extentCount) return false;
    const index = this.segmentOf(phys);
    return phys + run <= this.#firsts[index]! + this.#segments[index]!.virginFrom;
  }

  /** The mark as it is in the pool's maps; see {@link Segment}. */
  setVirginFrom(segment: number, from: number): void {
    const before = this.#segments[segment];
    assert(before !== undefined, "a segment is there");
    assert(from >= before.virginFrom && from <= before.extents, "a virgin mark goes forward");
    this.#segments[segment] = segmentWith(before, from);
  }
}

/** Field by field: copies by a spread have shapes of their own, and each new one would throw away what the compiler made of the data path. */
function segmentWith({ device, offsetBytes, extents }: Segment, virginFrom: number): Segment {
  return { device, offsetBytes, extents, virginFrom };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
