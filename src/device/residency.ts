import { assert } from "../util/assert.ts";
import { COLD_READS_IN_A_ROW_MAX, RESIDENCY_REGIONS_MAX } from "./limits.ts";

/** One bit stands for this: a page of the page cache. */
export const GRANULE_BYTES = 4096;

const GRANULES_PER_WORD = 32;
const WORDS_PER_REGION = 1024;
const GRANULES_PER_REGION = GRANULES_PER_WORD * WORDS_PER_REGION;

/** What one region of the map covers: 128 MiB. */
export const REGION_BYTES: number = GRANULES_PER_REGION * GRANULE_BYTES;

/** The bits of one word from `first` up to, not including, `end`; both within 0 to 32. */
function maskOf(first: number, end: number): number {
  return (0xffff_ffff << first) & (0xffff_ffff >>> (GRANULES_PER_WORD - end));
}

/**
 * Which pages are expected in the kernel's page cache. Nobody can ask the kernel without native code (mincore), and an
 * answer would be stale at once, so this is tracked: what went through us is there, until a read turns out to be slow.
 * A wrong guess costs time, never data.
 */
export class ResidencyMap {
  readonly #inMemory: boolean;
  #regions: (Uint32Array | undefined)[] = [];
  #count = 0;
  #coldReadsInARow = 0;

  /** `inMemory`: there is nothing but the page cache (tmpfs), so that all of it is resident, whatever a clock says. */
  constructor(inMemory: boolean = false) {
    this.#inMemory = inMemory;
  }

  /** Whether all of the range is expected to be resident. False for an empty range, which asks nothing. */
  covers(offsetBytes: number, lengthBytes: number): boolean {
    let granule = Math.floor(offsetBytes / GRANULE_BYTES);
    const end = Math.ceil((offsetBytes + lengthBytes) / GRANULE_BYTES);
    if (granule >= end) return false;
    if (this.#inMemory) return true;
    while (granule < end) {
      const index = Math.floor(granule / GRANULES_PER_REGION);
      const region = this.#regions[index];
      if (region === undefined) return false;
      const base = index * GRANULES_PER_REGION;
      let bit = granule - base;
      const endBit = Math.min(end - base, GRANULES_PER_REGION);
      while (bit < endBit) {
        const first = bit & 31;
        const last = Math.min(GRANULES_PER_WORD, first + endBit - bit);
        const mask = maskOf(first, last);
        if ((region[bit >>> 5]! & mask) !== mask) return false;
        bit += last - first;
      }
      granule = base + endBit;
    }
    return true;
  }

  /** The range was read or written: every page that it touches is in the cache now. */
  add(offsetBytes: number, lengthBytes: number): void {
    if (this.#inMemory) return;
    let granule = Math.floor(offsetBytes / GRANULE_BYTES);
    const end = Math.ceil((offsetBytes + lengthBytes) / GRANULE_BYTES);
    while (granule < end) {
      const index = Math.floor(granule / GRANULES_PER_REGION);
      const region = this.#regions[index] ?? this.#addRegion(index);
      const base = index * GRANULES_PER_REGION;
      let bit = granule - base;
      const endBit = Math.min(end - base, GRANULES_PER_REGION);
      while (bit < endBit) {
        const first = bit & 31;
        const last = Math.min(GRANULES_PER_WORD, first + endBit - bit);
        region[bit >>> 5]! |= maskOf(first, last);
        bit += last - first;
      }
      granule = base + endBit;
    }
  }

  /**
   * Nothing of the range is expected any more. Cheap for a range of any size: whole regions are dropped, and at its
   * edges whole words (128 KiB), because pages leave the cache in company.
   */
  remove(offsetBytes: number, lengthBytes: number): void {
    assert(offsetBytes >= 0 && lengthBytes >= 0, "a range to forget is a range");
    const start = Math.floor(offsetBytes / GRANULE_BYTES);
    const end = Math.ceil((offsetBytes + lengthBytes) / GRANULE_BYTES);
    const lastRegion = Math.min(Math.ceil(end / GRANULES_PER_REGION), this.#regions.length);
    for (let index = Math.floor(start / GRANULES_PER_REGION); index < lastRegion; index += 1) {
      const base = index * GRANULES_PER_REGION;
      const firstBit = Math.max(start - base, 0);
      const endBit = Math.min(end - base, GRANULES_PER_REGION);
      if (firstBit === 0 && endBit === GRANULES_PER_REGION) this.#dropRegion(index);
      else this.#regions[index]?.fill(0, firstBit >>> 5, Math.ceil(endBit / 32));
    }
  }

  /** A read that was expected to be resident was fast. */
  foundResident(): void {
    this.#coldReadsInARow = 0;
  }

  /**
   * A read that was expected to be resident was slow. Once, that may be the scheduler's doing, so only the range is
   * given up; several in a row mean that the whole region is in doubt.
   */
  foundCold(offsetBytes: number, lengthBytes: number): void {
    this.#coldReadsInARow += 1;
    if (this.#coldReadsInARow >= COLD_READS_IN_A_ROW_MAX) {
      this.#coldReadsInARow = 0;
      this.#dropRegion(Math.floor(offsetBytes / REGION_BYTES));
    }
    this.remove(offsetBytes, lengthBytes);
  }

  #addRegion(index: number): Uint32Array {
    // More than the limit in use at once means more than any page cache holds: begin afresh.
    if (this.#count >= RESIDENCY_REGIONS_MAX) {
      this.#regions = [];
      this.#count = 0;
    }
    const region = new Uint32Array(WORDS_PER_REGION);
    this.#regions[index] = region;
    this.#count += 1;
    return region;
  }

  #dropRegion(index: number): void {
    if (this.#regions[index] === undefined) return;
    this.#regions[index] = undefined;
    this.#count -= 1;
  }
}
