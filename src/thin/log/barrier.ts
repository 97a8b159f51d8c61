import type { BlockDevice } from "../../device/block-device.ts";
import { IoError } from "../../util/io-error.ts";
import { IoKind, IoRequest } from "../../util/io-request.ts";
import type { Health } from "./health.ts";
import type { AppendWaiter, Journal } from "./journal.ts";

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
 * Rule B. One barrier runs; whoever asks meanwhile shares the next one, because the running one may have begun before their
 * writes were done.
 */
export class Barrier implements AppendWaiter {
  readonly #journal: Journal;
  readonly #health: Health;
  readonly #devices: () => readonly BlockDevice[];
  readonly #space: Releases;
  #running: SyncWaiter[] = [];
  #next: SyncWaiter[] = [];
  #isRunning = false;
  #target = 0;
  #unsafeSeq = 0;
  /** Flushes of the present step that are still to come back. */
  #open = 0;
  #isRecorded = false;
  #durableSeq: number;
  #flushes = 0;

  constructor(options: BarrierOptions) {
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

  /** The waiter is called, possibly within this call, when all that was done before it is on stable media. */
  sync(waiter: SyncWaiter): void {
    const { failure } = this.#health;
    if (failure !== null) {
      waiter.done(failure);
      return;
    }
    this.#next.push(waiter);
    if (!this.#isRunning) this.#begin();
  }

  /** A checkpoint that includes these records is durable. */
  noteDurable(seq: number): void {
    this.#durableSeq = Math.max(this.#durableSeq, seq);
    this.#space.release(this.#durableSeq);
  }

  /** Resolves when none runs or waits, however they end. */
  async idle(): Promise<void> {
    while (this.#isRunning) {
      await new Promise<void>((resolve) => this.#running.push({ done: () => resolve() }));
    }
  }

  appended(): void {
    this.#isRecorded = true;
    this.#flush(1);
  }

  appendFailed(error: IoError): void {
    this.#finish(error);
  }

  #begin(): void {
    this.#isRunning = true;
    this.#running = this.#next;
    this.#next = [];
    // Before the first flush: data of what is appended while it runs is not covered by it.
    this.#target = this.#journal.appliedSeq;
    this.#unsafeSeq = this.#journal.unsafeSeq;
    this.#isRecorded = false;
    this.#flush(this.#devices().length);
  }

  /** Flushes the first `count` devices in parallel. */
  #flush(count: number): void {
    const devices = this.#devices().slice(0, count);
    this.#open = devices.length;
    this.#flushes += devices.length;
    for (const device of devices) device.submit(new DeviceFlush(this.#flushed));
  }

  readonly #flushed = (error: IoError | null): void => {
    if (error !== null) {
      const message = "a flush failed: writes that were acknowledged may be lost";
      const context = { object: this.#health.poolName, cause: error };
      this.#health.fail(new IoError("failed", message, context));
    }
    this.#open -= 1;
    if (this.#open > 0) return;
    const { failure } = this.#health;
    if (failure !== null) this.#finish(failure);
    else if (!this.#isRecorded && this.#unsafeSeq > this.#durableSeq) this.#record();
    else this.#finish(null);
  };

  #record(): void {
    this.#journal.append({ kind: "barrier", upto: this.#target }, this);
  }

  #finish(error: IoError | null): void {
    const waiters = this.#running;
    this.#running = [];
    this.#isRunning = false;
    if (error === null) {
      const { appliedSeq, changedSeq } = this.#journal;
      // A barrier's own block says nothing of maps: a write with forceUnitAccess behind it needs no further one.
      this.noteDurable(changedSeq <= this.#target ? appliedSeq : this.#target);
    }
    if (error !== null) waiters.push(...this.#next.splice(0));
    else if (this.#next.length > 0) this.#begin();
    for (const waiter of waiters) waiter.done(error);
  }
}
