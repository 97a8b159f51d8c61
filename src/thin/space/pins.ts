import { assert } from "../../util/assert.ts";

/** A power of two: room for what commands in flight mostly pin. */
const PLACES_MIN = 512;
const NO_KEY = -1;
/** Spreads keys that lie side by side or at equal distances. */
const HASH_FACTOR = 0x9e37_79b1;

/**
 * How many users of a thing are under way, for the few things that have any. Keys are below 2^31. A table of numbers, at most half full: a key lies
 * at the place of its hash, or behind it where that is taken.
 */
export class Pins {
  #keys: Int32Array = new Int32Array(PLACES_MIN).fill(NO_KEY);
  #counts: Uint32Array = new Uint32Array(PLACES_MIN);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(key: number): boolean {
    return this.#size > 0 && this.#keys[this.#placeOf(key)] === key;
  }

  count(key: number): number {
    const place = this.#placeOf(key);
    return this.#keys[place] === key ? this.#counts[place]! : 0;
  }

  keys(): Iterable<number> {
    return this.#keys.filter((key) => key !== NO_KEY);
  }

  add(key: number): void {
    if (2 * this.#size >= this.#keys.length) this.#grow();
    const place = this.#placeOf(key);
    if (this.#keys[place] === key) {
      this.#counts[place]! += 1;
      return;
    }
    this.#keys[place] = key;
    this.#counts[place] = 1;
    this.#size += 1;
  }

  /** Returns how many are left. */
  drop(key: number): number {
    const place = this.#placeOf(key);
    assert(this.#keys[place] === key, "what is unpinned was pinned");
    const left = this.#counts[place]! - 1;
    this.#counts[place] = left;
    if (left === 0) this.#remove(place);
    return left;
  }

  /** Marks in a filter the keys' lowest bits: what is not marked has no pin. */
  markIn(filter: Uint8Array): void {
    filter.fill(0);
    if (this.#size === 0) return;
    for (const key of this.#keys) if (key !== NO_KEY) filter[key & (filter.length - 1)] = 1;
  }

  /** Removes the key; returns its count. */
  take(key: number): number {
    const place = this.#placeOf(key);
    if (this.#keys[place] !== key) return 0;
    const count = this.#counts[place]!;
    this.#remove(place);
    return count;
  }

  #hashOf(key: number): number {
    return Math.imul(key, HASH_FACTOR) >>> (Math.clz32(this.#keys.length) + 1);
  }

  /** Where the key is, or would be. */
  #placeOf(key: number): number {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let place = this.#hashOf(key);
    while (keys[place] !== key && keys[place] !== NO_KEY) place = (place + 1) & mask;
    return place;
  }

  /** Those behind the place that could not lie there move up: a search ends at the first free place. */
  #remove(removed: number): void {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let free = removed;
    for (let place = (free + 1) & mask; keys[place] !== NO_KEY; place = (place + 1) & mask) {
      const hash = this.#hashOf(keys[place]!);
      // Whether its hash lies behind the free place, round the end.
      if (((place - hash) & mask) < ((place - free) & mask)) continue;
      keys[free] = keys[place]!;
      this.#counts[free] = this.#counts[place]!;
      free = place;
    }
    keys[free] = NO_KEY;
    this.#size -= 1;
  }

  #grow(): void {
    const keys = this.#keys;
    const counts = this.#counts;
    this.#keys = new Int32Array(2 * keys.length).fill(NO_KEY);
    this.#counts = new Uint32Array(2 * keys.length);
    for (let before = 0; before < keys.length; before += 1) {
      const key = keys[before]!;
      if (key === NO_KEY) continue;
      const place = this.#placeOf(key);
      this.#keys[place] = key;
      this.#counts[place] = counts[before]!;
    }
  }
}
