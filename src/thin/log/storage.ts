import { IoError } from "../../util/io-error.ts";

/** Something for which the storage below the pool's devices had no room. */
export interface StorageWaiter {
  /** Tries again; comes back to wait where there is no room. */
  retry(): void;
  /** It need not wait any more: the pool has stopped. */
  giveUp(error: IoError): void;
}

/** What lies below the devices, such as the file system of a sparse image, and can have no room for what has room in the pool. */
export interface Storage {
  wait(waiter: StorageWaiter): void;
  /** What had waited has found room. */
  passed(): void;
}

/** A write found no room. Nobody knows that of a flush: what it should have written may be lost (rule F). */
export function isOutOfRoom(error: unknown): boolean {
  return error instanceof IoError && error.kind === "space";
}

/** Does the work, a write that may be done again, until the storage has room for it. @throws what stops the pool, and other errors */
export async function withRoom(
  storage: Storage | undefined,
  work: () => Promise<void>,
): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await work();
      if (tries > 0) storage?.passed();
      return;
    } catch (error) {
      if (storage === undefined || !isOutOfRoom(error)) throw error;
      await roomIn(storage);
    }
  }
}

function roomIn(storage: Storage): Promise<void> {
  return new Promise((resolve, reject: (error: IoError) => void) => {
    storage.wait({ retry: resolve, giveUp: reject });
  });
}
