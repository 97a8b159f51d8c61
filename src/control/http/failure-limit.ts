import type { Clock } from "../../util/clock.ts";

/** A person who mistypes a token, or a script with an old one, has some tries. */
const FAILURES_MAX = 10;

/** How long a failure counts. */
const WINDOW_MS = 60_000;

/** Addresses that are remembered; the ones that failed longest ago go first. */
const ADDRESSES_MAX = 4096;

interface Failures {
  count: number;
  sinceMs: number;
}

/** Keeps whoever guesses tokens from doing so fast: by address, in bounded memory. */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many milliseconds an address has to wait before it may try again; 0: none. */
  waitMs(address: string): number {
    const failures = this.#failures.get(address);
    if (failures === undefined) return 0;
    const leftMs = failures.sinceMs + WINDOW_MS - this.#clock.nowMs();
    if (leftMs <= 0) this.#failures.delete(address);
    return leftMs > 0 && failures.count >= FAILURES_MAX ? leftMs : 0;
  }

  failed(address: string): void {
    const nowMs = this.#clock.nowMs();
    const before = this.#failures.get(address);
    const isRecent = before !== undefined && nowMs - before.sinceMs < WINDOW_MS;
    this.#failures.delete(address);
    const next = isRecent
      ? { count: before.count + 1, sinceMs: before.sinceMs }
      : { count: 1, sinceMs: nowMs };
    this.#failures.set(address, next);
    if (this.#failures.size <= ADDRESSES_MAX) return;
    const [oldest = ""] = this.#failures.keys();
    this.#failures.delete(oldest);
  }
}
