/** Buckets of a twentieth of an octave, from 1 us on: 5 % is close enough. */
const BUCKETS_PER_OCTAVE = 20;
const BUCKETS = 32 * BUCKETS_PER_OCTAVE;

/** Latencies by size, fine enough for percentiles; to record one allocates nothing. */
export class LatencyCounts {
  readonly #counts: Uint32Array = new Uint32Array(BUCKETS);
  #count = 0;
  #sumUs = 0;

  get count(): number {
    return this.#count;
  }

  /** NaN where there is none. */
  get meanUs(): number {
    return this.#sumUs / this.#count;
  }

  record(latencyUs: number): void {
    const atLeastUs = Math.max(1, latencyUs);
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(atLeastUs) * BUCKETS_PER_OCTAVE));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sumUs += atLeastUs;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sumUs = 0;
  }

  add(other: LatencyCounts): void {
    for (const [bucket, count] of other.#counts.entries()) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    }
    this.#count += other.#count;
    this.#sumUs += other.#sumUs;
  }

  copy(): LatencyCounts {
    const copy = new LatencyCounts();
    copy.add(this);
    return copy;
  }

  /** Upper end of the bucket that holds this share of the latencies, in microseconds; NaN where there is none. */
  quantileUs(share: number): number {
    if (this.#count === 0) return Number.NaN;
    let left = this.#count * share;
    const bucket = this.#counts.findIndex((count) => (left -= count) <= 0);
    return 2 ** ((bucket + 1) / BUCKETS_PER_OCTAVE);
  }
}
