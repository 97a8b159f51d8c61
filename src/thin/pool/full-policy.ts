import { assert } from "../../util/assert.ts";
import type { Clock, Timer } from "../../util/clock.ts";
import { IoError } from "../../util/io-error.ts";

export interface FullPolicyOptions {
  readonly clock: Clock;
  /** For messages. */
  readonly poolName: string;
  /** The longest that a write waits for space, in milliseconds. */
  readonly holdMs: number;
  /** For how long a pool may be full until writes are told that there is no space, in milliseconds; before, that they may try again. */
  readonly fullRetryMs: number;
  /** Extents that a write could take now. */
  usableExtents(): number;
  /** Space is there and can be had in a moment: the pool is not full. */
  isMomentary(): boolean;
  /** A write has found no space: what makes some come free should be done. */
  wanted(): void;
  /** The pool has become full, or has space again. */
  changed(isFull: boolean): void;
}

interface Waiter {
  readonly retry: () => void;
  readonly expire: (error: IoError) => void;
  readonly untilMs: number;
  readonly fullSinceMs: number | null;
}

/**
 * What happens to a write for which there is no space: it waits a moment, for something may come free; then it fails in a way that
 * initiators try again; and when the pool has been full for long, at once and for good.
 */
export class FullPolicy {
  readonly #options: FullPolicyOptions;
  /** In the order of their arrival, which is that of their ends. */
  readonly #waiters: Waiter[] = [];
  #fullSinceMs: number | null = null;
  #timer: Timer | null = null;
  #stopped: IoError | null = null;
  /** Its retry runs: where it comes back, it has waited since it came first, and so has the pool been full. */
  #retrying: Waiter | null = null;
  #isWaking = false;
  /** One of those that try again has found nothing. */
  #hasComeBack = false;

  constructor(options: FullPolicyOptions) {
    assert(options.holdMs >= 0 && options.fullRetryMs >= 0, "times to wait are not negative");
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#fullSinceMs !== null;
  }

  get waiters(): number {
    return this.#waiters.length;
  }

  /** Calls one of the two, once: `retry` when there may be space (it may come back), `expire` when the wait is over. */
  wait(retry: () => void, expire: (error: IoError) => void): void {
    if (this.#stopped !== null) {
      expire(this.#stopped);
      return;
    }
    const { clock, holdMs } = this.#options;
    const nowMs = clock.nowMs();
    const before = this.#retrying;
    this.#retrying = null;
    if (before !== null) this.#hasComeBack = true;
    if (this.#fullSinceMs === null && !this.#options.isMomentary()) {
      this.#fullSinceMs = before?.fullSinceMs ?? nowMs;
      this.#options.changed(true);
    }
    this.#options.wanted();
    if (this.#fullSinceMs !== null && this.#isForGood(nowMs)) {
      expire(this.#error("space"));
      return;
    }
    const untilMs = before?.untilMs ?? nowMs + holdMs;
    const waiter = { retry, expire, untilMs, fullSinceMs: this.#fullSinceMs };
    const next = before === null ? -1 : this.#waiters.findIndex((other) => other.untilMs > untilMs);
    if (next < 0) this.#waiters.push(waiter);
    else this.#waiters.splice(next, 0, waiter);
    this.#arm();
  }

  /** Extents have come free: lets as many writes try again as there are extents, the longest waiting first. */
  freed(): void {
    if (this.#isWaking) return;
    const extents = this.#options.usableExtents();
    if (extents <= 0) return;
    this.#isWaking = true;
    this.#hasComeBack = false;
    for (const waiter of this.#waiters.splice(0, extents)) {
      this.#retrying = waiter;
      waiter.retry();
    }
    this.#retrying = null;
    this.#isWaking = false;
    // What is free may be kept for others: it is space for those who wait only if none of them has come back.
    const isEnough = this.#waiters.length === 0 && !this.#hasComeBack;
    if (isEnough && this.#fullSinceMs !== null) {
      this.#fullSinceMs = null;
      this.#options.changed(false);
    }
    this.#arm();
  }

  /** Ends all waits, those to come too, as when the pool closes or fails. */
  stop(error: IoError): void {
    this.#stopped ??= error;
    this.#timer?.cancel();
    this.#timer = null;
    for (const waiter of this.#waiters.splice(0)) waiter.expire(error);
  }

  #arm(): void {
    const first = this.#waiters[0];
    if (first === undefined) {
      this.#timer?.cancel();
      this.#timer = null;
      return;
    }
    const { clock } = this.#options;
    this.#timer ??= clock.after(Math.max(0, first.untilMs - clock.nowMs()), () => {
      this.#timer = null;
      this.#expireDue();
    });
  }

  #expireDue(): void {
    const nowMs = this.#options.clock.nowMs();
    const isForGood = this.#isForGood(nowMs);
    for (;;) {
      const first = this.#waiters[0];
      if (first === undefined || first.untilMs > nowMs) break;
      this.#waiters.shift();
      first.expire(this.#error(isForGood ? "space" : "space-pending"));
    }
    this.#arm();
  }

  /** Space that is on its way may be a reservation's, which a pool that has long been full for others still keeps. */
  #isForGood(nowMs: number): boolean {
    const fullMs = nowMs - (this.#fullSinceMs ?? nowMs);
    return fullMs >= this.#options.fullRetryMs && !this.#options.isMomentary();
  }

  #error(kind: "space" | "space-pending"): IoError {
    const message =
      kind === "space"
        ? "the pool is full: add a device, or delete or unmap what is not needed"
        : "the pool is full for now: try again";
    return new IoError(kind, message, { object: this.#options.poolName });
  }
}
