import { assert } from "../util/assert.ts";

/**
 * Upper bounds of the buckets, in milliseconds, each bound included: three to the decade, from what memory answers in to
 * where initiators give up. What took longer is in one more bucket.
 */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
  30_000,
];

const BUCKETS = LATENCY_BOUNDS_MS.length + 1;

/** In a typed array, so that the comparison of the hot path loads plain doubles. */
const BOUNDS: Float64Array = Float64Array.from(LATENCY_BOUNDS_MS);

function bucketOf(ms: number): number {
  let bucket = 0;
  while (bucket < BOUNDS.length && ms > BOUNDS[bucket]!) bucket += 1;
  return bucket;
}

/** How long things took, for each of some kinds: counts in fixed buckets, and their sum. Counts are exact to 2^53. */
export class LatencyHistogram {
  readonly #kinds: number;
  /** By kind, bucket by bucket. */
  readonly #counts: Float64Array;
  readonly #sumsMs: Float64Array;

  constructor(kinds: number) {
    this.#kinds = kinds;
    this.#counts = new Float64Array(kinds * BUCKETS);
    this.#sumsMs = new Float64Array(kinds);
  }

  /** `count` things of a kind took `ms` each. */
  record(kind: number, ms: number, count: number): void {
    // `undefined` cannot come of an index in range, and NaN would stay for ever.
    assert(
      kind < this.#kinds && ms >= 0,
      "a latency is of a known kind, and time does not go back",
    );
    this.#counts[kind * BUCKETS + bucketOf(ms)]! += count;
    this.#sumsMs[kind]! += ms * count;
  }

  /** By bucket, not cumulative; one more than there are bounds. */
  counts(kind: number): Float64Array {
    return this.#counts.slice(kind * BUCKETS, (kind + 1) * BUCKETS);
  }

  sumMs(kind: number): number {
    return this.#sumsMs[kind] ?? 0;
  }

  add(other: LatencyHistogram): void {
    assert(other.#kinds === this.#kinds, "histograms of the same kinds are added");
    for (const [index, count] of other.#counts.entries()) this.#counts[index]! += count;
    for (const [index, ms] of other.#sumsMs.entries()) this.#sumsMs[index]! += ms;
  }
}
