import { assert } from "../../util/assert.ts";

const WORD_BITS = 32;
/** From an extent to its word, and to its bit in there. */
export const WORD_SHIFT = 5;
export const WORD_MASK = 31;
const ALL_BITS = 0xffff_ffff;

/** A set of extents: one bit each, and a summary with a bit for each word that is not empty. */
export class ExtentBitmap {
  #words: Uint32Array = new Uint32Array(0);
  #summary: Uint32Array = new Uint32Array(0);
  #capacity = 0;
  #count = 0;

  constructor(capacity: number) {
    this.grow(capacity);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#words.byteLength + this.#summary.byteLength;
  }

  grow(capacity: number): void {
    assert(capacity >= this.#capacity, "a pool does not shrink");
    const words = new Uint32Array(Math.ceil(capacity / WORD_BITS));
    const summary = new Uint32Array(Math.ceil(words.length / WORD_BITS));
    words.set(this.#words);
    summary.set(this.#summary);
    this.#words = words;
    this.#summary = summary;
    this.#capacity = capacity;
  }

  has(extent: number): boolean {
    return (this.#words[extent >>> WORD_SHIFT]! & (1 << (extent & WORD_MASK))) !== 0;
  }

  /** Adds an extent that is not in it. */
  add(extent: number): void {
    assert(extent >= 0 && extent < this.#capacity, "an extent is one of the pool's");
    assert(!this.has(extent), "an extent is added once");
    const word = extent >>> WORD_SHIFT;
    this.#words[word]! |= 1 << (extent & WORD_MASK);
    this.#summary[word >>> WORD_SHIFT]! |= 1 << (word & WORD_MASK);
    this.#count += 1;
  }

  /** Takes an extent out; false where it was not in it. */
  delete(extent: number): boolean {
    if (!this.has(extent)) return false;
    const word = extent >>> WORD_SHIFT;
    this.#words[word]! &= ~(1 << (extent & WORD_MASK));
    if (this.#words[word] === 0) this.#summary[word >>> WORD_SHIFT]! &= ~(1 << (word & WORD_MASK));
    this.#count -= 1;
    return true;
  }

  /** Adds extents of one word that are not in it. */
  addBits(word: number, bits: number): void {
    assert(word < this.#words.length, "an extent is one of the pool's");
    assert((this.#words[word]! & bits) === 0, "an extent is added once");
    this.#words[word]! |= bits;
    this.#summary[word >>> WORD_SHIFT]! |= 1 << (word & WORD_MASK);
    this.#count += countBits(bits);
  }

  addRange(first: number, end: number): void {
    if (first >= end) return;
    const last = (end - 1) >>> WORD_SHIFT;
    for (let word = first >>> WORD_SHIFT; word <= last; word += 1) {
      this.addBits(word, wordMask(word, first, end));
    }
  }

  clear(): void {
    this.#words.fill(0);
    this.#summary.fill(0);
    this.#count = 0;
  }

  /** The first extent from `from` on that is in the set, or -1. */
  next(from: number): number {
    if (from >= this.#capacity) return -1;
    let word = from >>> WORD_SHIFT;
    const bits = this.#words[word]! & (ALL_BITS << (from & WORD_MASK));
    if (bits !== 0) return (word << WORD_SHIFT) + lowestBit(bits);
    word = nextBit(this.#summary, word + 1);
    return word < 0 ? -1 : word * WORD_BITS + lowestBit(this.#words[word]!);
  }
}

/** The bits of a word that are of extents `first` to `end` - 1; the word has some. */
export function wordMask(word: number, first: number, end: number): number {
  let mask = ALL_BITS;
  if (word === first >>> WORD_SHIFT) mask = ALL_BITS << (first & WORD_MASK);
  if (word === (end - 1) >>> WORD_SHIFT) mask &= ALL_BITS >>> (WORD_MASK - ((end - 1) & WORD_MASK));
  return mask;
}

function countBits(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

function nextBit(words: Uint32Array, from: number): number {
  let word = from >>> WORD_SHIFT;
  if (word >= words.length) return -1;
  let bits = words[word]! & (ALL_BITS << (from & WORD_MASK));
  while (bits === 0) {
    word += 1;
    if (word >= words.length) return -1;
    bits = words[word]!;
  }
  return word * WORD_BITS + lowestBit(bits);
}

function lowestBit(bits: number): number {
  return WORD_MASK - Math.clz32(bits & -bits);
}
