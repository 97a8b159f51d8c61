import { assert } from "../../src/util/assert.ts";
import type { Clock, Timer } from "../../src/util/clock.ts";
import type { SeededRandom } from "../../src/util/random.ts";

interface Event {
  readonly atMs: number;
  /** Events of one moment run in the order of a random draw. */
  readonly draw: number;
  readonly life: Life;
  readonly run: () => void;
  isCancelled: boolean;
}

/** One process: from its start to its kill. What it began ends with it. */
export class Life {
  isDead = false;
}

/**
 * Virtual time. Between two events everything that the first one set going in this turn comes to rest (promises and
 * microtasks), so a run repeats for a seed.
 */
export class Scheduler {
  readonly #host: { readonly random: SeededRandom };
  readonly #heap: Event[] = [];
  #nowMs = 1000;
  /** Events that have run. */
  steps = 0;

  constructor(host: { readonly random: SeededRandom }) {
    this.#host = host;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  schedule(life: Life, delayMs: number, run: () => void): Timer {
    assert(delayMs >= 0, "time does not go back");
    const draw = this.#host.random.uint32();
    const event = { atMs: this.#nowMs + delayMs, draw, life, run, isCancelled: false };
    this.#push(event);
    return {
      cancel: () => {
        event.isCancelled = true;
      },
    };
  }

  clockOf(life: Life): Clock {
    return {
      nowMs: () => this.#nowMs,
      after: (delayMs, callback) => this.schedule(life, delayMs, callback),
    };
  }

  /** Runs the next event; false when there is none, or none before `untilMs`. */
  async step(untilMs: number = Number.POSITIVE_INFINITY): Promise<boolean> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) return false;
      this.#pop();
      if (next.isCancelled || next.life.isDead) continue;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.steps += 1;
      next.run();
      await settle();
      return true;
    }
  }

  /** Lets time pass to `untilMs` without an event. */
  skipTo(untilMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.draw < b.draw);
}

/** Resolves when every microtask has run, and those that these started. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
