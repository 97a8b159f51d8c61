import { assert } from "../../util/assert.ts";

/** Who changes a run of extents. An object of the holder, so that to lock takes no memory. */
export interface ExtentLock {
  /** The first extent, and the one after the last. */
  lockFirst: number;
  lockEnd: number;
  /** Its place among the locks that are held; -1: not held. */
  lockIndex: number;
}

/** Waits for one extent; it is told when it may be free, and looks again. */
export interface LockWaiter {
  waitExtent: number;
  unlocked(): void;
}

/**
 * The locks of a volume's extents (rule S). They are few at a time, as many as pieces of requests change the map just now, so that a list
 * is as good as anything.
 */
export class ExtentLocks {
  readonly #held: ExtentLock[] = [];
  #waiting: LockWaiter[] = [];

  get heldCount(): number {
    return this.#held.length;
  }

  isLocked(extent: number): boolean {
    for (const { lockFirst, lockEnd } of this.#held) {
      if (extent >= lockFirst && extent < lockEnd) return true;
    }
    return false;
  }

  /** The first locked extent from `first` on, or `end` where all before it are free. */
  firstLocked(first: number, end: number): number {
    let found = end;
    for (const { lockFirst, lockEnd } of this.#held) {
      if (lockFirst < found && lockEnd > first) found = Math.max(first, lockFirst);
    }
    return found;
  }

  /** Takes extents of which none is locked. */
  lock(holder: ExtentLock, first: number, end: number): void {
    assert(holder.lockIndex === -1 && first < end, "a lock is held once, over a run");
    assert(this.firstLocked(first, end) === end, "one at a time changes an extent");
    holder.lockFirst = first;
    holder.lockEnd = end;
    holder.lockIndex = this.#held.length;
    this.#held.push(holder);
  }

  /** Lets go, and then calls those who wait for one of the extents, in the order in which they came. */
  unlock(holder: ExtentLock): void {
    assert(this.#held[holder.lockIndex] === holder, "who unlocks has locked");
    const last = this.#held.pop();
    if (last !== undefined && last !== holder) {
      this.#held[holder.lockIndex] = last;
      last.lockIndex = holder.lockIndex;
    }
    holder.lockIndex = -1;
    if (this.#waiting.length > 0) this.#wake(holder.lockFirst, holder.lockEnd);
  }

  /** Queues for `waiter.waitExtent`, which is locked. */
  wait(waiter: LockWaiter): void {
    assert(this.isLocked(waiter.waitExtent), "nobody waits for what is free");
    this.#waiting.push(waiter);
  }

  #wake(first: number, end: number): void {
    const woken: LockWaiter[] = [];
    const others: LockWaiter[] = [];
    for (const waiter of this.#waiting) {
      const { waitExtent } = waiter;
      (waitExtent >= first && waitExtent < end ? woken : others).push(waiter);
    }
    if (woken.length === 0) return;
    this.#waiting = others;
    for (const waiter of woken) waiter.unlocked();
  }
}
