import type { Clock } from "../util/clock.ts";
import { DEPARTED_INITIATORS_MAX, DEPARTED_MS_MAX } from "./limits.ts";

/** An initiator port whose session has ended without its having logged out by itself. */
export interface DepartedInitiator {
  readonly port: string;
  /** The disks that it has met, see `Nexus.met`. */
  readonly met: ReadonlyMap<number, string>;
  /** By the clock. */
  readonly sinceMs: number;
}

/**
 * Initiators that have lost their session to a target, and come back by themselves when they can: what they know of its disks they still
 * know then. Longer than the target itself: one that is made anew under its name is the same to them.
 */
export class DepartedInitiators {
  readonly #clock: Clock;
  /** By port, the first that went first. */
  readonly #departed = new Map<string, DepartedInitiator>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those that may still come back. */
  get all(): readonly DepartedInitiator[] {
    const sinceMs = this.#clock.nowMs() - DEPARTED_MS_MAX;
    for (const departed of this.#departed.values()) {
      if (departed.sinceMs < sinceMs) this.#departed.delete(departed.port);
    }
    return [...this.#departed.values()];
  }

  remember(port: string, met: ReadonlyMap<number, string>): void {
    this.#departed.delete(port);
    if (met.size === 0) return;
    this.#departed.set(port, { port, met: new Map(met), sinceMs: this.#clock.nowMs() });
    const [first] = this.#departed.keys();
    if (this.#departed.size > DEPARTED_INITIATORS_MAX && first !== undefined) {
      this.#departed.delete(first);
    }
  }

  /** It is back: what it has met. */
  takeBack(port: string): ReadonlyMap<number, string> {
    const departed = this.all.find((one) => one.port === port);
    this.#departed.delete(port);
    return departed?.met ?? new Map<number, string>();
  }
}
