import type { ThinVolume } from "../thin/io/thin-volume.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import { formatSize } from "../util/units.ts";
import { EngineDriver, type FindPool } from "../volume/engine/engine-driver.ts";
import { EngineVolume } from "../volume/engine/engine-volume.ts";
import { MemoryDriver } from "../volume/memory/memory-driver.ts";
import { NullDriver } from "../volume/null/null-driver.ts";
import { RawDriver } from "../volume/raw/raw-driver.ts";
import { type VolumeDriver, VolumeError, type VolumeSpec } from "../volume/volume-driver.ts";
import type { Volume } from "../volume/volume.ts";
import type { VolumeConfig } from "./config/config.ts";
import { messageOf, StartError } from "./start-error.ts";
import type { Identities } from "./state-store.ts";
import { endsWithin } from "./within.ts";

/** How long a volume's storage may take to be opened, measured or grown: a disk that spins up is there sooner, one that hangs is not. */
const ANSWER_MS_MAX = 30_000;

/** A volume that is open, and how it was configured. */
export interface OpenVolume {
  readonly volume: Volume;
  readonly config: VolumeConfig;
  /** True when it did not exist before. */
  readonly isNew: boolean;
}

/** The volumes of the daemon: makes, opens, grows and closes them as the configuration says. */
export class VolumeStore {
  readonly #log: Log;
  readonly #identities: Identities;
  readonly #drivers: Readonly<Record<VolumeConfig["driver"], VolumeDriver>>;
  readonly #open = new Map<string, OpenVolume>();
  /** Being opened or closed: nobody else has the name until that has ended. */
  readonly #busy = new Set<string>();
  readonly #clock: Clock;

  /** The pools are there as long as volumes of theirs are open. */
  constructor(log: Log, identities: Identities, findPool: FindPool, clock: Clock = systemClock) {
    this.#log = log;
    this.#clock = clock;
    this.#drivers = {
      raw: new RawDriver(),
      memory: new MemoryDriver(),
      null: new NullDriver(),
      thin: new EngineDriver(findPool),
    };
    this.#identities = identities;
  }

  /** Those that are open, by name. */
  get volumes(): ReadonlyMap<string, OpenVolume> {
    return this.#open;
  }

  /** Whether a volume of a pool is open here under its name. */
  readonly serves = (thin: ThinVolume): boolean => {
    for (const { volume } of this.#open.values()) {
      if (volume instanceof EngineVolume && volume.thin === thin) return true;
    }
    return false;
  };

  /**
   * Opens a volume that is not open. One that is `optional` may stay closed: a warning says why.
   *
   * @throws {StartError} it cannot be opened, and it is not optional
   */
  async open(name: string, config: VolumeConfig): Promise<void> {
    try {
      const opened = await this.#openWithin(name, config);
      this.#open.set(name, opened);
      const { volume, isNew } = opened;
      const size = formatSize(volume.capacityBytes);
      const fields = { volume: name, driver: config.driver, uuid: volume.uuid, size };
      this.#log.info(fields, isNew ? "volume created" : "volume opened");
    } catch (error) {
      if (!config.optional) throw new StartError(messageOf(error), error);
      this.#log.warn({ volume: name, error }, "optional volume left out");
    }
  }

  /** One disk that hangs must not hold up what has nothing to do with it: what comes too late is closed again. */
  async #openWithin(name: string, config: VolumeConfig): Promise<OpenVolume> {
    if (this.#open.has(name) || this.#busy.has(name)) {
      throw new StartError(`volume ${name}: commands that have not ended still use it`);
    }
    this.#busy.add(name);
    const opening = this.#openFitting(name, config);
    const isLate = !(await endsWithin(this.#clock, ANSWER_MS_MAX, opening).catch(() => true));
    if (!isLate) {
      this.#busy.delete(name);
      return opening;
    }
    void opening
      .then(({ volume }) => volume.close())
      .catch((error: unknown) => this.#log.error({ volume: name, error }, "volume not opened"))
      .finally(() => this.#busy.delete(name));
    throw new StartError(`volume ${name}: its storage does not answer`);
  }

  async #openFitting(name: string, config: VolumeConfig): Promise<OpenVolume> {
    const opened = await this.#makeAndOpen(name, config);
    try {
      await this.#fitSize(opened);
    } catch (error) {
      await opened.volume.close();
      throw error;
    }
    return opened;
  }

  async #makeAndOpen(name: string, config: VolumeConfig): Promise<OpenVolume> {
    const driver = this.#drivers[config.driver];
    const spec = specOf(name, config, config.uuid ?? (await this.#identities.uuidOf(name)));
    const makes = config.driver === "memory" || (config.driver !== "null" && config.create);
    try {
      const volume = await driver.open(spec);
      await checkIdentity(volume, config);
      await this.#remember(name, volume, config);
      return { volume, config, isNew: false };
    } catch (error) {
      if (!makes || !(error instanceof VolumeError) || error.kind !== "missing") throw error;
    }
    if (config.driver === "raw" && this.#identities.wasMade(name)) {
      throw new StartError(
        `volume ${name}: ${config.path} is missing although it was there before; is its file system mounted? ` +
          `To begin with an empty disk under the old identity, make the file: truncate -s SIZE ${config.path}`,
      );
    }
    if (config.driver === "thin" && this.#identities.wasMade(name)) {
      throw new StartError(
        `volume ${name}: the pool ${config.pool} has none of this name although one was there before. To begin with an ` +
          "empty disk, give it a name of its own: initiators would take it for the old one",
      );
    }
    await driver.create(spec);
    const volume = await driver.open(spec);
    await this.#remember(name, volume, config);
    return { volume, config, isNew: true };
  }

  /**
   * From now on, a missing file means that something is wrong: an empty disk under an identity that initiators know would be
   * taken for their own, and what they wrote to it would be gone when the real one came back.
   */
  async #remember(name: string, volume: Volume, { driver }: VolumeConfig): Promise<void> {
    if (driver === "memory" || driver === "null") return;
    try {
      await this.#identities.rememberMade(name, volume.uuid);
    } catch (error) {
      await volume.close();
      throw error;
    }
  }

  /** Grows a volume to the configured size. What is larger than configured stays so: data may be there. */
  async #fitSize({ volume, config }: OpenVolume): Promise<void> {
    const { sizeBytes } = config;
    if (sizeBytes === null || sizeBytes === volume.capacityBytes) return;
    const has = formatSize(volume.capacityBytes);
    const wanted = formatSize(sizeBytes);
    if (sizeBytes < volume.capacityBytes) {
      const fields = { volume: volume.name, has, wanted };
      this.#log.warn(fields, "volume is larger than configured and is never shrunk");
      return;
    }
    await this.#drivers[config.driver].resize(volume, sizeBytes, false);
    this.#log.info({ volume: volume.name, from: has, to: wanted }, "volume grown");
  }

  /** Asks every backing store for its size, after growing what is configured larger by now. None waits for another that hangs. */
  async refresh(configs: ReadonlyMap<string, VolumeConfig>): Promise<void> {
    await Promise.all(
      Array.from(this.#open, async ([name, opened]) => {
        const refreshing = this.#refreshOne(name, opened, configs.get(name));
        if (await endsWithin(this.#clock, ANSWER_MS_MAX, refreshing)) return;
        this.#log.error({ volume: name }, "volume could not be refreshed: it does not answer");
      }),
    );
  }

  async #refreshOne(name: string, opened: OpenVolume, config?: VolumeConfig): Promise<void> {
    const { volume } = opened;
    const before = volume.capacityBytes;
    try {
      await volume.refresh();
      if (config !== undefined) await this.#fitSize({ ...opened, config });
    } catch (error) {
      this.#log.error({ volume: name, error }, "volume could not be refreshed");
      return;
    }
    if (volume.capacityBytes === before) return;
    const fields = { volume: name, from: formatSize(before), to: formatSize(volume.capacityBytes) };
    this.#log.info(fields, "volume changed its size");
  }

  /** Grows one that is open to its configured size. What is larger stays so. Rejects with the driver's error. */
  async fit(name: string, config: VolumeConfig): Promise<void> {
    const opened = this.#open.get(name);
    if (opened === undefined) return;
    const fitting = this.#fitSize({ ...opened, config });
    if (!(await endsWithin(this.#clock, ANSWER_MS_MAX, fitting))) {
      throw new StartError(`volume ${name}: its storage does not answer`);
    }
    this.#open.set(name, { ...opened, config });
  }

  /** Flushes and closes one; what goes wrong is logged, and the others are not held up by it. */
  async close(name: string): Promise<boolean> {
    const opened = this.#open.get(name);
    if (opened === undefined) return true;
    this.#open.delete(name);
    this.#busy.add(name);
    try {
      await opened.volume.close();
      this.#log.debug({ volume: name }, "volume flushed and closed");
      return true;
    } catch (error) {
      this.#log.error({ volume: name, error }, "volume could not be flushed: data may be lost");
      return false;
    } finally {
      this.#busy.delete(name);
    }
  }

  /** Whether all of them were flushed. */
  async closeAll(): Promise<boolean> {
    const closed = await Promise.all([...this.#open.keys()].map((name) => this.close(name)));
    return closed.every(Boolean);
  }
}

/** A pool's volume has its identity from the pool. Where the configuration says another one, it means another disk. */
async function checkIdentity(volume: Volume, { uuid }: VolumeConfig): Promise<void> {
  if (uuid === null || volume.uuid === uuid) return;
  await volume.close();
  throw new StartError(`volume ${volume.name}: it has the uuid ${volume.uuid}, not ${uuid}`);
}

function specOf(name: string, config: VolumeConfig, uuid: string): VolumeSpec {
  const { readOnly, sizeBytes } = config;
  const size = sizeBytes === null ? {} : { sizeBytes };
  const itsName = config.driver === "thin" ? (config.name ?? name) : name;
  return { name: itsName, uuid, readOnly, options: optionsOf(config), ...size };
}

function optionsOf(config: VolumeConfig): VolumeSpec["options"] {
  switch (config.driver) {
    case "raw":
      return { path: config.path, direct: config.direct, delayMs: config.delayMs };
    case "memory":
      return { delayMs: config.delayMs };
    case "null":
      return {};
    case "thin":
      return {
        pool: config.pool,
        ...(config.reserveBytes === null ? {} : { reserve: config.reserveBytes }),
        ...(config.quotaBytes === null ? {} : { quota: config.quotaBytes }),
      };
  }
}
