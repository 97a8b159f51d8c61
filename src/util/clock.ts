import { performance } from "node:perf_hooks";
import { uptime } from "node:os";

const MS_PER_SECOND = 1000;

/** A timer that was started; cancelling one that has fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as the program sees it. It comes in through constructors, so that tests and simulations can make it up. */
export interface Clock {
  /** Milliseconds since some moment before the program began. Never goes back, and has a fraction. */
  nowMs(): number;
  /** Calls back once, not before `delayMs` have passed; 0: in the next turn, I/O that is ready first. The timer keeps the process alive until it is cancelled. */
  after(delayMs: number, callback: () => void): Timer;
}

class Immediate implements Timer {
  readonly #immediate: NodeJS.Immediate;

  constructor(callback: () => void) {
    this.#immediate = setImmediate(callback);
  }

  cancel(): void {
    clearImmediate(this.#immediate);
  }
}

class SystemTimer implements Timer {
  readonly #timeout: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void) {
    this.#timeout = setTimeout(callback, delayMs);
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }
}

/** The monotonic clock of the system. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  // A timer of 0 would wait for a millisecond: whoever only lets others have a turn must not lose one with each.
  after: (delayMs, callback) =>
    delayMs === 0 ? new Immediate(callback) : new SystemTimer(delayMs, callback),
};

/** Milliseconds since the machine was started, with those that it was suspended for; the monotonic clock stands still in them. */
export function systemUptimeMs(): number {
  return uptime() * MS_PER_SECOND;
}

/** Resolves when so many milliseconds have passed. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}
