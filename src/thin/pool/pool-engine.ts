import type { Clock } from "../../util/clock.ts";
import type { Recovered } from "../checkpoint/recovery.ts";
import type { Geometry } from "../format/geometry.ts";
import type { Engine } from "../io/engine.ts";
import type { Barrier } from "../log/barrier.ts";
import type { Health } from "../log/health.ts";
import type { Journal } from "../log/journal.ts";
import type { PoolState } from "../map/pool-state.ts";
import type { FullPolicy } from "./full-policy.ts";
import type { StorageWatch } from "./storage-watch.ts";

/** What the volumes of an open pool share. */
export class PoolEngine implements Engine {
  readonly geometry: Geometry;
  readonly state: PoolState;
  readonly journal: Journal;
  readonly barrier: Barrier;
  readonly health: Health;
  readonly clock: Clock;
  readonly fullPolicy: FullPolicy;
  readonly storage: StorageWatch;
  /** Something was written that the background barrier has to make durable. */
  isDirty = false;

  constructor(
    recovered: Recovered,
    parts: {
      readonly fullPolicy: FullPolicy;
      readonly storage: StorageWatch;
      readonly clock: Clock;
    },
  ) {
    this.state = recovered.state;
    this.geometry = recovered.state.geometry;
    this.journal = recovered.journal;
    this.barrier = recovered.barrier;
    this.health = recovered.health;
    this.clock = parts.clock;
    this.fullPolicy = parts.fullPolicy;
    this.storage = parts.storage;
  }

  get poolName(): string {
    return this.state.settings.name;
  }
}
