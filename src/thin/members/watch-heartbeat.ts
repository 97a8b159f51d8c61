import type { BlockDevice } from "../../device/block-device.ts";
import type { Clock } from "../../util/clock.ts";
import { readBytes } from "../../util/io-request.ts";
import { isFault } from "../format/fault.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { HEARTBEAT_OFFSET } from "../format/layout.ts";
import { PoolError } from "../pool-error.ts";
import { decodeHeartbeat } from "./heartbeat-block.ts";
import { HEARTBEAT_INTERVAL_MS, WATCH_INTERVALS_MIN } from "./limits.ts";

export interface WatchOptions {
  /** The pool's first device, opened past the page cache (`direct`): otherwise each read shows the first one's bytes. */
  readonly device: BlockDevice;
  readonly clock: Clock;
  /** How many intervals; at least WATCH_INTERVALS_MIN, which is what it is unless told otherwise. */
  readonly intervals?: number;
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}

/**
 * Watches for signs of life before a pool is taken over from another host: any change of the block is one. Resolves when there
 * was none in all the time.
 *
 * @throws {PoolError} `busy`: it changed, so the owner lives
 * @throws {IoError} the block cannot be read: then nobody knows, and the pool must not be taken over
 */
export async function watchHeartbeat(options: WatchOptions): Promise<void> {
  const { device, clock } = options;
  const intervals = Math.max(options.intervals ?? WATCH_INTERVALS_MIN, WATCH_INTERVALS_MIN);
  const first = await readBytes(device, HEARTBEAT_OFFSET, BLOCK_BYTES);
  for (let interval = 0; interval < intervals; interval += 1) {
    await pause(clock, HEARTBEAT_INTERVAL_MS);
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
