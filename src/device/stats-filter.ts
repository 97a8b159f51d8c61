import type { IoError } from "../util/io-error.ts";
import { IoKind, type IoRequest } from "../util/io-request.ts";
import type { BlockDevice } from "./block-device.ts";
import { DeviceFilter } from "./device-filter.ts";
import { ForwardPool, type ForwardedRequest } from "./forwarded-request.ts";

/** Upper bounds of the latency buckets, in microseconds; one more bucket takes what is longer. */
export const LATENCY_BUCKETS_MICROS: readonly number[] = [
  10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000, 1_000_000,
];

/** What happened with one kind of operation since the filter was made. */
export class OperationStats {
  count = 0;
  bytes = 0;
  errors = 0;
  /** Of `count`, those that were served within the turn of the event loop. */
  synchronous = 0;
  totalMicros = 0;
  readonly buckets: number[] = [...LATENCY_BUCKETS_MICROS, Infinity].map(() => 0);

  add(lengthBytes: number, micros: number): void {
    this.count += 1;
    this.bytes += lengthBytes;
    this.totalMicros += micros;
    let bucket = 0;
    while (bucket < LATENCY_BUCKETS_MICROS.length && micros > LATENCY_BUCKETS_MICROS[bucket]!) {
      bucket += 1;
    }
    this.buckets[bucket]! += 1;
  }
}

/** Counts operations, bytes and errors, and sorts latencies into buckets. */
export class StatsFilter extends DeviceFilter {
  readonly #now: () => number;
  readonly #stats = Object.values(IoKind).map(() => new OperationStats());
  readonly #reads: OperationStats = this.statsOf(IoKind.read);
  readonly #writes: OperationStats = this.statsOf(IoKind.write);
  readonly #forwards = new ForwardPool((original, error, forwarded) =>
    this.#ended(original, error, forwarded),
  );

  /** `now` is a clock in milliseconds, with fractions. */
  constructor(below: BlockDevice, now: () => number) {
    super(below, below.name);
    this.#now = now;
  }

  /** Live figures, which go on counting. */
  statsOf(kind: IoKind): OperationStats {
    const stats = this.#stats[kind];
    if (stats === undefined) throw new RangeError("there is no such operation");
    return stats;
  }

  override tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    const started = this.#now();
    if (!this.below.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes)) return false;
    this.#reads.synchronous += 1;
    this.#reads.add(lengthBytes, (this.#now() - started) * 1000);
    return true;
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    const started = this.#now();
    if (!this.below.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes)) return false;
    this.#writes.synchronous += 1;
    this.#writes.add(lengthBytes, (this.#now() - started) * 1000);
    return true;
  }

  override submit(request: IoRequest): void {
    const forwarded = this.#forwards.take(request, 0);
    forwarded.startedAt = this.#now();
    this.below.submit(forwarded);
  }

  #ended(original: IoRequest, error: IoError | null, forwarded: ForwardedRequest): void {
    const stats = this.statsOf(original.kind);
    stats.add(original.lengthBytes, (this.#now() - forwarded.startedAt) * 1000);
    if (error !== null) stats.errors += 1;
    original.done(error);
  }
}
