import type { IoRequest } from "../util/io-request.ts";
import type { BlockDevice } from "./block-device.ts";
import { DeviceFilter } from "./device-filter.ts";

/** Calls back after so many milliseconds, as setTimeout does. */
export type Schedule = (callback: () => void, delayMs: number) => void;

/**
 * Holds every request back for a time before it goes to the device below: a slow disk, or with a long delay a stuck
 * one. Nothing is served synchronously.
 */
export class DelayFilter extends DeviceFilter {
  /** May be changed at any time, for the requests that come after. */
  delayMs: number;
  readonly #schedule: Schedule;
  #held = 0;
  #onIdle: (() => void) | null = null;

  constructor(below: BlockDevice, delayMs: number, schedule: Schedule = setTimeout) {
    super(below, `${below.name} (delayed)`);
    this.delayMs = delayMs;
    this.#schedule = schedule;
  }

  /** How many requests are being held back. */
  get heldCount(): number {
    return this.#held;
  }

  override tryRead(): boolean {
    return false;
  }

  override tryWrite(): boolean {
    return false;
  }

  override submit(request: IoRequest): void {
    this.#held += 1;
    this.#schedule(() => this.#release(request), this.delayMs);
  }

  /** Waits for what is held back, as for everything that runs. */
  override async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#held === 0) resolve();
      else this.#onIdle = resolve;
    });
    await super.close();
  }

  #release(request: IoRequest): void {
    this.#held -= 1;
    this.below.submit(request);
    if (this.#held === 0) this.#onIdle?.();
  }
}
