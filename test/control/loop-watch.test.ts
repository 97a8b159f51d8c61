import { expect, test } from "vitest";
import { LoopWatch } from "../../src/control/loop-watch.ts";
import type { Clock, Timer } from "../../src/util/clock.ts";

/** A clock whose timers go off when the loop turns, however late that is. */
class LateClock implements Clock {
  ms = 0;
  #due: { readonly atMs: number; readonly callback: () => void } | null = null;

  nowMs(): number {
    return this.ms;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.ms + delayMs, callback };
    this.#due = timer;
    return { cancel: () => void (this.#due = this.#due === timer ? null : this.#due) };
  }

  get isWatched(): boolean {
    return this.#due !== null;
  }

  turn(): void {
    const due = this.#due;
    if (due === null || due.atMs > this.ms) return;
    this.#due = null;
    due.callback();
  }

  /** The loop turns all the time. */
  pass(ms: number): void {
    for (const endMs = this.ms + ms; this.ms < endMs; this.ms += 100) this.turn();
  }
}

test("a loop that turns is never late", () => {
  const clock = new LateClock();
  const watch = new LoopWatch(clock);
  watch.start();
  clock.pass(60_000);
  expect(watch.worstMs).toBeLessThanOrEqual(100);
  watch.stop();
  expect(clock.isWatched).toBe(false);
});

test("a stall is told of when it ends, and for a while after it, also where shorter ones follow", () => {
  const clock = new LateClock();
  const watch = new LoopWatch(clock);
  watch.start();
  clock.pass(5000);
  clock.ms += 12_000;
  expect(watch.worstMs).toBeGreaterThan(10_900);
  clock.turn();
  clock.pass(10_000);
  clock.ms += 4000;
  clock.turn();
  expect(watch.worstMs).toBeGreaterThan(10_900);
  clock.pass(20_000);
  expect(watch.worstMs).toBeLessThanOrEqual(4000);
  expect(watch.worstMs).toBeGreaterThan(2900);
  clock.pass(31_000);
  expect(watch.worstMs).toBeLessThanOrEqual(100);
  watch.stop();
});

test("nobody who does not watch is late", () => {
  const clock = new LateClock();
  const watch = new LoopWatch(clock);
  clock.ms += 60_000;
  expect(watch.worstMs).toBe(0);
});
