import { assert } from "../../util/assert.ts";
import type { Clock } from "../../util/clock.ts";

/** Background work may use as much as this in one go, in seconds of its rate. */
const BURST_SECONDS = 1;

const MS_PER_SECOND = 1000;

/** Lets so many bytes a second pass, on average. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  #allowanceBytes: number;
  #countedAtMs: number;

  constructor(clock: Clock, bytesPerSecond: number) {
    assert(bytesPerSecond >= 0, "a rate is not negative");
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#allowanceBytes = bytesPerSecond * BURST_SECONDS;
    this.#countedAtMs = clock.nowMs();
  }

  /** What may be used now, in bytes; not positive while an earlier use is not paid off. */
  get allowanceBytes(): number {
    const nowMs = this.#clock.nowMs();
    const earned = ((nowMs - this.#countedAtMs) / MS_PER_SECOND) * this.#bytesPerSecond;
    this.#countedAtMs = nowMs;
    this.#allowanceBytes = Math.min(
      this.#allowanceBytes + earned,
      this.#bytesPerSecond * BURST_SECONDS,
    );
    return this.#allowanceBytes;
  }

  /** Uses it up; more than the allowance is paid off later. */
  use(bytes: number): void {
    this.#allowanceBytes -= bytes;
  }
}
