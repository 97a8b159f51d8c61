import type { BlockDevice } from "../../device/block-device.ts";
import type { Clock } from "../../util/clock.ts";
import { Histogram } from "../../util/histogram.ts";
import { IoError } from "../../util/io-error.ts";
import { IoKind, IoRequest } from "../../util/io-request.ts";
import type { Health } from "./health.ts";
import type { AppendWaiter, Journal } from "./journal.ts";
import { BARRIER_BOUNDS_MS } from "./limits.ts";

/** Told when everything that was written and appended before is on stable media, or why that cannot be known. */
export interface SyncWaiter {
  done(error: IoError | null): void;
}

/** What waits for records to be durable before it can be used again. */
export interface Releases {
  release(durableSeq: number): void;
}

export interface BarrierOptions {
  readonly journal: Journal;
  readonly health: Health;
  /** All devices of the pool as they are now; the first holds the journal. */
  readonly devices: () => readonly BlockDevice[];
  readonly space: Releases;
  /** Records up to here are durable from the start. */
  readonly durableSeq: number;
  readonly clock: Clock;
}

class DeviceFlush extends IoRequest {
  readonly #end: (error: IoError | null) => void;

  constructor(end: (error: IoError | null) => void) {
    super();
    this.kind = IoKind.flush;
    this.#end = end;
  }

  override done(error: IoError | null): void {
    this.#end(error);
  }
}

/**
 * Rule B. A barrier is one flush, or two with a record in between. One flush runs; whoever asks meanwhile shares the next one,
 * because the running one may have begun before their writes were done. That may be the second of those before them.
 */
export class Barrier implements AppendWaiter {
  readonly #journal: Journal;
  readonly #health: Health;
  readonly #devices: () => readonly BlockDevice[];
  readonly #space: Releases;
  readonly #clock: Clock;
  /** They wait for their first flush to begin; */
  #next: SyncWaiter[] = [];
  /** for the end of it, or for their record; */
  #first: SyncWaiter[] = [];
  /** for the end of the flush behind their record. */
  #second: SyncWaiter[] = [];
  #isRunning = false;
  #firstTarget = 0;
  #firstUnsafeSeq = 0;
  #secondTarget = 0;
  /** Devices that the flush under way has still to come back from. */
  #open = 0;
  #durableSeq: number;
  #flushes = 0;
  /** When the first flush of those in `#first` began, and of those in `#second`. */
  #firstSinceMs = 0;
  #secondSinceMs = 0;
  #idlers: (() => void)[] = [];

  /** How long barriers took that have come to their end, in milliseconds: from the beginning of the first flush on. */
  readonly durationsMs: Histogram = new Histogram(BARRIER_BOUNDS_MS);

  constructor(options: BarrierOptions) {
    this.#clock = options.clock;
    this.#journal = options.journal;
    this.#health = options.health;
    this.#devices = options.devices;
    this.#space = options.space;
    this.#durableSeq = options.durableSeq;
  }

  /** All records up to here survive a power loss. */
  get durableSeq(): number {
    return this.#durableSeq;
  }

  /** Flushes of devices so far, for tests and metrics. */
  get flushes(): number {
    return this.#flushes;
  }

  /** For how long the oldest barrier has been under way, in milliseconds; 0: there is none. */
  get runningMs(): number {
    if (!this.#isRunning) return 0;
    const since = this.#second.length > 0 ? this.#secondSinceMs : this.#firstSinceMs;
    return this.#clock.nowMs() - since;
  }

  /** The waiter is called, possibly within this call, when all that was done before it is on stable media. */
  sync(waiter: SyncWaiter): void {
    const { failure } = this.#health;
    if (failure !== null) {
      waiter.done(failure);
      return;
    }
    this.#next.push(waiter);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#flush();
  }

  /** A checkpoint that includes these records is durable. */
  noteDurable(seq: number): void {
    this.#durableSeq = Math.max(this.#durableSeq, seq);
    this.#space.release(this.#durableSeq);
  }

  /** Resolves when none runs or waits, however they end. */
  async idle(): Promise<void> {
    while (this.#isRunning) await new Promise<void>((resolve) => this.#idlers.push(resolve));
  }

  appended(): void {
    this.#second = this.#first;
    this.#secondTarget = this.#firstTarget;
    this.#secondSinceMs = this.#firstSinceMs;
    this.#first = [];
    this.#flush();
  }

  appendFailed(error: IoError): void {
    this.#fail(error);
  }

  /** Flushes all devices in parallel, or only the journal's where nobody needs more. */
  #flush(): void {
    this.#first = this.#next;
    this.#next = [];
    this.#firstSinceMs = this.#clock.nowMs();
    // Before the flush: data of what is appended while it runs is not covered by it.
    this.#firstTarget = this.#journal.appliedSeq;
    this.#firstUnsafeSeq = this.#journal.unsafeSeq;
    const devices = this.#devices().slice(0, this.#first.length === 0 ? 1 : undefined);
    this.#open = devices.length;
    this.#flushes += devices.length;
    for (const [index, device] of devices.entries()) {
      device.submit(new DeviceFlush((error) => this.#flushed(index, error)));
    }
  }

  #flushed(index: number, error: IoError | null): void {
    if (error !== null) {
      const message = "a flush failed: writes that were acknowledged may be lost";
      const context = { object: this.#health.poolName, cause: error };
      this.#health.fail(new IoError("failed", message, context));
    }
    this.#open -= 1;
    const { failure } = this.#health;
    if (failure !== null) {
      if (this.#open === 0) this.#fail(failure);
      return;
    }
    // Their data reached the other devices before their record was appended.
    const done = index === 0 ? this.#second.splice(0) : [];
    if (done.length > 0) this.#reached(this.#secondTarget, this.#secondSinceMs);
    if (this.#open === 0) done.push(...this.#goOn());
    for (const waiter of done) waiter.done(null);
  }

  /** Begins what follows a flush; returns those who need no more than that. */
  #goOn(): SyncWaiter[] {
    if (this.#first.length > 0 && this.#firstUnsafeSeq > this.#durableSeq) {
      this.#journal.append({ kind: "barrier", upto: this.#firstTarget }, this);
      return [];
    }
    const done = this.#first.splice(0);
    if (done.length > 0) this.#reached(this.#firstTarget, this.#firstSinceMs);
    if (this.#next.length > 0) this.#flush();
    else this.#stop();
    return done;
  }

  /** Records up to this one are durable: the barrier that began then has come to its end. */
  #reached(target: number, sinceMs: number): void {
    this.durationsMs.record(this.#clock.nowMs() - sinceMs);
    const { appliedSeq, changedSeq } = this.#journal;
    // A barrier's own block says nothing of maps: a write with forceUnitAccess behind it needs no further one.
    this.noteDurable(changedSeq <= target ? appliedSeq : target);
  }

  #stop(): void {
    this.#isRunning = false;
    for (const resolve of this.#idlers.splice(0)) resolve();
  }

  #fail(error: IoError): void {
    const waiters = [...this.#second.splice(0), ...this.#first.splice(0), ...this.#next.splice(0)];
    this.#stop();
    for (const waiter of waiters) waiter.done(error);
  }
}
