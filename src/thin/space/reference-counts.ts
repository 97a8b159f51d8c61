import { assert } from "../../util/assert.ts";

/** A byte below this is a count. */
const COUNT_MAX = 250;
/** States that a count cannot have. */
const FREE = 252;
const PUNCHING = 253;
const METADATA = 254;
/** The count is in the overflow map. */
const OVERFLOW = 255;

/** What an extent is besides a number of references; "data" with no reference is one that was allocated and is not mapped yet. */
export type ExtentState = "data" | "free" | "punching" | "metadata";

const STATE_BYTE: Readonly<Record<ExtentState, number>> = {
  data: 0,
  free: FREE,
  punching: PUNCHING,
  metadata: METADATA,
};

/** Extents, as many as `count` says. */
export interface ExtentList {
  readonly extents: Uint32Array;
  count: number;
}

/**
 * One byte for each extent: how many entries refer to it, or what else it is. Keeping both in one byte is what makes every
 * reference to a free, punched or metadata extent fail where it happens.
 */
export class ReferenceCounts {
  #bytes: Uint8Array;
  readonly #overflow = new Map<number, number>();

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  get bytes(): number {
    return this.#bytes.byteLength;
  }

  get capacity(): number {
    return this.#bytes.length;
  }

  /** New extents are "data" without references until somebody says otherwise. */
  grow(capacity: number): void {
    assert(capacity >= this.#bytes.length, "a pool does not shrink");
    const bytes = new Uint8Array(capacity);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }

  references(phys: number): number {
    const value = this.#bytes[phys]!;
    if (value <= COUNT_MAX) return value;
    return value === OVERFLOW ? this.#overflow.get(phys)! : 0;
  }

  add(phys: number): void {
    const value = this.#bytes[phys]!;
    if (value < COUNT_MAX) this.#bytes[phys] = value + 1;
    else this.#addSlowly(phys, value);
  }

  /** The same; false where the extent is not one of data. */
  tryAdd(phys: number): boolean {
    if (this.#bytes[phys]! >= FREE && this.#bytes[phys]! !== OVERFLOW) return false;
    this.add(phys);
    return true;
  }

  /**
   * Adds a reference for each plain entry of a leaf from `start` on, in one tight loop: a pool has millions. Stops at an entry that is
   * not plain, or of which the extent is not one of data in `[first, end)`, and returns its index, or how many entries there are.
   */
  addAll(entries: Uint32Array, start: number, first: number, end: number): number {
    const bytes = this.#bytes;
    for (let index = start; index < entries.length; index += 1) {
      const entry = entries[index]!;
      if (entry === 0) continue;
      const phys = entry - 1;
      if (phys < first || phys >= end) return index;
      const value = bytes[phys]!;
      if (value < COUNT_MAX) bytes[phys] = value + 1;
      else if (value === COUNT_MAX || value === OVERFLOW) this.#addSlowly(phys, value);
      else return index;
    }
    return entries.length;
  }

  /**
   * Takes a reference away for each plain entry of a leaf from `start` on, in one tight loop. Extents that lose their last one become
   * free, and are appended to `freed`. Stops as {@link addAll} does at entries that need a closer look, which are also those that `pinned`
   * marks: a filter by the lowest bits of extents, its length a power of two.
   */
  dropAll(entries: Uint32Array, start: number, freed: ExtentList, pinned: Uint8Array): number {
    const bytes = this.#bytes;
    const mask = pinned.length - 1;
    const { extents } = freed;
    let { count } = freed;
    let index = start;
    for (; index < entries.length; index += 1) {
      const entry = entries[index]!;
      if (entry === 0) continue;
      const phys = entry - 1;
      if (pinned[phys & mask] !== 0) break;
      // Of a PARTIAL, which names an extent past the last one: undefined.
      const value = bytes[phys];
      if (value === 1) {
        bytes[phys] = FREE;
        extents[count] = phys;
        count += 1;
      } else if (value !== undefined && value > 1 && value <= COUNT_MAX) bytes[phys] = value - 1;
      else break;
    }
    freed.count = count;
    return index;
  }

  #addSlowly(phys: number, value: number): void {
    assert(value === COUNT_MAX || value === OVERFLOW, "only an extent of data has references");
    const count = value === OVERFLOW ? this.#overflow.get(phys)! : COUNT_MAX;
    this.#bytes[phys] = OVERFLOW;
    this.#overflow.set(phys, count + 1);
  }

  /** Takes one reference away; returns what is left. */
  drop(phys: number): number {
    const value = this.#bytes[phys]!;
    if (value > 0 && value <= COUNT_MAX) {
      this.#bytes[phys] = value - 1;
      return value - 1;
    }
    assert(value === OVERFLOW, "an extent loses no reference that it does not have");
    const left = this.#overflow.get(phys)! - 1;
    if (left > COUNT_MAX) {
      this.#overflow.set(phys, left);
    } else {
      this.#overflow.delete(phys);
      this.#bytes[phys] = left;
    }
    return left;
  }

  state(phys: number): ExtentState {
    const value = this.#bytes[phys];
    if (value === FREE) return "free";
    if (value === PUNCHING) return "punching";
    return value === METADATA ? "metadata" : "data";
  }

  /** From one state to another; an extent with references has to lose them first. */
  change(phys: number, from: ExtentState, to: ExtentState): void {
    assert(this.#bytes[phys] === STATE_BYTE[from], "an extent is what it is taken for");
    this.#bytes[phys] = STATE_BYTE[to];
  }

  /** Extents `first` to `end` - 1 become free if they have neither references nor metadata; calls back with each. */
  freeUnused(first: number, end: number, callback: (phys: number) => void): void {
    const words = this.#words();
    for (let phys = first; phys < end; phys += 1) {
      // At the opening of a full pool nearly all are in use: four at a time.
      while ((phys & 3) === 0 && phys + 4 <= end && hasNoZeroByte(words[phys >>> 2])) phys += 4;
      if (phys >= end) break;
      if (this.#bytes[phys] !== 0) continue;
      this.#bytes[phys] = FREE;
      callback(phys);
    }
  }

  /** Whole words of four extents; the last extents may be in none. */
  #words(): Uint32Array {
    return new Uint32Array(this.#bytes.buffer, 0, this.#bytes.length >>> 2);
  }

  /** Forgets all counts; free and punched extents are counted anew as well, metadata stays. */
  clear(): void {
    const words = this.#words();
    for (let phys = 0; phys < this.#bytes.length; phys += 1) {
      // At the opening of a pool nothing has been counted yet.
      while ((phys & 3) === 0 && words[phys >>> 2] === 0) phys += 4;
      if (phys < this.#bytes.length && this.#bytes[phys] !== METADATA) this.#bytes[phys] = 0;
    }
    this.#overflow.clear();
  }
}

/** Of a word, or of undefined past the last one. */
function hasNoZeroByte(word: number | undefined): boolean {
  return word !== undefined && ((word - 0x0101_0101) & ~word & 0x8080_8080) === 0;
}
