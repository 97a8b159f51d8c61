import type { Clock, Timer } from "../../src/util/clock.ts";

interface Alarm {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until the test moves it on. */
export class ManualClock implements Clock {
  #nowMs = 1000;
  readonly #alarms: Set<Alarm> = new Set();

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const alarm = { atMs: this.#nowMs + delayMs, callback };
    this.#alarms.add(alarm);
    return { cancel: () => void this.#alarms.delete(alarm) };
  }

  /** Lets time pass; alarms go off in their order, also those that are set meanwhile. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      const due = [...this.#alarms].filter((alarm) => alarm.atMs <= endMs);
      const next = due.toSorted((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined) break;
      this.#alarms.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = endMs;
  }
}
