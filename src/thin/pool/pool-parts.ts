import type { Log } from "../../util/log.ts";
import type { Clock } from "../../util/clock.ts";
import type { Checkpointer } from "../checkpoint/checkpointer.ts";
import type { SuperblockStore } from "../checkpoint/superblock-store.ts";
import type { Engine } from "../io/engine.ts";
import type { Barrier } from "../log/barrier.ts";
import type { Health } from "../log/health.ts";
import type { Journal } from "../log/journal.ts";
import type { PoolState } from "../map/pool-state.ts";
import type { FullPolicy } from "./full-policy.ts";
import type { Ownership } from "./ownership.ts";
import type { PoolListeners } from "./pool-events.ts";
import type { StorageWatch } from "./storage-watch.ts";
import type { VolumeRegistry } from "./volume-registry.ts";

/** What the operations on an open pool work with. */
export interface PoolParts {
  readonly uuid: string;
  readonly state: PoolState;
  readonly journal: Journal;
  readonly barrier: Barrier;
  readonly checkpointer: Checkpointer;
  readonly superblocks: SuperblockStore;
  readonly health: Health;
  readonly engine: Engine;
  readonly fullPolicy: FullPolicy;
  readonly storage: StorageWatch;
  readonly volumes: VolumeRegistry;
  readonly ownership: Ownership;
  readonly listeners: PoolListeners;
  readonly clock: Clock;
  readonly log: Log;
  /** Seconds since 1970. */
  nowSeconds(): number;
}
