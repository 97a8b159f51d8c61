import { assert } from "./assert.ts";

/** How many of the values recorded were how large: counts in fixed buckets, and their sum. Counts are exact to 2^53; to record allocates nothing. */
export class Histogram {
  /** Upper bounds of the buckets, ascending, each bound included. */
  readonly bounds: readonly number[];
  readonly #bounds: Float64Array;
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#bounds = Float64Array.from(bounds);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  record(value: number): void {
    // NaN would stay in the sum for ever.
    assert(value >= 0, "what is recorded is a number that is not negative");
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket += 1;
    this.#counts[bucket]! += 1;
    this.#sum += value;
  }

  /** By bucket, not cumulative; the last one has what is above all bounds. */
  get counts(): Float64Array {
    return this.#counts.slice();
  }

  get sum(): number {
    return this.#sum;
  }
}
