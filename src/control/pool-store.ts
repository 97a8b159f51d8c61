import { join } from "node:path";
import type { BlockDevice } from "../device/block-device.ts";
import type { FileDevice } from "../device/file-device.ts";
import { growImageFile } from "../device/image-file.ts";
import { assemble } from "../thin/checkpoint/assemble.ts";
import { formatPool } from "../thin/checkpoint/format-pool.ts";
import { isFault } from "../thin/format/fault.ts";
import { createMembers } from "../thin/members/create-members.ts";
import { openForPool } from "../thin/members/open-member.ts";
import { mayOpen } from "../thin/members/owner.ts";
import { scanDevices } from "../thin/members/scan.ts";
import { PoolError } from "../thin/pool-error.ts";
import type { AutoGrowthSettings } from "../thin/pool/auto-growth.ts";
import { imageGrower } from "../thin/pool/growers.ts";
import type { PoolOpenOptions, PoolRunSettings } from "../thin/pool/pool-options.ts";
import { Pool } from "../thin/pool/pool.ts";
import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import type { RandomBytes } from "../util/random.ts";
import { formatSize } from "../util/units.ts";
import type { EnginePool, FindPool } from "../volume/engine/engine-driver.ts";
import type { PoolConfig } from "./config/config.ts";
import type { OperatedPool } from "./operations/operation.ts";
import { messageOf, StartError } from "./start-error.ts";
import type { Identities } from "./state-store.ts";

const MS_PER_SECOND = 1000;
const PERCENT = 100;

/** A device that is larger than the pool knows by less than this is not worth a segment, of which a pool has few. Bytes. */
const GROWTH_BYTES_MIN: number = 4 * 1024 * 1024;

/** What the pools of a daemon need of the world around them. */
export interface PoolStoreOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly identities: Identities;
  /** Where what a new pool overwrites is kept. */
  readonly stateDir: string;
  /** Who opens pools here; asked for each opening. */
  readonly owner: () => Promise<PoolOpenOptions["owner"]>;
  readonly failureMark: PoolOpenOptions["failureMark"];
}

interface OpenPool extends EnginePool {
  /** In the order of the pool; those that are added while it is open come at the end. */
  readonly devices: BlockDevice[];
  readonly direct: boolean;
  /** What of each of them the pool has taken, in bytes. */
  readonly takenBytes: number[];
}

/** A pool's devices, open and claimed. */
interface Claimed {
  readonly devices: readonly FileDevice[];
  readonly isNew: boolean;
}

/** The pools of the daemon: makes, opens, and closes them as the configuration says. */
export class PoolStore {
  readonly #options: PoolStoreOptions;
  readonly #open = new Map<string, OpenPool>();

  constructor(options: PoolStoreOptions) {
    this.#options = options;
  }

  readonly find: FindPool = (name) => this.#open.get(name);

  /** Those that are open, for the operations on them. */
  readonly operated = (): OperatedPool[] =>
    Array.from(this.#open.values(), ({ pool, direct, devices, takenBytes }) => ({
      pool,
      direct,
      adopt: (device) => {
        takenBytes[devices.length] = device.capacityBytes;
        devices.push(device);
      },
    }));

  /**
   * Opens a pool that is not open. One that is `optional` may stay closed: a warning says why.
   *
   * @throws {StartError} it cannot be opened, and it is not optional
   */
  async open(name: string, config: PoolConfig): Promise<void> {
    const { log, identities } = this.#options;
    try {
      const claimed = await this.#claim(name, config);
      try {
        const opened = await this.#start(name, config, claimed.devices);
        const { pool } = opened;
        this.#open.set(name, opened);
        await identities.rememberMade(name, pool.uuid);
        await this.#takeGrowth(name, opened);
        const { capacityBytes, usableBytes } = pool.usage();
        const sizes = { size: formatSize(capacityBytes), free: formatSize(usableBytes) };
        const fields = { pool: name, uuid: pool.uuid, devices: config.devices, ...sizes };
        log.info(fields, claimed.isNew ? "pool created" : "pool is ready");
      } catch (error) {
        const opened = this.#open.get(name);
        this.#open.delete(name);
        await opened?.pool.close();
        await closeDevices(claimed.devices);
        throw error;
      }
    } catch (error) {
      if (!config.optional) throw new StartError(`pool ${name}: ${messageOf(error)}`, error);
      log.warn({ pool: name, error }, "optional pool left out");
    }
  }

  /** Finds the pool on its devices, or makes it where that is wanted and nothing is there. */
  async #claim(name: string, config: PoolConfig): Promise<Claimed> {
    const { log, identities } = this.#options;
    const found = await scanDevices(config.devices, {
      onProblem: (path, problem) => log.debug({ pool: name, path, problem }, "device is not read"),
    });
    if (found.length === 0 && config.create !== null) {
      if (!identities.wasMade(name))
        return { devices: await this.#make(name, config), isNew: true };
      throw new PoolError(
        "missing",
        `it is not on ${config.devices.join(", ")} although it was there before; is everything mounted and connected? ` +
          "To begin with an empty pool, give it another name",
      );
    }
    return { devices: await openAll(config), isNew: false };
  }

  async #make(name: string, config: PoolConfig): Promise<FileDevice[]> {
    const { stateDir, identities, randomBytes, owner } = this.#options;
    const sizeBytes = config.create?.sizeBytes ?? null;
    const requests = config.devices.map((path) =>
      sizeBytes === null ? { path } : { path, createBytes: sizeBytes },
    );
    const members = await createMembers(requests, {
      wipe: [],
      acceptData: false,
      backupDir: join(stateDir, "backup"),
      time: new Date(),
      direct: config.direct,
    });
    const devices = members.map(({ device }) => device);
    try {
      await formatPool(members, {
        uuid: await identities.uuidOf(name),
        extentBytes: config.create?.extentBytes ?? 0,
        settings: { name, overcommitMax: 0, thresholds: [] },
        randomBytes,
        owner: await owner(),
      });
    } catch (error) {
      await closeDevices(devices);
      throw error;
    }
    return devices;
  }

  async #start(
    name: string,
    config: PoolConfig,
    claimed: readonly FileDevice[],
  ): Promise<OpenPool> {
    const { log, clock, identities, failureMark } = this.#options;
    const owner = await this.#options.owner();
    const assembly = await assemble(claimed);
    const members = assembly.devices.flatMap(
      (device) => claimed.find((candidate) => candidate === device) ?? [],
    );
    if (assembly.name !== name) {
      const other = `"${assembly.name}" (${assembly.poolUuid})`;
      throw new PoolError("foreign", `the devices hold the pool ${other}: call it by its name`);
    }
    if (identities.wasMade(name) && (await identities.uuidOf(name)) !== assembly.poolUuid) {
      throw new PoolError(
        "foreign",
        `the devices hold another pool of this name (${assembly.poolUuid}) than the one that was there before ` +
          `(${await identities.uuidOf(name)}): its volumes are not the ones that initiators know`,
      );
    }
    const [newest] = assembly.superblocks
      .flatMap(({ superblock }) => (isFault(superblock) ? [] : [superblock]))
      .toSorted((left, right) => right.generation - left.generation);
    if (newest !== undefined) mayOpen(newest.owner, owner);
    const settings = runSettings(config, members);
    const devices: BlockDevice[] = [...members];
    const options = { devices: claimed, owner, clock, log, failureMark, settings };
    const pool = await Pool.open(options);
    const takenBytes = devices.map((_, index) => newest?.devices[index]?.sizeBytes ?? 0);
    pool.subscribe((event) => {
      if (event.kind !== "grown") return;
      takenBytes[event.device] = devices[event.device]?.capacityBytes ?? 0;
    });
    const rotational = devices.some(({ traits }) => traits.rotational);
    return { pool, devices, direct: config.direct, takenBytes, rotational };
  }

  /** Takes up what devices have gained by now. */
  async refresh(): Promise<void> {
    for (const [name, opened] of this.#open) {
      for (const device of opened.devices) {
        await device.refreshCapacity().catch((error: unknown) => {
          this.#options.log.error({ pool: name, device: device.name, error }, "size is not known");
        });
      }
      await this.#takeGrowth(name, opened);
    }
  }

  /** Nothing is lost where it fails: the pool goes on with what it had. */
  async #takeGrowth(name: string, { pool, devices, takenBytes }: OpenPool): Promise<void> {
    for (const [index, device] of devices.entries()) {
      if (device.capacityBytes - (takenBytes[index] ?? 0) < GROWTH_BYTES_MIN) continue;
      try {
        await pool.growDevice(index);
      } catch (error) {
        this.#options.log.error({ pool: name, device: device.name, error }, "device not grown");
      }
    }
  }

  /** Closes all of them, after their volumes; what goes wrong is logged. Whether all of them were flushed. */
  async closeAll(): Promise<boolean> {
    const names = [...this.#open.keys()];
    const closed = await Promise.all(names.map((name) => this.#close(name)));
    return closed.every(Boolean);
  }

  async #close(name: string): Promise<boolean> {
    const opened = this.#open.get(name);
    this.#open.delete(name);
    if (opened === undefined) return true;
    try {
      await opened.pool.close();
      return opened.pool.failure === null;
    } catch (error) {
      this.#options.log.error({ pool: name, error }, "pool could not be closed: data may be lost");
      return false;
    } finally {
      await closeDevices(opened.devices);
    }
  }
}

/** `devices`: in the order of the pool. */
function runSettings(config: PoolConfig, devices: readonly FileDevice[]): Partial<PoolRunSettings> {
  return {
    thresholds: config.thresholds.map((percent) => percent / PERCENT),
    fullRetryMs: config.fullRetrySeconds * MS_PER_SECOND,
    growth: growthOf(config, devices),
  };
}

function growthOf(
  { autogrow, devices: paths }: PoolConfig,
  devices: readonly FileDevice[],
): AutoGrowthSettings | null {
  if (autogrow === null) return null;
  const path = paths.at(-1) ?? "";
  const index = devices.findIndex(({ name }) => name === path);
  const image = devices[index];
  if (image === undefined || image.isBlockDevice) {
    throw new PoolError(
      "invalid",
      `${path} is no image file, and nothing else can be made to grow`,
    );
  }
  const { belowBytes, stepBytes, maxBytes } = autogrow;
  const resize = (sizeBytes: number): Promise<void> =>
    growImageFile(path, image.capacityBytes, sizeBytes);
  const grower = imageGrower({ device: index, image, maxBytes, resize });
  return { lowWaterBytes: belowBytes, stepBytes, grower };
}

async function openAll({ devices: paths, direct }: PoolConfig): Promise<FileDevice[]> {
  const devices: FileDevice[] = [];
  try {
    for (const path of paths) devices.push(await openForPool(path, { direct }));
    return devices;
  } catch (error) {
    await closeDevices(devices);
    throw error;
  }
}

async function closeDevices(devices: readonly BlockDevice[]): Promise<void> {
  for (const device of devices) await device.close();
}
