import { assert } from "../../util/assert.ts";

/** How many users of a thing are under way, for the few things that have any. */
export class Pins {
  readonly #counts = new Map<number, number>();

  get size(): number {
    return this.#counts.size;
  }

  has(key: number): boolean {
    return this.#counts.size > 0 && this.#counts.has(key);
  }

  count(key: number): number {
    return this.#counts.get(key) ?? 0;
  }

  keys(): IterableIterator<number> {
    return this.#counts.keys();
  }

  add(key: number): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Returns how many are left. */
  drop(key: number): number {
    const count = this.#counts.get(key);
    assert(count !== undefined, "what is unpinned was pinned");
    if (count === 1) this.#counts.delete(key);
    else this.#counts.set(key, count - 1);
    return count - 1;
  }

  /** Marks in a filter the keys' lowest bits: what is not marked has no pin. */
  markIn(filter: Uint8Array): void {
    filter.fill(0);
    for (const key of this.#counts.keys()) filter[key & (filter.length - 1)] = 1;
  }

  /** Removes the key; returns its count. */
  take(key: number): number {
    const count = this.#counts.get(key) ?? 0;
    this.#counts.delete(key);
    return count;
  }
}
