import { assert } from "../util/assert.ts";
import { DORMANT_BYTES_MAX, SOLICITED_BYTES_MAX, STAGED_BYTES_MAX } from "./limits.ts";

/** Whoever waits for credit. */
export interface CreditWaiter {
  /** Tries again; calls `wait` again where it is still not enough. */
  creditFreed(): void;
}

/**
 * How much data-out one connection may have under way: invited by R2Ts, or waiting for a slow volume. It bounds the
 * memory of a connection whatever the number and size of its writes.
 */
export class DataOutCredit {
  #invitedBytes = 0;
  #stagedBytes = 0;
  #heldBytes = 0;
  readonly #waiters: CreditWaiter[] = [];
  readonly #onStagedDrained: () => void;

  /** `onStagedDrained` is called when receiving may go on after `stagedFull`. */
  constructor(onStagedDrained: () => void) {
    this.#onStagedDrained = onStagedDrained;
  }

  get stagedBytes(): number {
    return this.#stagedBytes;
  }

  /** Nothing more should be received before the volumes have taken some. */
  get stagedFull(): boolean {
    return this.#stagedBytes >= STAGED_BYTES_MAX;
  }

  /** Takes credit for an R2T. One is always granted when nothing is under way, so that no write can starve. */
  invite(bytes: number): boolean {
    const usedBytes = this.#invitedBytes + this.#stagedBytes;
    if (usedBytes !== 0 && usedBytes + bytes > SOLICITED_BYTES_MAX) return false;
    this.#invitedBytes += bytes;
    return true;
  }

  /** Invited bytes that have come, or will not. */
  settle(bytes: number): void {
    this.#invitedBytes -= bytes;
    assert(this.#invitedBytes >= 0, "only what was invited is settled");
    this.#wake();
  }

  stage(bytes: number): void {
    this.#stagedBytes += bytes;
  }

  unstage(bytes: number): void {
    const wasFull = this.stagedFull;
    this.#stagedBytes -= bytes;
    assert(this.#stagedBytes >= 0, "only what was staged is unstaged");
    this.#wake();
    if (wasFull && !this.stagedFull) this.#onStagedDrained();
  }

  /**
   * Takes room for data of a command that waits for others; false where there is none. It is no part of the credit, which
   * what that command waits for may need.
   */
  hold(bytes: number): boolean {
    if (this.#heldBytes + bytes > DORMANT_BYTES_MAX) return false;
    this.#heldBytes += bytes;
    return true;
  }

  unhold(bytes: number): void {
    this.#heldBytes -= bytes;
    assert(this.#heldBytes >= 0, "only what was held is let go");
  }

  /** Queues up, first come, first served. */
  wait(waiter: CreditWaiter): void {
    this.#waiters.push(waiter);
  }

  /** Leaves the line. */
  cancel(waiter: CreditWaiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index !== -1) this.#waiters.splice(index, 1);
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    if (this.#invitedBytes + this.#stagedBytes > SOLICITED_BYTES_MAX / 2) return;
    for (const waiter of this.#waiters.splice(0)) waiter.creditFreed();
  }
}
