import type { IoError } from "../util/io-error.ts";

/** Whether a device may still change its medium: one for all parts of a device, which look before each call that does. */
export class WriteStop {
  #error: IoError | null = null;

  /** What writes are refused with; null: they go on. */
  get error(): IoError | null {
    return this.#error;
  }

  /** For good; the first error stays. */
  set(error: IoError): void {
    this.#error ??= error;
  }
}
