import { IoError } from "../../util/io-error.ts";
import type { Recovered } from "../checkpoint/recovery.ts";
import { AutoGrowth, type Growth } from "./auto-growth.ts";
import { PoolChores } from "./chores.ts";
import { Discards } from "./discards.ts";
import { watchFailure } from "./failure.ts";
import { Filler } from "./filler.ts";
import { FullNotice } from "./full-notice.ts";
import { FullPolicy } from "./full-policy.ts";
import { addDevice, growDevice } from "./growth.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Ownership } from "./ownership.ts";
import { PoolEngine } from "./pool-engine.ts";
import type { PoolListeners } from "./pool-events.ts";
import type { PoolOpenOptions, PoolRunSettings } from "./pool-options.ts";
import type { PoolParts } from "./pool-parts.ts";
import { RateLimit } from "./rate-limit.ts";
import { SpaceWatch } from "./space-watch.ts";
import type { StorageWatch } from "./storage-watch.ts";
import { VolumeRegistry } from "./volume-registry.ts";

const MS_PER_SECOND = 1000;

export interface StartOptions {
  readonly uuid: string;
  readonly recovered: Recovered;
  readonly options: PoolOpenOptions;
  readonly settings: PoolRunSettings;
  readonly storage: StorageWatch;
  readonly listeners: PoolListeners;
  /** Puts an operation into the pool's queue. */
  readonly run: (operation: () => Promise<void>) => Promise<void>;
}

/** A pool that runs. */
export interface StartedPool {
  readonly parts: PoolParts;
  readonly watch: SpaceWatch;
  /** Begins nothing more by itself, and resolves when what was begun has ended. */
  stop(): Promise<void>;
}

function fillerOf(
  parts: PoolParts,
  { options, settings: { fillBytesPerSecond } }: StartOptions,
): Filler | null {
  if (fillBytesPerSecond === 0) return null;
  const isBusy = (): boolean => parts.engine.isDirty || (options.isHostBusy?.() ?? false);
  return new Filler(parts, new RateLimit(options.clock, fillBytesPerSecond), isBusy);
}

/** Puts the parts of a recovered pool together, and starts what it does by itself. */
export function startPool(start: StartOptions): StartedPool {
  const { recovered, options, settings, storage, listeners } = start;
  const { state, health } = recovered;
  const { clock, log } = options;
  const fullPolicy = new FullPolicy({
    clock,
    poolName: state.settings.name,
    holdMs: settings.holdMs,
    fullRetryMs: settings.fullRetryMs,
    usableExtents: () => extentsForWaiters(state.space),
    isMomentary: () => state.space.usableExtents > 0 || state.space.punchingExtents > 0,
    wanted: () => housekeeping.wakeForSpace(),
    changed: (isFull) => notice.changed(isFull),
  });
  const notice = new FullNotice(clock, (isFull, changes) => tellFull(parts, isFull, changes));
  const engine = new PoolEngine(recovered, { fullPolicy, storage, clock });
  const startedAtMs = clock.nowMs();
  const parts: PoolParts = {
    uuid: start.uuid,
    ...recovered,
    engine,
    fullPolicy,
    storage,
    volumes: new VolumeRegistry(engine),
    ownership: new Ownership({ ...recovered, clock }, start.run),
    listeners,
    clock,
    log,
    // The clock of the pool has no date, and the owner's identity has one.
    nowSeconds: () =>
      options.owner.openedAtSeconds + Math.floor((clock.nowMs() - startedAtMs) / MS_PER_SECOND),
  };
  const growth = autoGrowth(parts, start);
  const watch = new SpaceWatch(parts, settings.thresholds, growth);
  const rate = new RateLimit(clock, settings.discardBytesPerSecond);
  const chores = new PoolChores({
    parts,
    engine,
    discards: settings.discardBytesPerSecond > 0 ? new Discards(parts, rate, clock) : null,
    filler: fillerOf(parts, start),
    watch,
  });
  const housekeeping = new Housekeeping({
    clock,
    chores,
    // What stops the pool has said so itself.
    failed: (error) => log.warn({ error }, "housekeeping did not come to its end"),
  });
  storage.relieve = (error) => recovered.journal.withdraw(error);
  state.space.virginDue = () => housekeeping.moveVirginMarks();
  const unsubscribe = state.space.onFreed(() => fullPolicy.freed());
  watchFailure(start.uuid, { health, failureMark: options.failureMark, log }, (error) => {
    housekeeping.stop();
    notice.stop();
    fullPolicy.stop(error);
    listeners.emit({ kind: "failed", error });
  });
  housekeeping.start();
  return {
    parts,
    watch,
    stop: async () => {
      unsubscribe();
      notice.stop();
      housekeeping.stop();
      growth?.stop();
      await housekeeping.settled();
      await watch.settled();
    },
  };
}

/** Extents that writes could take now, some of them only those of volumes with a reservation. */
function extentsForWaiters(space: PoolParts["state"]["space"]): number {
  const usable = space.usableExtents + space.reservedOutstandingExtents;
  return Math.min(usable, space.allocatableExtents);
}

function tellFull(parts: PoolParts, isFull: boolean, changes: number): void {
  const { state, log, listeners } = parts;
  const { extentBytes } = state.geometry;
  const pool = state.settings.name;
  if (isFull) {
    const capacityBytes = state.addresses.extentCount * extentBytes;
    log.error({ pool, capacityBytes, changes }, "the pool is full: writes wait, then fail");
    listeners.emit({ kind: "full", capacityBytes });
  } else {
    const freeBytes = state.space.freeExtents * extentBytes;
    log.info({ pool, freeBytes, changes }, "the pool has space again");
    listeners.emit({ kind: "space-available", freeBytes });
  }
}

function autoGrowth(parts: PoolParts, { settings, run }: StartOptions): AutoGrowth | null {
  if (settings.growth === null) return null;
  const { state, clock, log } = parts;
  const apply = async (growth: Growth): Promise<void> => {
    try {
      await run(() => applyGrowth(parts, growth));
    } finally {
      // Once the pool knows of a device, a pool that has failed keeps it, too.
      if (growth.kind === "device") {
        await growth.settled(state.addresses.devices.includes(growth.device));
      }
    }
  };
  return new AutoGrowth({
    ...settings.growth,
    clock,
    log: log.child({ pool: state.settings.name }),
    // What can be written: the reserve for metadata and other volumes' reservations may be all that is free.
    freeBytes: () => Math.max(0, state.space.usableExtents) * state.geometry.extentBytes,
    apply,
  });
}

async function applyGrowth(parts: PoolParts, growth: Growth): Promise<void> {
  const { failure } = parts.health;
  if (failure !== null) throw new IoError("failed", failure.message, { object: "growth" });
  if (growth.kind === "device") await addDevice(parts, growth.device, growth);
  else await growDevice(parts, growth.device, growth.isZero);
}
