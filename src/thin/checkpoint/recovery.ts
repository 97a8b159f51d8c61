import type { BlockDevice } from "../../device/block-device.ts";
import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import type { SuperblockCopy } from "../format/superblock-io.ts";
import type { Barrier } from "../log/barrier.ts";
import type { Health } from "../log/health.ts";
import type { Journal } from "../log/journal.ts";
import type { PoolState } from "../map/pool-state.ts";
import type { Checkpointer } from "./checkpointer.ts";
import type { OwnerIdentity } from "./owner.ts";
import type { SuperblockStore } from "./superblock-store.ts";

export interface RecoveryOptions {
  /** In the pool's order. */
  readonly devices: readonly BlockDevice[];
  readonly superblocks: readonly SuperblockCopy[];
  readonly owner: OwnerIdentity;
  readonly clock: Clock;
  readonly log: Log;
  readonly leafMemoryBytesMax: number;
  /** For tools: nothing at all is written; what comes out can only be looked at. */
  readonly readOnly?: boolean;
}

/** What a recovery found and did. */
export interface RecoveryReport {
  /** Of the checkpoint that it began with. */
  readonly generation: number;
  /** That was not the newest: the newest is broken. */
  readonly fellBack: boolean;
  /** The page cache is the one that the last owner wrote to. */
  readonly sameBoot: boolean;
  readonly wasClean: boolean;
  /** Blocks of the journal that were carried out, and that were not. */
  readonly replayed: number;
  readonly discarded: number;
}

export interface Recovered {
  readonly state: PoolState;
  readonly journal: Journal;
  readonly barrier: Barrier;
  readonly checkpointer: Checkpointer;
  readonly superblocks: SuperblockStore;
  readonly health: Health;
  readonly report: RecoveryReport;
}

/**
 * Opens a pool after whatever has happened to it (rules E and K).
 *
 * @throws {PoolError} corrupt: names `thinlun pool check` and `repair`; unsupported; io
 * @throws {IoError} a device failed
 */
export function recover(options: RecoveryOptions): Promise<Recovered> {
  return Promise.reject(new Error(String(options.devices.length)));
}
