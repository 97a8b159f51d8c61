import { resolve } from "node:path";
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
import type { RawVolumeConfig, VolumeConfig } from "./config/config.ts";
import { diskAt, isAt, placeAt, placeOf } from "./disk-place.ts";
import { messageOf, StartError } from "./start-error.ts";
import type { Place } from "./state-document.ts";
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

/** What becomes of a volume. */
interface Busy {
  readonly config: VolumeConfig;
  /** Whether it could be flushed; null: it is being opened. */
  readonly closing: Promise<boolean> | null;
}

/** The volumes of the daemon: makes, opens, grows and closes them as the configuration says. */
export class VolumeStore {
  readonly #log: Log;
  readonly #identities: Identities;
  readonly #drivers: Readonly<Record<VolumeConfig["driver"], VolumeDriver>>;
  readonly #open = new Map<string, OpenVolume>();
  /** Being opened or closed: nobody else has the name until that has ended. */
  readonly #busy = new Map<string, Busy>();
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

  /** Volumes that use a pool, by name: also those that are still being opened or closed. */
  usersOf(pool: string): readonly string[] {
    const isUser = ({ config }: { readonly config: VolumeConfig }): boolean =>
      config.driver === "thin" && config.pool === pool;
    const all = [...this.#open, ...this.#busy];
    return all.filter(([, it]) => isUser(it)).map(([name]) => name);
  }

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
      await this.#forgetUnmade(name);
      if (!config.optional) throw new StartError(messageOf(error), error);
      this.#log.warn({ volume: name, error }, "optional volume left out");
    }
  }

  /** No initiator knows a disk that never was: what was noted down for it would stay for good, with every name that somebody mistypes. */
  async #forgetUnmade(name: string): Promise<void> {
    const isKept = this.#identities.wasMade(name) || this.#open.has(name) || this.#busy.has(name);
    if (isKept || this.#identities.disksOf(name).length === 0) return;
    await this.#identities.forget(name).catch((error: unknown) => {
      this.#log.warn({ volume: name, error }, "the identity of a volume that is not there is kept");
    });
  }

  /** One disk that hangs must not hold up what has nothing to do with it: what comes too late is closed again. */
  async #openWithin(name: string, config: VolumeConfig): Promise<OpenVolume> {
    if (this.#open.has(name) || this.#busy.has(name)) {
      throw new StartError(`volume ${name}: commands that have not ended still use it`);
    }
    this.#busy.set(name, { config, closing: null });
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
    const spec = specOf(name, config, await this.#uuidFor(name, config));
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
      throw new StartError(this.#missing(name, config));
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

  /** The one that its configuration says, else that of the disk which lay there before. */
  async #uuidFor(name: string, config: VolumeConfig): Promise<string> {
    if (config.uuid !== null) return config.uuid;
    const identities = this.#identities;
    if (config.driver !== "raw") return identities.uuidOf(name, placeOf(config));
    const known = await diskAt(identities.disksOf(name), config.path);
    return known?.uuid ?? identities.uuidOf(name, placeOf(config));
  }

  #missing(name: string, { path }: RawVolumeConfig): string {
    const message = `volume ${name}: ${path} is missing although`;
    const last = this.#identities.disksOf(name).find(({ made }) => made)?.place;
    if (last?.driver === "raw" && last.path !== resolve(path)) {
      return (
        `${message} a disk of this name was there before, as ${last.path}; is everything mounted? ` +
        "To begin with an empty disk, give it a name of its own"
      );
    }
    return (
      `${message} it was there before; is its file system mounted? ` +
      `To begin with an empty disk under the old identity, make the file: truncate -s SIZE ${path}`
    );
  }

  /**
   * From now on, a missing file means that something is wrong: an empty disk under an identity that initiators know would be
   * taken for their own, and what they wrote to it would be gone when the real one came back.
   */
  async #remember(name: string, volume: Volume, config: VolumeConfig): Promise<void> {
    if (config.driver === "memory" || config.driver === "null") return;
    try {
      const place = config.driver === "raw" ? await placeAt(config.path) : placeOf(config);
      this.#tellOfAnother(name, volume.uuid, place);
      await this.#identities.rememberMade(name, volume.uuid, place);
    } catch (error) {
      await volume.close();
      throw error;
    }
  }

  /** Who has only moved a disk, in a way that does not show, wants to know how it is found by initiators again. */
  #tellOfAnother(name: string, uuid: string, place: Place): void {
    const disks = this.#identities.disksOf(name);
    const [last] = disks.filter(({ made }) => made);
    if (last === undefined || isAt(last, place)) return;
    if (disks.some((disk) => disk.made && disk.uuid === uuid)) return;
    const fields = { volume: name, uuid, place, before: { uuid: last.uuid, place: last.place } };
    const message =
      "the volume lies elsewhere than before: it is another disk, with an identity of its own; where it is the same one, say its uuid";
    this.#log.warn(fields, message);
  }

  /** Grows a volume to the configured size. What is larger than configured stays so: data may be there. */
  async #fitSize({ volume, config }: OpenVolume, { isResizing = false } = {}): Promise<void> {
    const { sizeBytes } = config;
    if (sizeBytes === null || sizeBytes === volume.capacityBytes) return;
    const has = formatSize(volume.capacityBytes);
    const wanted = formatSize(sizeBytes);
    if (sizeBytes < volume.capacityBytes) {
      if (isResizing) return;
      const fields = { volume: volume.name, has, wanted, remedy: howToShrink(volume, config) };
      this.#log.warn(fields, "volume is larger than configured, and stays so: data may be there");
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

  /**
   * Grows one that is open to its configured size. What is larger stays so. Rejects with the driver's error.
   *
   * @param isResizing whoever asks makes it smaller by itself then, or says why not
   */
  async fit(
    name: string,
    config: VolumeConfig,
    { isResizing = false }: { readonly isResizing?: boolean } = {},
  ): Promise<void> {
    const opened = this.#open.get(name);
    if (opened === undefined) return;
    const fitting = this.#fitSize({ ...opened, config }, { isResizing });
    if (!(await endsWithin(this.#clock, ANSWER_MS_MAX, fitting))) {
      throw new StartError(`volume ${name}: its storage does not answer`);
    }
    // It may have been closed meanwhile.
    if (this.#open.get(name) === opened) this.#open.set(name, { ...opened, config });
  }

  /** The one that is open under a name has another one from now on; nobody who uses it notices. */
  rename(name: string, after: string, config: VolumeConfig): void {
    const opened = this.#open.get(name);
    if (opened === undefined) return;
    this.#open.delete(name);
    this.#open.set(after, { ...opened, config });
  }

  /**
   * Flushes and closes one; what goes wrong is logged, and the others are not held up by it. Resolves when it is closed, also where
   * somebody else has begun with that.
   *
   * @param meant the one that is to be closed; left out: whichever has the name
   */
  async close(
    name: string,
    meant: OpenVolume | undefined = this.#open.get(name),
  ): Promise<boolean> {
    const opened = this.#open.get(name);
    if (opened === undefined) return (await this.#busy.get(name)?.closing) ?? true;
    if (opened.volume !== meant?.volume) return true;
    this.#open.delete(name);
    const closing = this.#closeOne(name, opened).finally(() => this.#busy.delete(name));
    this.#busy.set(name, { config: opened.config, closing });
    return closing;
  }

  async #closeOne(name: string, { volume }: OpenVolume): Promise<boolean> {
    try {
      await volume.close();
      this.#log.debug({ volume: name }, "volume flushed and closed");
      return true;
    } catch (error) {
      this.#log.error({ volume: name, error }, "volume could not be flushed: data may be lost");
      return false;
    }
  }

  /** Whether all of them were flushed. */
  async closeAll(): Promise<boolean> {
    const names = [...this.#open.keys(), ...this.#busy.keys()];
    const closed = await Promise.all(names.map((name) => this.close(name)));
    return closed.every(Boolean);
  }
}

/** For the log: what makes a volume as small as it is configured. */
function howToShrink(volume: Volume, config: VolumeConfig): string {
  const { sizeBytes } = config;
  switch (config.driver) {
    case "thin": {
      const name = `${config.pool}/${config.name ?? volume.name}`;
      return `thinlun volume resize ${name} ${sizeBytes}B --shrink`;
    }
    case "raw":
      return `say the size that it has, or cut its file while the daemon does not run: truncate -s ${sizeBytes} ${config.path}`;
    case "memory":
    case "null":
      return "it has the configured size after a restart";
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
