import type { IoError } from "../../util/io-error.ts";

/**
 * Whether the pool goes on. After a failed flush or metadata write it does not: what was acknowledged may be lost, and a
 * second attempt that succeeds would hide that (rule F). The first failure stays; nothing takes it back.
 */
export class Health {
  /** For messages. */
  readonly poolName: string;
  #failure: IoError | null = null;
  readonly #listeners: Set<(error: IoError) => void> = new Set();
  readonly #watchers: Set<(error: IoError) => void> = new Set();

  constructor(poolName: string) {
    this.poolName = poolName;
  }

  /** What everything is refused with, or null while the pool is well. */
  get failure(): IoError | null {
    return this.#failure;
  }

  /** Stops the pool for good. The first call counts; of the others {@link onEachFailure} tells. */
  fail(error: IoError): void {
    const isFirst = this.#failure === null;
    this.#failure ??= error;
    for (const watcher of this.#watchers) watcher(error);
    if (!isFirst) return;
    const listeners = [...this.#listeners];
    for (const listener of listeners) listener(error);
  }

  /** Called once, within the turn of the failure; at once where it has happened. Returns the function that unsubscribes. */
  onFailure(listener: (error: IoError) => void): () => void {
    if (this.#failure !== null) listener(this.#failure);
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Called for each failure, also those of a pool that has stopped already, before anybody else; at once with the first where it has
   * happened. Returns the function that unsubscribes.
   */
  onEachFailure(watcher: (error: IoError) => void): () => void {
    this.#watchers.add(watcher);
    if (this.#failure !== null) watcher(this.#failure);
    return () => void this.#watchers.delete(watcher);
  }
}
