import { IoError } from "../util/io-error.ts";
import type { IoRequest } from "../util/io-request.ts";

/** Starts one fdatasync. */
export type StartSync = (done: (error: Error | null) => void) => void;

/** Told when a flush has failed. */
export type FlushFailureListener = (error: IoError) => void;

/**
 * Flushes for everybody at once. At most one fdatasync runs; whoever asks meanwhile shares the next one, because the
 * running one may have begun before their writes were done.
 *
 * A failure latches. After a failed fdatasync the kernel marks the pages clean and forgets them: a second call that
 * succeeds would claim what was lost. So from then on every flush fails, and the device refuses writes.
 */
export class GroupFlush {
  readonly #name: string;
  readonly #start: StartSync;
  readonly #listeners: Set<FlushFailureListener> = new Set();
  #running: IoRequest[] = [];
  #next: IoRequest[] = [];
  #isRunning = false;
  #nextWanted = false;
  #failure: IoError | null = null;
  #onIdle: (() => void) | null = null;

  constructor(name: string, start: StartSync) {
    this.#name = name;
    this.#start = start;
  }

  /** The latched failure, or null. */
  get failure(): IoError | null {
    return this.#failure;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** See `BlockDevice.onFlushFailure`. */
  onFailure(listener: FlushFailureListener): () => void {
    if (this.#failure !== null) listener(this.#failure);
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls `done` of the request when everything that is completed now is on stable media. */
  add(request: IoRequest): void {
    this.#next.push(request);
    this.begin();
  }

  /** Flushes for nobody in particular. */
  begin(): void {
    this.#nextWanted = true;
    if (!this.#isRunning) this.#run();
  }

  /** Calls back when nothing runs or waits; at once if so. */
  whenIdle(callback: () => void): void {
    if (this.#isRunning) this.#onIdle = callback;
    else callback();
  }

  readonly #finished = (error: Error | null): void => {
    this.#isRunning = false;
    if (error !== null) this.fail(error);
    const settled = this.#running;
    this.#running = [];
    if (this.#nextWanted) this.#run();
    for (const request of settled) request.done(this.#failure);
    if (!this.#isRunning) this.#becameIdle();
  };

  /**
   * One has failed: also for what came as an error of something else and says that what was written is lost. The first counts. Whoever has
   * asked hears of it with the others.
   */
  fail(cause: Error): void {
    if (this.#failure !== null) return;
    const message = "a flush failed: writes that were acknowledged may be lost";
    const failure = new IoError("failed", message, { object: this.#name, cause });
    this.#failure = failure;
    for (const listener of this.#listeners) listener(failure);
  }

  #run(): void {
    this.#nextWanted = false;
    const requests = this.#next;
    this.#next = [];
    if (this.#failure !== null) {
      for (const request of requests) request.done(this.#failure);
      return;
    }
    this.#running = requests;
    this.#isRunning = true;
    this.#start(this.#finished);
  }

  #becameIdle(): void {
    const callback = this.#onIdle;
    this.#onIdle = null;
    callback?.();
  }
}
