import type { Clock, Timer } from "../../util/clock.ts";
import { IoError } from "../../util/io-error.ts";
import type { HeldWrite, StorageHold } from "../io/engine.ts";
import type { Storage, StorageWaiter } from "../log/storage.ts";
import { STORAGE_QUIET_MS, STORAGE_RETRY_MS } from "./limits.ts";

export interface StorageWatchOptions {
  readonly clock: Clock;
  /** For messages. */
  readonly poolName: string;
  /** The longest that a write of a volume waits for room, in milliseconds. */
  readonly holdMs: number;
  /** For how long there may be no room until writes are told that there is no space, in milliseconds; before, that they may try again. */
  readonly fullRetryMs: number;
  /** The storage has become full, or has room again. */
  readonly changed: (isFull: boolean) => void;
  /** All has ended: it changes no more. */
  readonly ended: () => void;
}

/** What is done when there has been no room for so long. */
interface Limit {
  readonly fromMs: number;
  readonly forMs: number;
  readonly act: () => void;
}

/**
 * What lies below a pool's devices, and may be full though the pool is not: the file system of sparse images. What the pool itself writes
 * there waits until it has room, for as long as that takes; it is tried again and again. Writes of volumes wait as in a full pool: for a
 * moment, then they fail in a way that initiators try again; and when it has lasted for long, at once and for good.
 */
export class StorageWatch implements Storage, StorageHold {
  readonly #options: StorageWatchOptions;
  #waiters: StorageWaiter[] = [];
  #held: HeldWrite[] = [];
  #sinceMs: number | null = null;
  /** When something was last found to have no room. */
  #metMs = 0;
  #timer: Timer | null = null;
  #stopped: IoError | null = null;
  #heldStopped: IoError | null = null;
  #limit: Limit | null = null;
  /** Lets what waits in the journal fail: it may wait no longer than what comes to wait here. */
  relieve: (error: IoError) => void = () => undefined;

  constructor(options: StorageWatchOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#sinceMs !== null;
  }

  wait(waiter: StorageWaiter): void {
    if (this.#stopped !== null) {
      waiter.giveUp(this.#stopped);
      return;
    }
    this.#waiters.push(waiter);
    this.noticed();
  }

  hold(write: HeldWrite): void {
    const stopped = this.#stopped ?? this.#heldStopped;
    if (stopped !== null) {
      write.giveUp(stopped);
      return;
    }
    this.noticed();
    const nowMs = this.#options.clock.nowMs();
    if (write.untilMs === 0) write.untilMs = nowMs + this.#options.holdMs;
    if (this.#isForGood(nowMs) || write.untilMs <= nowMs) write.giveUp(this.#error(nowMs));
    else this.#held.push(write);
  }

  /** Something found no room that does not wait for it. */
  noticed(): void {
    if (this.#stopped !== null) return;
    this.#metMs = this.#options.clock.nowMs();
    if (this.#sinceMs === null) {
      this.#sinceMs = this.#metMs;
      this.#options.changed(true);
    }
    this.#arm();
  }

  passed(): void {
    if (this.#sinceMs === null || this.#stopped !== null) return;
    this.#sinceMs = null;
    this.#options.changed(false);
    this.#retry(this.#held.length);
  }

  /** Does it once there has been no room for `forMs`, from now on. Another call takes the place of this one. */
  limit(forMs: number, act: () => void): void {
    this.#limit = { fromMs: this.#options.clock.nowMs(), forMs, act };
  }

  /** There is no limit any more. */
  unlimit(): void {
    this.#limit = null;
  }

  /** Ends the waits of volumes' writes, those to come too. */
  stopHolding(error: IoError): void {
    this.#heldStopped ??= error;
    for (const write of this.#held.splice(0)) write.giveUp(error);
  }

  /** Ends all waits, those to come too. */
  stop(error: IoError): void {
    if (this.#stopped === null) this.#options.ended();
    this.#stopped ??= error;
    this.#timer?.cancel();
    this.#timer = null;
    for (const waiter of this.#waiters.splice(0)) waiter.giveUp(error);
    for (const write of this.#held.splice(0)) write.giveUp(error);
  }

  #arm(): void {
    this.#timer ??= this.#options.clock.after(STORAGE_RETRY_MS, () => {
      this.#timer = null;
      this.#look();
    });
  }

  #look(): void {
    const nowMs = this.#options.clock.nowMs();
    if (this.#sinceMs === null && this.#waiters.length + this.#held.length === 0) return;
    const limit = this.#limit;
    const fromMs = Math.max(this.#sinceMs ?? nowMs, limit?.fromMs ?? 0);
    if (limit !== null && nowMs - fromMs >= limit.forMs) {
      this.#limit = null;
      limit.act();
    }
    if (this.#stopped !== null) return;
    this.#arm();
    const error = this.#error(nowMs);
    const due = this.#held.filter(({ untilMs }) => untilMs <= nowMs);
    this.#held = this.#held.filter(({ untilMs }) => untilMs > nowMs);
    for (const write of due) write.giveUp(error);
    this.relieve(error);
    const isQuiet = this.#waiters.length + this.#held.length === 0;
    if (isQuiet && nowMs - this.#metMs >= STORAGE_QUIET_MS) this.passed();
    else this.#retry(1);
  }

  /** One write of a volume is enough to find out; those of the pool itself are few. */
  #retry(writes: number): void {
    for (const waiter of this.#waiters.splice(0)) waiter.retry();
    for (const write of this.#held.splice(0, writes)) write.retry();
  }

  #isForGood(nowMs: number): boolean {
    return nowMs - (this.#sinceMs ?? nowMs) >= this.#options.fullRetryMs;
  }

  #error(nowMs: number): IoError {
    const kind = this.#isForGood(nowMs) ? "space" : "space-pending";
    const message = "the file system below the pool's devices is full: free some space there";
    return new IoError(kind, message, { object: this.#options.poolName });
  }
}
