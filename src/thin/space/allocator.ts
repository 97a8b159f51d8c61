import { assert } from "../../util/assert.ts";
import type { AddressSpace } from "./address-space.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { ExtentBitmap } from "./extent-bitmap.ts";

/** The extents that can be allocated: next-fit from the front to the back, in runs, with what is known of their content. */
export class Allocator {
  readonly #addresses: AddressSpace;
  readonly #free: ExtentBitmap;
  /** Free extents that are zeros on the media. */
  readonly #zero: ExtentBitmap;
  #cursor = 0;
  #discardCursor = 0;
  /** Where the extents of segments begin that the checkpoint under way does not have: past the end where it has all, or none runs. */
  #newFrom = Infinity;
  /** Of the run that {@link take} has returned last. */
  lastRun = 0;
  lastIsZero = false;

  constructor(addresses: AddressSpace) {
    this.#addresses = addresses;
    this.#free = new ExtentBitmap(addresses.extentCount);
    this.#zero = new ExtentBitmap(addresses.extentCount);
  }

  get freeExtents(): number {
    return this.#free.count;
  }

  get zeroExtents(): number {
    return this.#zero.count;
  }

  get bytes(): number {
    return this.#free.bytes + this.#zero.bytes;
  }

  grow(): void {
    this.#free.grow(this.#addresses.extentCount);
    this.#zero.grow(this.#addresses.extentCount);
  }

  isFree(phys: number): boolean {
    return this.#free.has(phys);
  }

  isZero(phys: number): boolean {
    return this.#zero.has(phys);
  }

  add(phys: number, isZero: boolean): void {
    this.#free.add(phys);
    if (isZero) this.#zero.add(phys);
  }

  /** Free extents of unknown content: of a word of 32 extents, those of which the bit is set. */
  addBits(word: number, bits: number): void {
    this.#free.addBits(word, bits);
  }

  addRange(first: number, end: number, isZero: boolean): void {
    this.#free.addRange(first, end);
    if (isZero) this.#zero.addRange(first, end);
  }

  clear(): void {
    this.#free.clear();
    this.#zero.clear();
    this.#cursor = 0;
  }

  /** A checkpoint begins that has the segments of now: until {@link endCheckpoint} its pages lie in those. */
  beginCheckpoint(): void {
    this.#newFrom = this.#addresses.extentCount;
  }

  endCheckpoint(): void {
    this.#newFrom = Infinity;
  }

  get #isGrown(): boolean {
    return this.#newFrom < this.#addresses.extentCount;
  }

  /**
   * Takes up to `runMax` consecutive extents of one segment for data, all of them zeros or none known to be; returns the first, or
   * NO_EXTENT where all are taken.
   */
  take(runMax: number): number {
    if (this.#isGrown) {
      // What the checkpoint under way does not have comes first: the others are what is kept for its pages, and what is there besides.
      const first = this.#takeRun(this.#newFrom, Infinity, runMax);
      if (first !== NO_EXTENT) return first;
    }
    return this.#takeRun(0, Infinity, runMax);
  }

  /** The same for pages of the checkpoint under way. */
  takeForMetadata(runMax: number): number {
    return this.#takeRun(0, this.#newFrom, runMax);
  }

  /** Takes a run that begins between `from` and `end`, where a segment begins or ends. */
  #takeRun(from: number, end: number, runMax: number): number {
    assert(runMax >= 1, "an allocation asks for something");
    let first = this.#free.next(Math.max(this.#cursor, from));
    if (first < 0 || first >= end) first = this.#free.next(from);
    if (first < 0 || first >= end) return NO_EXTENT;
    const isZero = this.#zero.delete(first);
    this.#free.delete(first);
    let run = 1;
    while (run < runMax && this.#isNext(first, run, isZero)) {
      this.#free.delete(first + run);
      if (isZero) this.#zero.delete(first + run);
      run += 1;
    }
    this.#cursor = first + run;
    this.lastRun = run;
    this.lastIsZero = isZero;
    return first;
  }

  /** Takes up to `extentsMax` consecutive free extents of one segment that are not known to be zeros, and that no checkpoint waits for. */
  takeUnknown(extentsMax: number): { first: number; count: number } | null {
    if (this.#free.count === this.#zero.count) return null;
    const from = this.#isGrown ? this.#newFrom : 0;
    let first = this.#nextUnknown(Math.max(this.#discardCursor, from));
    if (first < 0) first = this.#nextUnknown(from);
    if (first < 0) return null;
    this.#free.delete(first);
    let count = 1;
    while (count < extentsMax && this.#isNext(first, count, false)) {
      this.#free.delete(first + count);
      count += 1;
    }
    this.#discardCursor = first + count;
    return { first, count };
  }

  #isNext(first: number, run: number, isZero: boolean): boolean {
    const phys = first + run;
    return (
      phys < this.#addresses.extentCount &&
      this.#free.has(phys) &&
      this.#zero.has(phys) === isZero &&
      this.#addresses.contiguous(first, run + 1)
    );
  }

  #nextUnknown(from: number): number {
    let phys = this.#free.next(from);
    while (phys >= 0 && this.#zero.has(phys)) phys = this.#free.next(phys + 1);
    return phys;
  }
}
