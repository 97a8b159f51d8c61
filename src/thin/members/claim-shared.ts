import type { BlockDevice } from "../../device/block-device.ts";
import { type Clock, pause } from "../../util/clock.ts";
import type { OwnerIdentity } from "../checkpoint/owner.ts";
import { PoolError } from "../pool-error.ts";
import { Heartbeat } from "./heartbeat.ts";
import { CLAIM_MS } from "./limits.ts";
import { watchBriefly } from "./watch-heartbeat.ts";

export interface ClaimOptions {
  /** The pool's first device, opened past the page cache. */
  readonly device: BlockDevice;
  readonly poolUuid: string;
  readonly owner: OwnerIdentity;
  readonly clock: Clock;
  /** As a heartbeat has it. */
  readonly uptimeMs?: (() => number) | undefined;
}

/** A pool that other hosts may reach, and that this one has. */
export interface SharedClaim {
  /** Tells when the pool is not ours any more, once; at once where it has happened. */
  onLost(listener: (reason: PoolError) => void): void;
  /** No more signs of life; to be called when the pool is closed. */
  release(): Promise<void>;
}

/**
 * Claims a pool that several hosts can reach and that none has, as far as its superblock tells: looks for others' signs of life, writes
 * one of its own, waits, and looks whether it is still there. Of two hosts that find a closed pool at the same time, the one that
 * writes last gets it; the caller reads the superblock again afterwards, for a host that was faster has signed it by then.
 *
 * @throws {PoolError} `busy`: another host claims it, too; `failed`, `io`
 * @throws {IoError} the heartbeat cannot be read
 */
export async function claimShared(options: ClaimOptions): Promise<SharedClaim> {
  // Whoever is just opening the pool must not be made to stop.
  await watchBriefly(options);
  const loss = new Loss();
  const heartbeat = new Heartbeat({ ...options, fence: (reason) => loss.set(reason) });
  try {
    await heartbeat.start();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PoolError("io", `the pool's heartbeat cannot be written: ${reason}`, error);
  }
  await pause(options.clock, CLAIM_MS);
  if (loss.reason === null) {
    return { onLost: (listener) => loss.listen(listener), release: () => heartbeat.stop() };
  }
  await heartbeat.stop();
  const { kind, message } = loss.reason;
  throw new PoolError(
    kind === "foreign" ? "busy" : kind,
    `another host may be opening the pool: ${message}`,
    loss.reason,
  );
}

/** Whether the pool was lost, for whoever asks early or late. */
class Loss {
  #reason: PoolError | null = null;
  #listener: (reason: PoolError) => void = () => undefined;

  get reason(): PoolError | null {
    return this.#reason;
  }

  set(reason: PoolError): void {
    this.#reason = reason;
    this.#listener(reason);
  }

  listen(listener: (reason: PoolError) => void): void {
    this.#listener = listener;
    if (this.#reason !== null) listener(this.#reason);
  }
}
