import type { IoError } from "../../util/io-error.ts";

/** What happens to a pool. Sizes in bytes. */
export type PoolEvent =
  /** The space in use has crossed one of the pool's thresholds upwards. */
  | {
      readonly kind: "threshold";
      /** A share of 1. */
      readonly share: number;
      readonly usedBytes: number;
      readonly capacityBytes: number;
    }
  /** A write found no space; it and those after it wait, and fail as the settings say. */
  | { readonly kind: "full"; readonly capacityBytes: number }
  /** The pool was full and has space again. */
  | { readonly kind: "space-available"; readonly freeBytes: number }
  /** The file system below a device has no room for what has room in the pool: what needs some waits, and writes fail as the settings say. */
  | { readonly kind: "storage-full" }
  /** It was full and has room again. */
  | { readonly kind: "storage-available" }
  /** A device was added or has grown. */
  | { readonly kind: "grown"; readonly device: number; readonly capacityBytes: number }
  /** The pool has stopped, for good until the machine is started again. */
  | { readonly kind: "failed"; readonly error: IoError }
  /** A volume was made, renamed, changed or deleted. */
  | { readonly kind: "volumes-changed" };

export type PoolListener = (event: PoolEvent) => void;

/** Those who want to know. A listener that is called may subscribe and unsubscribe. */
export class PoolListeners {
  readonly #listeners: Set<PoolListener> = new Set();

  /** Returns the function that unsubscribes. */
  subscribe(listener: PoolListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: PoolEvent): void {
    for (const listener of Array.from(this.#listeners)) listener(event);
  }
}
