import type { Clock, Timer } from "../util/clock.ts";

/** Often enough to see each stall that matters, and no work worth speaking of. */
const BEAT_MS = 1000;

/** How long a stall is told of: whoever asks every half minute hears of it once. */
const REMEMBERED_MS = 30_000;

interface Stall {
  readonly endedAtMs: number;
  readonly lastedMs: number;
}

/** Tells for how long the event loop did not turn: a timer that it keeps is late by that much. */
export class LoopWatch {
  readonly #clock: Clock;
  #timer: Timer | null = null;
  #dueMs = 0;
  /** Those of late, none shorter than one behind it: a later one that is longer tells all that they do. */
  #stalls: Stall[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    this.stop();
    this.#dueMs = this.#clock.nowMs() + BEAT_MS;
    this.#timer = this.#clock.after(BEAT_MS, () => {
      this.#note(this.#clock.nowMs());
      this.start();
    });
  }

  /** The longest stall of late, in milliseconds; the one that just ends counts. 0 while nobody watches. */
  get worstMs(): number {
    const nowMs = this.#clock.nowMs();
    const running = this.#timer === null ? 0 : Math.max(0, nowMs - this.#dueMs);
    const [longest] = this.#stalls.filter(({ endedAtMs }) => nowMs - endedAtMs <= REMEMBERED_MS);
    return Math.max(running, longest?.lastedMs ?? 0);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #note(endedAtMs: number): void {
    const lastedMs = Math.max(0, endedAtMs - this.#dueMs);
    const isTold = (stall: Stall): boolean =>
      endedAtMs - stall.endedAtMs <= REMEMBERED_MS && stall.lastedMs > lastedMs;
    this.#stalls = [...this.#stalls.filter(isTold), { endedAtMs, lastedMs }];
  }
}
