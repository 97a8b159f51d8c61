import type { Clock, Timer } from "../../util/clock.ts";
import { FULL_NOTICE_INTERVAL_MS, FULL_NOTICES_MAX } from "./limits.ts";

/**
 * Says that a pool is full, and that it is not any more. Where that changes all the time, as while what little comes free is taken at once,
 * it says how it stands once an interval, and how often it has changed.
 */
export class FullNotice {
  readonly #clock: Clock;
  readonly #say: (isFull: boolean, changes: number) => void;
  #isFull = false;
  /** Changes since the last time that anything was said. */
  #changes = 0;
  /** What was said since the interval began. */
  #said = 0;
  /** Runs for an interval from the first thing that was said in it. */
  #timer: Timer | null = null;

  /** `say` is told of the state as it is then, and after how many changes. */
  constructor(clock: Clock, say: (isFull: boolean, changes: number) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  changed(isFull: boolean): void {
    this.#isFull = isFull;
    this.#changes += 1;
    if (this.#said < FULL_NOTICES_MAX) this.#sayNow();
  }

  /** Says nothing more that it has not been told. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #sayNow(): void {
    const changes = this.#changes;
    this.#changes = 0;
    this.#said += 1;
    this.#timer ??= this.#clock.after(FULL_NOTICE_INTERVAL_MS, () => {
      this.#timer = null;
      this.#said = 0;
      if (this.#changes === 0) return;
      // It goes on: that is all of the next interval.
      this.#said = FULL_NOTICES_MAX;
      this.#sayNow();
    });
    this.#say(this.#isFull, changes);
  }
}
