import type { Clock, Timer } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import { FullNotice } from "./full-notice.ts";
import { STORAGE_REMINDER_MS } from "./limits.ts";
import type { PoolListeners } from "./pool-events.ts";

export interface StorageNoticeOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly listeners: Pick<PoolListeners, "emit">;
  readonly poolName: string;
  /** By their names. */
  readonly devices: readonly string[];
}

/** Says that the file system below a pool's devices is full, again as long as it is, and that it is not any more. */
export class StorageNotice {
  readonly #options: StorageNoticeOptions;
  readonly #notice: FullNotice;
  #isFull = false;
  #timer: Timer | null = null;

  constructor(options: StorageNoticeOptions) {
    this.#options = options;
    this.#notice = new FullNotice(options.clock, (isFull, changes) => {
      this.#log(isFull, changes);
      options.listeners.emit({ kind: isFull ? "storage-full" : "storage-available" });
    });
  }

  changed(isFull: boolean): void {
    this.#isFull = isFull;
    this.#notice.changed(isFull);
  }

  /** Says nothing more. */
  stop(): void {
    this.#notice.stop();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #log(isFull: boolean, changes: number): void {
    const { clock, log, poolName: pool, devices } = this.#options;
    this.#timer?.cancel();
    this.#timer = null;
    if (!isFull) {
      log.info({ pool, changes }, "the file system below the pool's devices has room again");
      return;
    }
    const what = "the file system below the pool's devices is full: free some space there";
    log.error({ pool, devices, changes }, what);
    this.#timer = clock.after(STORAGE_REMINDER_MS, () => {
      this.#timer = null;
      if (this.#isFull) this.#log(true, 0);
    });
  }
}
