import { join, resolve } from "node:path";
import type { BlockDevice } from "../device/block-device.ts";
import type { FileDevice } from "../device/file-device.ts";
import { type Assembly, assemble } from "../thin/checkpoint/assemble.ts";
import { formatPool } from "../thin/checkpoint/format-pool.ts";
import { getUuid, UUID_BYTES } from "../thin/format/identity.ts";
import { newestOf } from "../thin/format/superblock-io.ts";
import { claimShared, type SharedClaim } from "../thin/members/claim-shared.ts";
import { createMembers, type Member, type MemberRequest } from "../thin/members/create-members.ts";
import { refuseLiving } from "../thin/members/living-owner.ts";
import { openForPool } from "../thin/members/open-member.ts";
import { isTakeover, mayOpen, refuseSilent } from "../thin/members/owner.ts";
import { scanDevices } from "../thin/members/scan.ts";
import { signOfLife, watchHeartbeat } from "../thin/members/watch-heartbeat.ts";
import { PoolError } from "../thin/pool-error.ts";
import type { PoolOpenOptions, PoolRunSettings } from "../thin/pool/pool-options.ts";
import { Pool } from "../thin/pool/pool.ts";
import type { Clock } from "../util/clock.ts";
import { EventLoopLoad } from "../util/event-loop-load.ts";
import type { Log } from "../util/log.ts";
import type { RandomBytes } from "../util/random.ts";
import { formatSize } from "../util/units.ts";
import type { EnginePool, FindPool } from "../volume/engine/engine-driver.ts";
import type { PoolConfig } from "./config/config.ts";
import { JoinedDevices } from "./joined-devices.ts";
import type { OperatedPool } from "./operations/operation.ts";
import { GROWTH_BYTES_MIN, type GrowingPool, growthOf } from "./pool-growth.ts";
import { labelledPaths } from "./pool-paths.ts";
import { messageOf, StartError } from "./start-error.ts";
import type { Identities } from "./state-store.ts";
import { endsWithin } from "./within.ts";

const MS_PER_SECOND = 1000;
const PERCENT = 100;
/** How long a pool may take to be opened: with a long journal to read, and after a watch for signs of life of another host. */
const OPEN_MS_MAX = 300_000;
/** How long its devices may take to say their sizes. */
const ANSWER_MS_MAX = 30_000;
const JOINED_FILE = "pool-devices.json";

/** What the pools of a daemon need of the world around them. */
export interface PoolStoreOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** For the signs of life of shared pools, see `HeartbeatOptions`. */
  readonly uptimeMs?: () => number;
  readonly randomBytes: RandomBytes;
  readonly identities: Identities;
  /** Where what a new pool overwrites is kept. */
  readonly stateDir: string;
  /** Who opens pools here; asked for each opening. */
  readonly owner: () => Promise<PoolOpenOptions["owner"]>;
  readonly failureMark: PoolOpenOptions["failureMark"];
  /** How a device of a pool is opened; {@link openForPool} unless told otherwise. */
  readonly openDevice?: (
    path: string,
    options: { readonly direct: boolean },
  ) => Promise<FileDevice>;
}

interface OpenPool extends EnginePool {
  readonly direct: boolean;
  /** All that were opened for it. */
  readonly devices: Set<BlockDevice>;
  /** Where other hosts may reach it. */
  readonly claim: SharedClaim | null;
  /** It was made when it was opened. */
  readonly isNew?: boolean;
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
  /** Being opened: nobody else has the name until that has ended. */
  readonly #busy = new Set<string>();
  /** Being closed: the same. What that comes to is whether all of it is safe. */
  readonly #closing = new Map<string, Promise<boolean>>();
  readonly #joined: JoinedDevices;
  readonly #load = new EventLoopLoad();

  constructor(options: PoolStoreOptions) {
    this.#options = options;
    this.#joined = new JoinedDevices(join(options.stateDir, JOINED_FILE));
  }

  readonly find: FindPool = (name) => this.#open.get(name);

  /** Those that are open, for the operations on them. */
  readonly operated = (): OperatedPool[] =>
    Array.from(this.#open.values(), ({ pool, direct, devices }) => ({
      pool,
      direct,
      adopt: (device) => void devices.add(device),
      remember: (path) => this.#remember(pool, path),
    }));

  /**
   * Opens a pool that is not open. One that is `optional` may stay closed: a warning says why.
   *
   * @throws {StartError} it cannot be opened, and it is not optional
   */
  async open(name: string, config: PoolConfig): Promise<void> {
    try {
      await this.#openWithin(name, config);
    } catch (error) {
      if (!config.optional) throw new StartError(`pool ${name}: ${messageOf(error)}`, error);
      this.#options.log.warn({ pool: name, error }, "optional pool left out");
    }
  }

  /** Devices that hang must not hold up what has nothing to do with them: what comes too late is closed again. */
  async #openWithin(name: string, config: PoolConfig): Promise<void> {
    if (this.#open.has(name) || this.#busy.has(name) || this.#closing.has(name)) {
      throw new StartError(
        "one of this name is open, as commands that have not ended still use it",
      );
    }
    this.#busy.add(name);
    const opening = this.#openNow(name, config).finally(() => this.#busy.delete(name));
    if (await endsWithin(this.#options.clock, OPEN_MS_MAX, opening)) return;
    void opening.then(
      () => this.close(name),
      (error: unknown) => this.#options.log.error({ pool: name, error }, "pool not opened"),
    );
    throw new StartError("its devices do not answer");
  }

  async #openNow(name: string, config: PoolConfig): Promise<void> {
    const { log, identities } = this.#options;
    const claimed = await this.#claim(name, config);
    try {
      const opened = await this.#start(name, config, claimed.devices);
      const { pool } = opened;
      this.#open.set(name, { ...opened, isNew: claimed.isNew });
      await identities.rememberMade(name, pool.uuid);
      await this.#takeGrowth(name, pool);
      const { capacityBytes, usableBytes } = pool.usage();
      const sizes = { size: formatSize(capacityBytes), free: formatSize(usableBytes) };
      const fields = { pool: name, uuid: pool.uuid, devices: config.devices, ...sizes };
      log.info(fields, claimed.isNew ? "pool created" : "pool is ready");
    } catch (error) {
      const opened = this.#open.get(name);
      this.#open.delete(name);
      if (opened === undefined) await closeDevices(claimed.devices);
      else await this.#closeOpened(opened);
      throw error;
    }
  }

  /** Whether a pool that is open was made by that. */
  isNew(name: string): boolean {
    return this.#open.get(name)?.isNew === true;
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
    const joined = await this.#findJoined(name, config, found[0]?.uuid);
    return { devices: await this.#openAll([...config.devices, ...joined], config), isNew: false };
  }

  /** What the pool was given while it was open. */
  async #findJoined(name: string, config: PoolConfig, uuid: string | undefined): Promise<string[]> {
    if (uuid === undefined) return [];
    const paths = [...(config.autogrow?.spares ?? []), ...(await this.#joined.of(uuid))];
    const joined = await labelledPaths(uuid, paths, config.devices);
    if (joined.length > 0) {
      const message = "the pool has more devices than configured: name them under its devices";
      this.#options.log.warn({ pool: name, devices: joined }, message);
    }
    return joined;
  }

  async #make(name: string, config: PoolConfig): Promise<FileDevice[]> {
    const { identities, randomBytes, owner } = this.#options;
    const sizeBytes = config.create?.sizeBytes ?? null;
    const requests = config.devices.map((path) =>
      sizeBytes === null ? { path } : { path, createBytes: sizeBytes },
    );
    const members = await this.#prepare(requests, config);
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

  /** Takes devices that must carry nothing: a daemon destroys nothing, whatever it is told. */
  #prepare(requests: readonly MemberRequest[], { direct }: PoolConfig): Promise<Member[]> {
    const backupDir = join(this.#options.stateDir, "backup");
    return createMembers(requests, {
      wipe: [],
      acceptData: false,
      backupDir,
      time: new Date(),
      direct,
    });
  }

  async #start(
    name: string,
    config: PoolConfig,
    claimed: readonly FileDevice[],
  ): Promise<OpenPool> {
    const { log, clock, identities, failureMark } = this.#options;
    const owner = await this.#options.owner();
    const assembly = await assemble(claimed);
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
    const claim = await this.#claimFromOthers(name, config, assembly, owner);
    const devices = new Set<BlockDevice>(claimed);
    let pool: Pool | null = null;
    try {
      const growing = this.#growing(assembly, config, devices, () => pool);
      pool = await Pool.open({
        devices: claimed,
        owner,
        takeOver: config.takeOver !== false,
        clock,
        log,
        failureMark,
        onLost: (listener) => claim?.onLost(listener),
        isHostBusy: () => this.#load.isBusy,
        settings: { ...runSettings(config), growth: growthOf(growing, config) },
      });
      await keepSettings(pool, config);
    } catch (error) {
      // Whoever has opened those closes them.
      for (const device of claimed) devices.delete(device);
      await this.#giveUp(name, { pool, claim, devices });
      throw error;
    }
    if (claim !== null) releaseOnFailure(pool, claim);
    const rotational = assembly.devices.some(({ traits }) => traits.rotational);
    return { pool, devices, direct: config.direct, rotational, claim };
  }

  /** Of a pool that could not be opened to the end: why is known already. */
  async #giveUp(
    name: string,
    opened: Pick<OpenPool, "claim" | "devices"> & { readonly pool: Pool | null },
  ): Promise<void> {
    const { pool, claim, devices } = opened;
    try {
      if (pool === null) await claim?.release();
      else await this.#closeOpened({ pool, claim, devices });
    } catch (error) {
      this.#options.log.error({ pool: name, error }, "pool could not be closed");
    }
  }

  /** Makes sure that no other host has the pool. Null where none can reach it. Errors: foreign, busy, failed, io. */
  async #claimFromOthers(
    name: string,
    config: PoolConfig,
    { poolUuid, devices, superblocks }: Assembly,
    owner: PoolOpenOptions["owner"],
  ): Promise<SharedClaim | null> {
    const { log, clock, uptimeMs } = this.#options;
    const [device] = devices;
    const newest = newestOf(superblocks);
    if (device === undefined || newest === undefined) return null;
    mayOpen(newest.owner, owner, { takeOver: config.takeOver !== false });
    if (config.takeOver !== "force") await refuseLiving(newest.owner, owner);
    const sign = await signOfLife(device, poolUuid);
    const takesOver = isTakeover(newest.owner, owner);
    if (!config.shared && !takesOver && sign === null) return null;
    refuseCached(config);
    if (takesOver) {
      if (config.takeOver !== "force") refuseSilent(newest.owner, sign, owner);
      const fields = { pool: name, host: newest.owner.hostId };
      log.warn(fields, "another host has the pool: watching for signs of life");
      await watchHeartbeat({ device, clock });
      log.warn(fields, "the pool is taken over: no sign of life of the other host");
    }
    return claimShared({ device, poolUuid, owner, clock, uptimeMs });
  }

  #growing(
    assembly: Assembly,
    config: PoolConfig,
    opened: Set<BlockDevice>,
    get: () => Pool | null,
  ): GrowingPool {
    const { randomBytes } = this.#options;
    return {
      name: assembly.name,
      uuid: assembly.poolUuid,
      devices: () => get()?.state.addresses.devices ?? assembly.devices,
      gained: async () => {
        const pool = get();
        return pool === null ? [] : gainedDevices(pool);
      },
      claim: async (path) => {
        const [member] = await this.#prepare([{ path }], config);
        if (member === undefined) throw new PoolError("io", `${path} was not prepared`);
        const { device, isZero } = member;
        const uuid = getUuid(randomBytes(UUID_BYTES), 0);
        // Before the pool has it: killed in between, it would not find its own device. A path that is none is passed over.
        await this.#remember(get(), path);
        const settled = async (isMember: boolean): Promise<void> => {
          if (!isMember) return device.close();
          opened.add(device);
        };
        return { device, uuid, isZero, settled };
      },
    };
  }

  /** What cannot be remembered has to be configured: the pool has the device all the same. */
  async #remember(pool: Pool | null, path: string): Promise<void> {
    if (pool === null) return;
    const { log } = this.#options;
    try {
      await this.#joined.remember(pool.uuid, resolve(path));
    } catch (error) {
      const message = "a device of the pool will not be found again: name it under its devices";
      log.error({ pool: pool.name, path, error }, message);
    }
  }

  /** Takes up what devices have gained by now. None waits for another that hangs. */
  async refresh(): Promise<void> {
    const { clock, log } = this.#options;
    await Promise.all(
      Array.from(this.#open, async ([name, { pool }]) => {
        if (await endsWithin(clock, ANSWER_MS_MAX, this.#takeGrowth(name, pool))) return;
        const error = new Error("they do not answer");
        log.error({ pool: name, error }, "the size of its devices is not known");
      }),
    );
  }

  /** Nothing is lost where it fails: the pool goes on with what it had. */
  async #takeGrowth(name: string, pool: Pool): Promise<void> {
    const { log } = this.#options;
    const failed = (device: BlockDevice, error: unknown): void =>
      log.error({ pool: name, device: device.name, error }, "size is not known");
    for (const index of await gainedDevices(pool, failed)) {
      try {
        await pool.growDevice(index);
      } catch (error) {
        const device = pool.state.addresses.devices[index]?.name;
        log.error({ pool: name, device, error }, "device not grown");
      }
    }
  }

  /** Closes all of them, after their volumes; what goes wrong is logged. Whether all of them were flushed. */
  async closeAll(): Promise<boolean> {
    const names = [...this.#open.keys(), ...this.#closing.keys()];
    const closed = await Promise.all(names.map((name) => this.close(name)));
    return closed.every(Boolean);
  }

  /**
   * Checkpoints and closes one; what goes wrong is logged. Its volumes are closed before. Whether all of it is safe, when it is closed, also
   * where somebody else has begun with that.
   *
   * @param meant the one that is to be closed; left out: whichever has the name
   */
  async close(name: string, meant: EnginePool | undefined = this.find(name)): Promise<boolean> {
    const opened = this.#open.get(name);
    if (opened === undefined) return (await this.#closing.get(name)) ?? true;
    if (opened.pool !== meant?.pool) return true;
    this.#open.delete(name);
    const closing = this.#closeOne(name, opened).finally(() => this.#closing.delete(name));
    this.#closing.set(name, closing);
    return closing;
  }

  async #closeOne(name: string, opened: OpenPool): Promise<boolean> {
    try {
      await this.#closeOpened(opened);
      return opened.pool.failure === null;
    } catch (error) {
      this.#options.log.error({ pool: name, error }, "pool could not be closed: data may be lost");
      return false;
    }
  }

  /** Others may have the pool when its superblock says that it is closed, and not before. */
  async #closeOpened({
    pool,
    claim,
    devices,
  }: Pick<OpenPool, "pool" | "claim" | "devices">): Promise<void> {
    try {
      await pool.close();
    } finally {
      await claim?.release();
      await closeDevices(devices);
    }
  }

  async #openAll(paths: readonly string[], { direct }: PoolConfig): Promise<FileDevice[]> {
    const open = this.#options.openDevice ?? openForPool;
    const devices: FileDevice[] = [];
    try {
      for (const path of paths) devices.push(await open(path, { direct }));
      return devices;
    } catch (error) {
      await closeDevices(devices);
      throw error;
    }
  }
}

/** In its own page cache this host would not see what others write. Errors: invalid. */
function refuseCached({ shared, takeOver, direct }: PoolConfig): void {
  if (shared || direct || takeOver !== false) return;
  throw new PoolError(
    "invalid",
    'hosts have shared this pool: say "shared: true", here and on all of them, or where no other one can reach it any more, "direct: true"',
  );
}

function runSettings(config: PoolConfig): Partial<PoolRunSettings> {
  return {
    thresholds: config.thresholds.map((percent) => percent / PERCENT),
    fullRetryMs: config.fullRetrySeconds * MS_PER_SECOND,
  };
}

/**
 * A pool that has failed serves nobody here, but others may go on with what is on its devices: they are let have it, and nothing more is
 * written to them.
 */
function releaseOnFailure(pool: Pool, claim: SharedClaim): void {
  const release = (): void => {
    pool.fence(new PoolError("failed", "the pool has failed: another host may have it by now"));
    // A beat that is under way ends by itself; whoever closes the pool waits for it.
    void claim.release();
  };
  if (pool.failure !== null) release();
  else pool.subscribe(({ kind }) => void (kind === "failed" && release()));
}

/** What of the configuration is kept in the pool. */
async function keepSettings(pool: Pool, { overcommitMax }: PoolConfig): Promise<void> {
  if (overcommitMax === null || pool.state.settings.overcommitMax === overcommitMax) return;
  await pool.setSettings({ overcommitMax });
}

/** Indexes of the devices that are larger than the pool knows. Rejects where a size cannot be read, unless `failed` takes that. */
async function gainedDevices(
  { state }: Pool,
  failed?: (device: BlockDevice, error: unknown) => void,
): Promise<number[]> {
  const gained: number[] = [];
  for (const [index, { sizeBytes }] of state.devices.entries()) {
    const device = state.addresses.devices[index];
    if (device === undefined) continue;
    try {
      await device.refreshCapacity();
    } catch (error) {
      if (failed === undefined) throw error;
      failed(device, error);
    }
    if (device.capacityBytes - sizeBytes >= GROWTH_BYTES_MIN) gained.push(index);
  }
  return gained;
}

async function closeDevices(devices: Iterable<BlockDevice>): Promise<void> {
  for (const device of devices) await device.close();
}
