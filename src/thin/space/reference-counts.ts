import { assert } from "../../util/assert.ts";
import { WORD_MASK, WORD_SHIFT, wordMask } from "./extent-bitmap.ts";

/** A byte up to this is a count. */
const COUNT_MAX = 250;
/** States that a count cannot have. */
const PUNCHING = 253;
const METADATA = 254;
/** The count is in the overflow map. */
const OVERFLOW = 255;

/** Bytes for extents of which the bits do not say all come in chunks of this many. */
const CHUNK_SHIFT = 12;
const CHUNK_EXTENTS: number = 1 << CHUNK_SHIFT;
const CHUNK_MASK: number = CHUNK_EXTENTS - 1;

/** What an extent is besides a number of references; "data" with no reference is one that was allocated and is not mapped yet. */
export type ExtentState = "data" | "free" | "punching" | "metadata";

/** Where extents go that have become free: a word of 32 extents, and which of them. */
export interface FreedExtents {
  addBits(word: number, bits: number): void;
}

/**
 * How many entries refer to each extent, or what else it is. Two bits tell apart what nearly all are, of data without a reference and with
 * one, and free; where both are set, a byte has the rest. Keeping all in one place is what makes every reference to a free, punched or
 * metadata extent fail where it happens.
 */
export class ReferenceCounts {
  #capacity = 0;
  /** Neither bit: data without references. Only the low one: with one reference. Only the high one: free. */
  #low = new Int32Array(0);
  #high = new Int32Array(0);
  /** For extents with both bits a count of two or more, or a state; 0 for others. Made when the first of its extents needs it. */
  readonly #chunks: (Uint8Array | null)[] = [];
  #chunkCount = 0;
  readonly #overflow = new Map<number, number>();

  constructor(capacity: number) {
    this.grow(capacity);
  }

  get bytes(): number {
    return this.#low.byteLength + this.#high.byteLength + this.#chunkCount * CHUNK_EXTENTS;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** New extents are "data" without references until somebody says otherwise. */
  grow(capacity: number): void {
    assert(capacity >= this.#capacity, "a pool does not shrink");
    const words = Math.ceil(capacity / (WORD_MASK + 1));
    const low = new Int32Array(words);
    const high = new Int32Array(words);
    low.set(this.#low);
    high.set(this.#high);
    this.#low = low;
    this.#high = high;
    while (this.#chunks.length < Math.ceil(capacity / CHUNK_EXTENTS)) this.#chunks.push(null);
    this.#capacity = capacity;
  }

  references(phys: number): number {
    const word = phys >>> WORD_SHIFT;
    const bit = 1 << (phys & WORD_MASK);
    if ((this.#high[word]! & bit) === 0) return (this.#low[word]! & bit) === 0 ? 0 : 1;
    if ((this.#low[word]! & bit) === 0) return 0;
    const value = this.#special(phys);
    if (value <= COUNT_MAX) return value;
    return value === OVERFLOW ? this.#overflow.get(phys)! : 0;
  }

  add(phys: number): void {
    assert(this.tryAdd(phys), "only an extent of data has references");
  }

  /** The same; false where the extent is not one of data. */
  tryAdd(phys: number): boolean {
    if (phys >= this.#capacity) return false;
    const word = phys >>> WORD_SHIFT;
    const bit = 1 << (phys & WORD_MASK);
    if ((this.#high[word]! & bit) === 0) {
      if ((this.#low[word]! & bit) === 0) this.#low[word]! |= bit;
      else this.#setSpecial(phys, 2);
      return true;
    }
    if ((this.#low[word]! & bit) === 0) return false;
    const value = this.#special(phys);
    if (value < COUNT_MAX) this.#setSpecial(phys, value + 1);
    else if (value === COUNT_MAX || value === OVERFLOW) this.#overflowBy(phys, value);
    else return false;
    return true;
  }

  #overflowBy(phys: number, value: number): void {
    const count = value === OVERFLOW ? this.#overflow.get(phys)! : COUNT_MAX;
    this.#setSpecial(phys, OVERFLOW);
    this.#overflow.set(phys, count + 1);
  }

  /**
   * Adds a reference for each plain entry of a leaf from `start` on, in one tight loop: a pool has millions, of which many follow each
   * other. Stops at an entry that is not plain, or of which the extent is not one of data in `[first, end)`, and returns its index, or how
   * many entries there are.
   */
  addAll(entries: Uint32Array, start: number, first: number, end: number): number {
    const low = this.#low;
    const high = this.#high;
    const { length } = entries;
    let index = start;
    while (index < length) {
      const entry = entries[index]!;
      if (entry === 0) {
        index += 1;
        continue;
      }
      const phys = entry - 1;
      if (phys < first || phys >= end) return index;
      const run = runAt(entries, index, Math.min(length - index, end - phys));
      const word = phys >>> WORD_SHIFT;
      const bits = bitsOf(phys, run);
      if (((low[word]! | high[word]!) & bits) === 0) {
        low[word]! |= bits;
        index += run;
        continue;
      }
      const done = this.#addEach(phys, run);
      index += done;
      if (done < run) return index;
    }
    return length;
  }

  /** Adds a reference to each of some extents of one word, up to the first that is not one of data; returns how many. */
  #addEach(phys: number, run: number): number {
    const word = phys >>> WORD_SHIFT;
    const chunk = this.#chunk(phys);
    const bits = bitsOf(phys, run);
    let low = this.#low[word]!;
    let high = this.#high[word]!;
    let at = 0;
    if ((low & bits) === bits && (high & bits) === 0) {
      // All had one reference: a leaf that was copied, met again.
      this.#high[word] = high | bits;
      for (; at < run; at += 1) chunk[(phys + at) & CHUNK_MASK] = 2;
      return run;
    }
    for (; at < run; at += 1) {
      const bit = 1 << ((phys + at) & WORD_MASK);
      const place = (phys + at) & CHUNK_MASK;
      const isLow = (low & bit) !== 0;
      low |= bit;
      if ((high & bit) === 0) {
        if (!isLow) continue;
        high |= bit;
        chunk[place] = 2;
      } else if (!isLow) {
        low ^= bit;
        break;
      } else {
        const value = chunk[place]!;
        if (value < COUNT_MAX) chunk[place] = value + 1;
        else if (value === COUNT_MAX || value === OVERFLOW) this.#overflowBy(phys + at, value);
        else break;
      }
    }
    this.#low[word] = low;
    this.#high[word] = high;
    return at;
  }

  /**
   * Takes a reference away for each plain entry of a leaf from `start` on, in one tight loop. Extents that lose their last one become
   * free, and go to `freed`. Stops as {@link addAll} does at entries that need a closer look, which are also those that `pinned`
   * marks: a filter by the lowest bits of extents, its length a power of two.
   */
  dropAll(entries: Uint32Array, start: number, freed: FreedExtents, pinned: Uint8Array): number {
    const low = this.#low;
    const high = this.#high;
    const { length } = entries;
    let index = start;
    while (index < length) {
      const entry = entries[index]!;
      if (entry === 0) {
        index += 1;
        continue;
      }
      const phys = entry - 1;
      const word = phys >>> WORD_SHIFT;
      // A PARTIAL, which names an extent past the last one.
      if (word >= low.length) return index;
      const run = firstPinned(pinned, phys, runAt(entries, index, length - index));
      if (run === 0) return index;
      const bits = bitsOf(phys, run);
      if ((low[word]! & bits) === bits && (high[word]! & bits) === 0) {
        low[word]! ^= bits;
        high[word]! |= bits;
        freed.addBits(word, bits);
        index += run;
        continue;
      }
      for (let at = 0; at < run; at += 1, index += 1) {
        if (!this.#tryDrop(phys + at, freed)) return index;
      }
    }
    return length;
  }

  /** False where the extent has no references, or so many that they are counted elsewhere. */
  #tryDrop(phys: number, freed: FreedExtents): boolean {
    const word = phys >>> WORD_SHIFT;
    const bit = 1 << (phys & WORD_MASK);
    if ((this.#low[word]! & bit) === 0) return false;
    if ((this.#high[word]! & bit) === 0) {
      this.#low[word]! ^= bit;
      this.#high[word]! |= bit;
      freed.addBits(word, bit);
      return true;
    }
    if (this.#special(phys) > COUNT_MAX) return false;
    this.drop(phys);
    return true;
  }

  /** Takes one reference away; returns what is left. */
  drop(phys: number): number {
    const word = phys >>> WORD_SHIFT;
    const bit = 1 << (phys & WORD_MASK);
    assert((this.#low[word]! & bit) !== 0, "an extent loses no reference that it does not have");
    if ((this.#high[word]! & bit) === 0) {
      this.#low[word]! ^= bit;
      return 0;
    }
    const value = this.#special(phys);
    if (value <= COUNT_MAX) {
      this.#setCount(phys, value - 1);
      return value - 1;
    }
    assert(value === OVERFLOW, "an extent loses no reference that it does not have");
    const left = this.#overflow.get(phys)! - 1;
    if (left > COUNT_MAX) {
      this.#overflow.set(phys, left);
    } else {
      this.#overflow.delete(phys);
      this.#setCount(phys, left);
    }
    return left;
  }

  state(phys: number): ExtentState {
    const word = phys >>> WORD_SHIFT;
    const bit = 1 << (phys & WORD_MASK);
    if ((this.#high[word]! & bit) === 0) return "data";
    if ((this.#low[word]! & bit) === 0) return "free";
    const value = this.#special(phys);
    if (value === PUNCHING) return "punching";
    return value === METADATA ? "metadata" : "data";
  }

  /** From one state to another; an extent with references has to lose them first. */
  change(phys: number, from: ExtentState, to: ExtentState): void {
    const word = phys >>> WORD_SHIFT;
    const bit = 1 << (phys & WORD_MASK);
    const isRight = this.#isUnused(phys, from) && phys < this.#capacity;
    assert(isRight, "an extent is what it is taken for");
    if (from === "punching" || from === "metadata") this.#chunk(phys)[phys & CHUNK_MASK] = 0;
    this.#low[word]! &= ~bit;
    if (to === "data") this.#high[word]! &= ~bit;
    else if (to === "free") this.#high[word]! |= bit;
    else this.#setSpecial(phys, to === "metadata" ? METADATA : PUNCHING);
  }

  /** Whether the extent is in this state, and has no references. */
  #isUnused(phys: number, state: ExtentState): boolean {
    const word = phys >>> WORD_SHIFT;
    const bit = 1 << (phys & WORD_MASK);
    const isLow = (this.#low[word]! & bit) !== 0;
    const isHigh = (this.#high[word]! & bit) !== 0;
    if (state === "data") return !isLow && !isHigh;
    if (state === "free") return !isLow && isHigh;
    return isLow && isHigh && this.#special(phys) === (state === "metadata" ? METADATA : PUNCHING);
  }

  /** Extents `first` to `end` - 1 become free if they have neither references nor metadata. */
  freeUnused(first: number, end: number, freed: FreedExtents): void {
    if (first >= end) return;
    const low = this.#low;
    const high = this.#high;
    const last = (end - 1) >>> WORD_SHIFT;
    for (let word = first >>> WORD_SHIFT; word <= last; word += 1) {
      const unused = ~(low[word]! | high[word]!) & wordMask(word, first, end);
      if (unused === 0) continue;
      high[word]! |= unused;
      freed.addBits(word, unused);
    }
  }

  /** Forgets all counts; free and punched extents are counted anew as well, metadata stays. */
  clear(): void {
    this.#low.fill(0);
    this.#high.fill(0);
    this.#overflow.clear();
    for (const [index, chunk] of this.#chunks.entries()) {
      for (let at = 0; chunk !== null && at < CHUNK_EXTENTS; at += 1) {
        if (chunk[at] === METADATA) this.#setSpecial(index * CHUNK_EXTENTS + at, METADATA);
        else chunk[at] = 0;
      }
    }
  }

  /** Of an extent with both bits. */
  #special(phys: number): number {
    return this.#chunk(phys)[phys & CHUNK_MASK]!;
  }

  #setSpecial(phys: number, value: number): void {
    const word = phys >>> WORD_SHIFT;
    const bit = 1 << (phys & WORD_MASK);
    this.#low[word]! |= bit;
    this.#high[word]! |= bit;
    this.#chunk(phys)[phys & CHUNK_MASK] = value;
  }

  /** Of an extent that had more, and has at least one now. */
  #setCount(phys: number, count: number): void {
    this.#chunk(phys)[phys & CHUNK_MASK] = count === 1 ? 0 : count;
    if (count === 1) this.#high[phys >>> WORD_SHIFT]! &= ~(1 << (phys & WORD_MASK));
  }

  #chunk(phys: number): Uint8Array {
    const chunk = this.#chunks[phys >>> CHUNK_SHIFT]!;
    return chunk ?? this.#addChunk(phys);
  }

  #addChunk(phys: number): Uint8Array {
    const chunk = new Uint8Array(CHUNK_EXTENTS);
    this.#chunks[phys >>> CHUNK_SHIFT] = chunk;
    this.#chunkCount += 1;
    return chunk;
  }
}

/** How many entries from `index` on, up to `runMax`, map extents of one word that follow each other. */
function runAt(entries: Uint32Array, index: number, runMax: number): number {
  // As numbers of 32 bits with a sign, which need no conversion.
  const entry = entries[index]! | 0;
  const max = Math.min(runMax, WORD_MASK + 1 - ((entry - 1) & WORD_MASK));
  let run = 1;
  while (run < max && ((entries[index + run]! - run) | 0) === entry) run += 1;
  return run;
}

/** How many of the extents come before the first that the filter marks. */
function firstPinned(pinned: Uint8Array, phys: number, run: number): number {
  const mask = pinned.length - 1;
  let at = 0;
  while (at < run && pinned[(phys + at) & mask] === 0) at += 1;
  return at;
}

/** The bits of extents that follow each other in one word. */
function bitsOf(phys: number, run: number): number {
  return (-1 >>> (WORD_MASK + 1 - run)) << (phys & WORD_MASK);
}
