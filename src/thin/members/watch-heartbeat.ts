import type { BlockDevice } from "../../device/block-device.ts";
import { type Clock, pause } from "../../util/clock.ts";
import { readBytes } from "../../util/io-request.ts";
import { isFault } from "../format/fault.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { HEARTBEAT_OFFSET } from "../format/layout.ts";
import { PoolError } from "../pool-error.ts";
import { decodeHeartbeat, type Heartbeat } from "./heartbeat-block.ts";
import { CLAIM_MS, HEARTBEAT_INTERVAL_MS, WATCH_INTERVALS } from "./limits.ts";

export interface WatchOptions {
  /** The pool's first device, opened past the page cache (`direct`): otherwise each read shows the first one's bytes. */
  readonly device: BlockDevice;
  readonly clock: Clock;
}

/** The sign of life that the last host to share this pool gave or left; null: none ever did. @throws {IoError} it cannot be read */
export async function signOfLife(device: BlockDevice, poolUuid: string): Promise<Heartbeat | null> {
  const block = decodeHeartbeat(await readBytes(device, HEARTBEAT_OFFSET, BLOCK_BYTES));
  return isFault(block) || block.poolUuid !== poolUuid ? null : block;
}

/**
 * Watches for signs of life before a pool is taken over from another host: any change of the block is one. Resolves when there
 * was none in all the time.
 *
 * @throws {PoolError} `busy`: it changed, so the owner lives
 * @throws {IoError} the block cannot be read: then nobody knows, and the pool must not be taken over
 */
export function watchHeartbeat(options: WatchOptions): Promise<void> {
  return watch(options, { intervalMs: HEARTBEAT_INTERVAL_MS, intervals: WATCH_INTERVALS });
}

/**
 * Looks for signs of life where none are expected: of whoever is just opening the pool, and has not signed it when its superblock was
 * read. Errors: as {@link watchHeartbeat}.
 */
export function watchBriefly(options: WatchOptions): Promise<void> {
  return watch(options, { intervalMs: CLAIM_MS, intervals: 1 });
}

async function watch(
  { device, clock }: WatchOptions,
  { intervalMs, intervals }: { readonly intervalMs: number; readonly intervals: number },
): Promise<void> {
  const first = await readBytes(device, HEARTBEAT_OFFSET, BLOCK_BYTES);
  for (let interval = 0; interval < intervals; interval += 1) {
    await pause(clock, intervalMs);
    const now = await readBytes(device, HEARTBEAT_OFFSET, BLOCK_BYTES);
    if (now.equals(first)) continue;
    const block = decodeHeartbeat(now);
    const who = isFault(block) ? "another host" : `host ${block.hostId}`;
    throw new PoolError(
      "busy",
      `the pool is in use: the heartbeat of ${who} goes on; close it there`,
    );
  }
}
