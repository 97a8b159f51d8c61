import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PoolConfig, PoolGrowth } from "../../src/control/config/config.ts";
import { PoolStore, type PoolStoreOptions } from "../../src/control/pool-store.ts";
import { StartError } from "../../src/control/start-error.ts";
import { openForPool } from "../../src/thin/members/open-member.ts";
import { systemOwner } from "../../src/thin/members/owner.ts";
import { systemClock } from "../../src/util/clock.ts";
import { readBytes, writeBytes } from "../../src/util/io-request.ts";
import { systemRandomBytes } from "../../src/util/random.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { recordingLog, type LogLine } from "../support/recording-log.ts";

const MIB = 1024 * 1024;
const UUID = "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a";
const VOLUME_UUID = "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3b";

const GROWTH: PoolGrowth = {
  belowBytes: 1024 * MIB,
  stepBytes: 64 * MIB,
  maxBytes: null,
  image: false,
  spares: [],
  command: null,
};

let folder: string;
let lines: LogLine[];
let failed: Set<string>;
let known: Map<string, { uuid: string; made: boolean }>;
const stores: PoolStore[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-pools-"));
  lines = [];
  failed = new Set();
  known = new Map();
});

afterEach(async () => {
  for (const store of stores.splice(0)) await store.closeAll();
  await rm(folder, { recursive: true });
});

/** A daemon's pools; `hostId` stands for another machine. */
function newStore(hostId?: string, changes: Partial<PoolStoreOptions> = {}): PoolStore {
  const store = new PoolStore({
    log: recordingLog(lines),
    clock: systemClock,
    randomBytes: systemRandomBytes,
    identities: {
      uuidOf: (name) => {
        const entry = known.get(name) ?? { uuid: UUID, made: false };
        known.set(name, entry);
        return Promise.resolve(entry.uuid);
      },
      disksOf: () => [],
      wasMade: (name) => known.get(name)?.made === true,
      rememberMade: (name, uuid) => Promise.resolve(void known.set(name, { uuid, made: true })),
      forget: (name) => Promise.resolve(void known.delete(name)),
    },
    stateDir: folder,
    owner: async () => ({ ...(await systemOwner()), ...(hostId === undefined ? {} : { hostId }) }),
    failureMark: {
      isSet: (uuid) => Promise.resolve(failed.has(uuid)),
      set: (uuid) => void failed.add(uuid),
    },
    ...changes,
  });
  stores.push(store);
  return store;
}

const pathOf = (name: string): string => join(folder, name);

function config(changes: Partial<PoolConfig> = {}): PoolConfig {
  return {
    devices: [pathOf("a.img")],
    create: { sizeBytes: 128 * MIB, extentBytes: 64 * 1024 },
    direct: false,
    shared: false,
    takeOver: false,
    optional: false,
    overcommitMax: null,
    thresholds: [80],
    autogrow: null,
    fullRetrySeconds: 0,
    ...changes,
  };
}

/** Opens the pool "tank" in a store of its own, does something with it, and closes it. */
async function within(
  changes: Partial<PoolConfig>,
  work: (store: PoolStore) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const store = newStore();
  await store.open("tank", config(changes));
  await work(store);
  expect(await store.closeAll()).toBe(true);
}

describe("PoolStore", () => {
  it("opens no pool under a name that is taken", async () => {
    await within({}, async (store) => {
      const pool = store.find("tank")?.pool;
      await expect(store.open("tank", config({ devices: [pathOf("b.img")] }))).rejects.toThrow(
        "have not ended still use it",
      );
      expect(store.find("tank")?.pool).toBe(pool);
      expect(existsSync(pathOf("b.img"))).toBe(false);
    });
  });

  it("has a name taken until what had it is closed, for all who close it", async () => {
    const store = newStore();
    await store.open("tank", config());
    const opened = store.find("tank");
    if (opened === undefined) throw new Error("it is open");
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (end = resolve));
    const close = opened.pool.close.bind(opened.pool);
    opened.pool.close = async () => {
      await held;
      await close();
    };
    let ended = 0;
    const closings = [store.close("tank"), store.close("tank"), store.closeAll()];
    const all = closings.map((closing) => closing.then(() => (ended += 1)));
    await expect(store.open("tank", config())).rejects.toThrow("still use it");
    expect(ended).toBe(0);
    end();
    await Promise.all(all);
    await store.open("tank", config());
    // Who meant the one before does not close this one.
    expect(await store.close("tank", opened)).toBe(true);
    expect(store.find("tank")).toBeDefined();
  });

  it("waits for no devices that hang, and closes what comes late", async () => {
    await within({});
    let answer: () => void = () => undefined;
    const promise = new Promise<void>((resolve) => (answer = resolve));
    const clock = new ManualClock();
    const owner = async () => {
      await promise;
      return systemOwner();
    };
    const store = newStore(undefined, { clock, owner });
    const opening = expect(store.open("tank", config())).rejects.toThrow("do not answer");
    clock.advance(600_000);
    await opening;
    await expect(store.open("tank", config())).rejects.toThrow("still use it");
    answer();
    const isThere = () => lines.filter(({ message }) => message === "pool is ready").length;
    await expect.poll(isThere).toBe(1);
    expect(store.find("tank")).toBeUndefined();
  });

  it("waits for no device that does not say its size", async () => {
    await within({});
    const clock = new ManualClock();
    let isStuck = false;
    const openDevice: PoolStoreOptions["openDevice"] = async (path, options) => {
      const device = await openForPool(path, options);
      const refreshCapacity = device.refreshCapacity.bind(device);
      device.refreshCapacity = () =>
        isStuck ? new Promise<never>(() => undefined) : refreshCapacity();
      return device;
    };
    const store = newStore(undefined, { clock, openDevice });
    await store.open("tank", config());
    isStuck = true;
    const refreshing = store.refresh();
    clock.advance(60_000);
    await refreshing;
    expect(lines.map(({ message }) => message)).toContain("the size of its devices is not known");
  });

  it("lets go of all devices of a pool that it cannot open after all", async () => {
    await within({});
    const spare = pathOf("spare.img");
    await writeFile(spare, "");
    await truncate(spare, 128 * MIB);
    const autogrow = { ...GROWTH, spares: [spare] };
    const store = newStore();
    const opening = store.open("tank", config({ autogrow, overcommitMax: -1 }));
    await expect(opening).rejects.toThrow(/a pool has a name like/);
    for (const path of [pathOf("a.img"), spare]) await (await openForPool(path)).close();
  });

  it("makes a pool of new images, and finds it again with its volumes, in any order of the devices", async () => {
    const devices = [pathOf("a.img"), pathOf("b.img")];
    await within({ devices }, async (store) => {
      const pool = store.find("tank")?.pool;
      expect(pool?.uuid).toBe(UUID);
      const volume = await pool?.createVolume({ name: "v", uuid: VOLUME_UUID, sizeBytes: MIB });
      if (volume === undefined) throw new Error("there is no volume");
      await writeBytes(volume, 0, Buffer.alloc(512, 7));
    });
    expect((await stat(pathOf("b.img"))).size).toBe(128 * MIB);
    await within({ devices: devices.toReversed(), create: null }, async (store) => {
      const volume = store.find("tank")?.pool.volume("v");
      if (volume === undefined) throw new Error("there is no volume");
      expect((await readBytes(volume, 0, 512))[0]).toBe(7);
    });
    expect(newStore().find("tank")).toBeUndefined();
  });

  it("makes nothing that is not to be made", async () => {
    const opening = newStore().open("tank", config({ create: null }));
    await expect(opening).rejects.toThrow(StartError);
    await expect(opening).rejects.toThrow(/pool tank: .*a\.img/);
    expect(existsSync(pathOf("a.img"))).toBe(false);
  });

  it("does not make a pool anew that was there before", async () => {
    await within({});
    await rename(pathOf("a.img"), pathOf("elsewhere"));
    await expect(newStore().open("tank", config())).rejects.toThrow(/although it was there before/);
    expect(existsSync(pathOf("a.img"))).toBe(false);
  });

  it("does not overwrite what is on a device", async () => {
    await writeFile(pathOf("a.img"), Buffer.alloc(128 * MIB, "precious"));
    await expect(newStore().open("tank", config())).rejects.toThrow(/a\.img is not empty/);
    expect((await readFile(pathOf("a.img"))).subarray(0, 8).toString()).toBe("precious");
  });

  it("opens no pool of another name, and no other pool of the same name", async () => {
    await within({});
    await expect(newStore().open("pond", config())).rejects.toThrow(/the pool "tank"/);
    known.set("tank", { uuid: VOLUME_UUID, made: true });
    await expect(newStore().open("tank", config())).rejects.toThrow(/another pool of this name/);
  });

  it("refuses what another one has: a daemon here, or another host", async () => {
    const store = newStore();
    await store.open("tank", config());
    await expect(newStore().open("tank", config())).rejects.toThrow(/in use/);
    await store.closeAll();
    const active = newStore("aaaaaaaa-0000-4000-8000-000000000000");
    await active.open("tank", config());
    await active.find("tank")?.pool.sync();
    const image = await readFile(pathOf("a.img"));
    await active.closeAll();
    await writeFile(pathOf("a.img"), image);
    await expect(newStore().open("tank", config())).rejects.toThrow(/open on another host/);
  });

  it("leaves a pool alone whose flush has failed since the machine was started", async () => {
    await within({});
    failed.add(UUID);
    await expect(newStore().open("tank", config())).rejects.toThrow(/failed/);
  });

  it("leaves out what is optional, with a warning that says why, and lets go of the devices", async () => {
    await within({});
    await writeFile(pathOf("b.img"), Buffer.alloc(1));
    const store = newStore();
    const devices = [pathOf("a.img"), pathOf("b.img")];
    await store.open("tank", config({ devices, optional: true }));
    expect(store.find("tank")).toBeUndefined();
    expect(lines.map(({ message }) => message)).toContain("optional pool left out");
    await within({});
  });

  it("takes up what an image has gained, while it is open and before", async () => {
    await within({}, async (store) => {
      const pool = store.find("tank")?.pool;
      const before = pool?.usage().capacityBytes ?? 0;
      await truncate(pathOf("a.img"), 256 * MIB);
      await store.refresh();
      expect(pool?.usage().capacityBytes).toBeGreaterThan(before + 120 * MIB);
      await store.refresh();
    });
    await truncate(pathOf("a.img"), 384 * MIB);
    await within({}, (store) => {
      expect(store.find("tank")?.pool.usage().capacityBytes).toBeGreaterThan(360 * MIB - 64 * MIB);
      return Promise.resolve();
    });
    await truncate(pathOf("a.img"), 384 * MIB + 4096);
    await within({});
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("grows the last image by itself, up to its limit", () =>
    within({ autogrow: { ...GROWTH, image: true, maxBytes: 256 * MIB } }, async () => {
      while ((await stat(pathOf("a.img"))).size < 256 * MIB) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }));

  it("takes neither a character device nor a folder", async () => {
    const devices = ["/dev/null"];
    await expect(newStore().open("tank", config({ devices }))).rejects.toThrow(/\/dev\/null/);
  });
});
