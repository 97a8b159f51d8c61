import type { BlockDevice } from "../../device/block-device.ts";
import { IoError } from "../../util/io-error.ts";
import { assemble } from "../checkpoint/assemble.ts";
import { type Recovered, recover } from "../checkpoint/recovery.ts";
import { closeAll } from "../io/gate.ts";
import type { ThinVolume } from "../io/thin-volume.ts";
import { syncBarrier } from "../log/promises.ts";
import { type AuditOptions, auditState } from "../map/audit.ts";
import type { PoolState } from "../map/pool-state.ts";
import { PoolError } from "../pool-error.ts";
import { asPoolError } from "./commit.ts";
import {
  FenceError,
  markFailure,
  NoRoomError,
  refuseFailed,
  refuseForeign,
  watchDevice,
} from "./failure.ts";
import { addDevice, checkRoomForDevice, growDevice } from "./growth.ts";
import { STORAGE_WAIT_MS } from "./limits.ts";
import { type PoolListener, PoolListeners } from "./pool-events.ts";
import {
  type AttributeChanges,
  type CopySpec,
  type NewDevice,
  POOL_RUN_DEFAULTS,
  type PoolOpenOptions,
  type PoolRunSettings,
  type SettingsChanges,
  type VolumeSpec,
} from "./pool-options.ts";
import type { PoolParts } from "./pool-parts.ts";
import { OperationQueue } from "./operation-queue.ts";
import { resize } from "./resize.ts";
import { rollback } from "./rollback.ts";
import { setSettings } from "./settings.ts";
import { snapshot } from "./snapshots.ts";
import { startPool, type StartedPool } from "./start-pool.ts";
import { type PoolStatistics, statisticsOf } from "./statistics.ts";
import { StorageNotice } from "./storage-notice.ts";
import { StorageWatch } from "./storage-watch.ts";
import { type PoolUsage, usageOf } from "./usage.ts";
import { createVolume, deleteVolume, rename, setAttributes } from "./volumes.ts";

/**
 * An open pool. Operations that change it run one after another, in the order in which they are asked for; each is durable when it
 * resolves, and has happened as a whole or not at all after a crash (rule N). They reject with a PoolError and then have changed nothing.
 */
export class Pool {
  readonly #started: StartedPool;
  readonly #parts: PoolParts;
  readonly #queue: OperationQueue;
  #closing: Promise<void> | null = null;
  /** It was closed without a checkpoint, and all is on stable media. */
  #isFlushed = false;

  private constructor(started: StartedPool, queue: OperationQueue) {
    this.#started = started;
    this.#parts = started.parts;
    this.#queue = queue;
  }

  /** Recovers the pool if it was not closed. Errors: missing, foreign, corrupt, failed, unsupported, io. */
  static async open(options: PoolOpenOptions): Promise<Pool> {
    const { devices, owner, clock, log, failureMark } = options;
    const settings = { ...POOL_RUN_DEFAULTS, ...options.settings };
    try {
      const assembly = await assemble(devices);
      await refuseFailed(failureMark, { uuid: assembly.poolUuid, name: assembly.name });
      refuseForeign(assembly.superblocks, options);
      const below = watchStorage(assembly.name, options, settings);
      const { storage } = below;
      const recovering = recover({
        devices: assembly.devices,
        joining: assembly.joining,
        superblocks: assembly.superblocks,
        onFailure: (error) => markFailure(failureMark, assembly.poolUuid, error),
        storage,
        onBegin: (health) => {
          health.onFailure((error) => storage.stop(error));
          storage.limit(STORAGE_WAIT_MS, () => health.fail(noRoom(assembly.name, devices)));
          for (const device of devices) watchDevice(health, device);
          options.onLost?.((reason) => health.fail(new FenceError(assembly.name, reason)));
        },
        owner,
        clock,
        log,
        leafMemoryBytesMax: settings.leafMemoryBytesMax,
      });
      const recovered = await recovering.catch((error: unknown) => {
        storage.stop(new IoError("gone", "the pool is not opened", { object: assembly.name }));
        throw error;
      });
      log.info(
        { pool: assembly.name, uuid: assembly.poolUuid, ...recovered.report },
        "pool opened",
      );
      storage.unlimit();
      const pool = Pool.start(assembly.poolUuid, recovered, { options, below });
      options.onLost?.((reason) => pool.fence(reason));
      return pool;
    } catch (error) {
      throw error instanceof NoRoomError ? error.cause : asPoolError(error);
    }
  }

  /** Starts a pool that was recovered just now. */
  private static start(
    uuid: string,
    recovered: Recovered,
    { options, below }: { readonly options: PoolOpenOptions; readonly below: Below },
  ): Pool {
    const settings = { ...POOL_RUN_DEFAULTS, ...options.settings };
    const queue = new OperationQueue();
    const refusal = (): PoolError => closedError(recovered.state.settings.name);
    const started = startPool({
      uuid,
      recovered,
      options,
      settings,
      ...below,
      run: (operation) => queue.run(operation, refusal),
    });
    return new Pool(started, queue);
  }

  get uuid(): string {
    return this.#parts.uuid;
  }

  get name(): string {
    return this.#parts.state.settings.name;
  }

  /** Bytes. */
  get extentBytes(): number {
    return this.#parts.state.geometry.extentBytes;
  }

  /** For reports: to be looked at, never to be changed. */
  get state(): PoolState {
    return this.#parts.state;
  }

  /** What has stopped the pool, or null. To be closed without a checkpoint is none where everything is flushed: the journal has it. */
  get failure(): IoError | null {
    const { failure } = this.#parts.health;
    return failure instanceof NoRoomError && this.#isFlushed ? null : failure;
  }

  /** Volumes and snapshots, by id. */
  volumes(): ThinVolume[] {
    return this.#parts.volumes.all();
  }

  /** Errors: missing. */
  volume(nameOrUuid: string): ThinVolume {
    const volume = this.#parts.volumes.find(nameOrUuid);
    if (volume !== null) return volume;
    throw new PoolError("missing", `pool ${this.name} has no volume ${nameOrUuid}`);
  }

  /** Says that somebody serves the volume, which cannot be deleted meanwhile; returns the function that says that it is over. */
  use(volume: ThinVolume): () => void {
    return this.#parts.volumes.use(volume);
  }

  createVolume(spec: VolumeSpec): Promise<ThinVolume> {
    return this.#run((parts) => createVolume(parts, spec));
  }

  /** Copies volumes at one instant, in their order. */
  snapshot(copies: readonly CopySpec<ThinVolume>[]): Promise<ThinVolume[]> {
    return this.#run((parts) => snapshot(parts, copies));
  }

  /** `volume` becomes, in content and size, what `source` is. */
  rollback(volume: ThinVolume, source: ThinVolume): Promise<void> {
    return this.#run((parts) => rollback(parts, volume, source));
  }

  /** `whileUsed`: also while somebody uses it, who is told the name by whoever asks. */
  rename(
    volume: ThinVolume,
    name: string,
    options: { readonly whileUsed?: boolean } = {},
  ): Promise<void> {
    return this.#run((parts) => rename(parts, volume, name, options.whileUsed));
  }

  setAttributes(volume: ThinVolume, changes: AttributeChanges): Promise<void> {
    return this.#run((parts) => setAttributes(parts, volume, changes));
  }

  resize(volume: ThinVolume, sizeBytes: number, consentToShrink: boolean): Promise<void> {
    return this.#run((parts) => resize(parts, volume, sizeBytes, consentToShrink));
  }

  /** Errors: busy while somebody uses it. Its space comes back in the background. */
  delete(volume: ThinVolume): Promise<void> {
    return this.#run((parts) => deleteVolume(parts, volume));
  }

  setSettings(changes: SettingsChanges): Promise<void> {
    return this.#run((parts) => setSettings(parts, changes));
  }

  /** Before anything is done to a device that is to join. Errors: space; failed, missing. */
  checkRoomForDevice(): Promise<void> {
    return this.#run((parts) => Promise.resolve(checkRoomForDevice(parts.state)));
  }

  addDevice(device: BlockDevice, options: NewDevice): Promise<void> {
    return this.#run((parts) => addDevice(parts, device, options));
  }

  /** Takes what a device has gained since; `isZero`: it reads as zeros on stable media. */
  growDevice(index: number, options: { readonly isZero?: boolean } = {}): Promise<void> {
    return this.#run((parts) => growDevice(parts, index, options.isZero));
  }

  usage(): PoolUsage {
    return usageOf(this.#parts.state);
  }

  statistics(): PoolStatistics {
    return statisticsOf(this.#parts, this.#started.watch);
  }

  /** Whether the pool's bookkeeping agrees with itself: what was found wrong, in words; empty where nothing is. Errors: busy: stopped. */
  check(options: AuditOptions = {}): Promise<string[]> {
    return this.#run((parts) => auditState(parts.state, options));
  }

  /** Makes everything durable that was acknowledged. Errors: failed, missing. */
  async sync(): Promise<void> {
    this.#refuseClosed();
    try {
      await syncBarrier(this.#parts.barrier);
    } catch (error) {
      throw asPoolError(error);
    }
  }

  /** Errors: failed, missing. */
  async checkpoint(): Promise<void> {
    this.#refuseClosed();
    try {
      await this.#parts.checkpointer.run("asked");
    } catch (error) {
      throw asPoolError(error);
    }
  }

  /** Stops the pool at once, as a failure does: it is not, or may not be, this host's any more. It can be opened again. */
  fence(reason: PoolError): void {
    this.#parts.health.fail(new FenceError(this.name, reason));
  }

  /** Returns the function that unsubscribes. */
  subscribe(listener: PoolListener): () => void {
    return this.#parts.listeners.subscribe(listener);
  }

  /** Idempotent. Takes nothing more, writes a clean checkpoint and releases the pool; the devices stay open. Errors: failed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { volumes, fullPolicy, health, state, storage } = this.#parts;
    const isClosing = new IoError("gone", "the pool is being closed", { object: this.name });
    storage.stopHolding(isClosing);
    storage.limit(STORAGE_WAIT_MS, () => this.#endWithoutRoom());
    await this.#queue.close();
    fullPolicy.stop(isClosing);
    await this.#started.stop();
    const all = volumes.all();
    await closeAll(
      all.map(({ gate }) => gate),
      { reads: true },
    );
    try {
      // A pool that has failed must not look as if it had been closed: nothing more is written to it.
      if (health.failure === null) {
        await syncBarrier(this.#parts.barrier);
        await this.#parts.checkpointer.close();
      }
    } catch (error) {
      if (!(health.failure instanceof NoRoomError)) throw asPoolError(error);
    } finally {
      storage.stop(isClosing);
      state.space.stop();
      for (const volume of all) {
        volume.markGone();
        volume.gate.open();
      }
      // Of a pool that has failed: what it still writes would come over what the next one to open it does.
      await this.#parts.checkpointer.idle();
      // Of flushes that came meanwhile: one that finds its device closed would count as failed (rule F).
      await this.#parts.barrier.idle();
    }
  }

  /** The checkpoint of an orderly end finds no room: the next opening replays the journal instead. */
  #endWithoutRoom(): void {
    const { health, barrier, clock, state, log } = this.#parts;
    const end = (isFlushed: boolean): void => {
      timer.cancel();
      if (health.failure !== null) return;
      this.#isFlushed = isFlushed;
      const pool = this.name;
      const what =
        "the pool is closed without a checkpoint: its journal is replayed when it is opened";
      log.warn({ pool, isFlushed }, what);
      health.fail(noRoom(pool, state.addresses.devices));
    };
    // Where the journal itself has no room, this does not end.
    const timer = clock.after(STORAGE_WAIT_MS, () => end(false));
    syncBarrier(barrier).then(
      () => end(true),
      () => end(false),
    );
  }

  #run<Result>(operation: (parts: PoolParts) => Promise<Result>): Promise<Result> {
    const guarded = async (): Promise<Result> => {
      const { failure } = this.#parts.health;
      if (failure !== null) throw new PoolError("failed", failure.message, failure);
      try {
        return await operation(this.#parts);
      } catch (error) {
        throw asPoolError(error);
      }
    };
    return this.#queue.run(guarded, () => closedError(this.name));
  }

  /** The devices are not the pool's any more, and a flush or a write that they refuse would count as a failure (rule F). */
  #refuseClosed(): void {
    if (this.#closing !== null) throw closedError(this.name);
  }
}

interface Below {
  readonly storage: StorageWatch;
  readonly listeners: PoolListeners;
}

function watchStorage(
  poolName: string,
  { clock, log, devices }: PoolOpenOptions,
  { holdMs, fullRetryMs }: Pick<PoolRunSettings, "holdMs" | "fullRetryMs">,
): Below {
  const listeners = new PoolListeners();
  const names = devices.map(({ name }) => name);
  const notice = new StorageNotice({ clock, log, listeners, poolName, devices: names });
  const storage = new StorageWatch({
    clock,
    poolName,
    holdMs,
    fullRetryMs,
    changed: (isFull) => notice.changed(isFull),
    ended: () => notice.stop(),
  });
  return { storage, listeners };
}

function noRoom(poolName: string, devices: readonly BlockDevice[]): NoRoomError {
  const names = devices.map(({ name }) => name).join(", ");
  const what =
    `the file system below ${names} is full, and has no room for a checkpoint of the pool. Nothing is lost: ` +
    "free some space there, then open the pool again";
  return new NoRoomError(poolName, new PoolError("space", what));
}

function closedError(name: string): PoolError {
  return new PoolError("missing", `pool ${name} is closed`);
}
