import { assert } from "../../util/assert.ts";

/** Who changes a run of extents. An object of the holder, so that to lock takes no memory. */
export interface ExtentLock {
  /** The first extent, and the one after the last. */
  lockFirst: number;
  lockEnd: number;
  /** Its place among the locks of runs that are held, 0 for one of a single extent; -1: not held. */
  lockIndex: number;
  /** The next one of a single extent in the same list. */
  lockNext: ExtentLock | null;
}

/** Waits for one extent; it is told when it may be free, and looks again. */
export interface LockWaiter {
  waitExtent: number;
  unlocked(): void;
}

/** A power of two, and more than a volume mostly has writes in flight; not many more, for a pool may have thousands of snapshots. */
const LISTS = 64;

/**
 * The locks of a volume's extents (rule S). Most are of a single extent, and found in a list by the last bits of its number, so that they take
 * no memory. Those of runs are few at a time, as many as pieces of large requests change the map just now, so that a list is as good as
 * anything.
 */
export class ExtentLocks {
  readonly #singles: (ExtentLock | null)[] = Array.from({ length: LISTS }, () => null);
  #singleCount = 0;
  readonly #runs: ExtentLock[] = [];
  #waiting: LockWaiter[] = [];

  get heldCount(): number {
    return this.#singleCount + this.#runs.length;
  }

  isLocked(extent: number): boolean {
    if (this.#hasSingle(extent)) return true;
    return this.#runs.length > 0 && this.#firstOfRuns(extent, extent + 1) === extent;
  }

  /** The first locked extent from `first` on, or `end` where all before it are free. */
  firstLocked(first: number, end: number): number {
    let found = this.#runs.length > 0 ? this.#firstOfRuns(first, end) : end;
    if (this.#singleCount === 0) return found;
    if (found - first <= LISTS) {
      for (let extent = first; extent < found; extent += 1) {
        if (this.#hasSingle(extent)) return extent;
      }
      return found;
    }
    for (const list of this.#singles) {
      for (let lock = list; lock !== null; lock = lock.lockNext) {
        if (lock.lockFirst >= first && lock.lockFirst < found) found = lock.lockFirst;
      }
    }
    return found;
  }

  #hasSingle(extent: number): boolean {
    let lock = this.#singles[extent & (LISTS - 1)] ?? null;
    while (lock !== null && lock.lockFirst !== extent) lock = lock.lockNext;
    return lock !== null;
  }

  #firstOfRuns(first: number, end: number): number {
    let found = end;
    for (const { lockFirst, lockEnd } of this.#runs) {
      if (lockFirst < found && lockEnd > first) found = Math.max(first, lockFirst);
    }
    return found;
  }

  /** Takes extents of which none is locked. */
  lock(holder: ExtentLock, first: number, end: number): void {
    assert(holder.lockIndex === -1 && first < end, "a lock is held once, over a run");
    const isSingle = end - first === 1;
    const isFree = isSingle ? !this.isLocked(first) : this.firstLocked(first, end) === end;
    assert(isFree, "one at a time changes an extent");
    holder.lockFirst = first;
    holder.lockEnd = end;
    if (isSingle) {
      holder.lockIndex = 0;
      this.#addSingle(holder);
    } else {
      holder.lockIndex = this.#runs.length;
      this.#runs.push(holder);
    }
  }

  #addSingle(holder: ExtentLock): void {
    const list = holder.lockFirst & (LISTS - 1);
    holder.lockNext = this.#singles[list] ?? null;
    this.#singles[list] = holder;
    this.#singleCount += 1;
  }

  /** Lets go, and then calls those who wait for one of the extents, in the order in which they came. */
  unlock(holder: ExtentLock): void {
    if (holder.lockEnd - holder.lockFirst === 1) this.#removeSingle(holder);
    else this.#removeRun(holder);
    holder.lockIndex = -1;
    if (this.#waiting.length > 0) this.#wake(holder.lockFirst, holder.lockEnd);
  }

  #removeSingle(holder: ExtentLock): void {
    const list = holder.lockFirst & (LISTS - 1);
    let before: ExtentLock | null = null;
    let lock = this.#singles[list] ?? null;
    while (lock !== null && lock !== holder) {
      before = lock;
      lock = lock.lockNext;
    }
    assert(lock === holder, "who unlocks has locked");
    if (before === null) this.#singles[list] = holder.lockNext;
    else before.lockNext = holder.lockNext;
    holder.lockNext = null;
    this.#singleCount -= 1;
  }

  #removeRun(holder: ExtentLock): void {
    assert(this.#runs[holder.lockIndex] === holder, "who unlocks has locked");
    const last = this.#runs.pop();
    if (last === undefined || last === holder) return;
    this.#runs[holder.lockIndex] = last;
    last.lockIndex = holder.lockIndex;
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
