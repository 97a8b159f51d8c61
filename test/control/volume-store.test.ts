import { mkdtemp, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type {
  MemoryVolumeConfig,
  RawVolumeConfig,
  ThinVolumeConfig,
  VolumeConfig,
} from "../../src/control/config/config.ts";
import { StartError } from "../../src/control/start-error.ts";
import { VolumeStore } from "../../src/control/volume-store.ts";
import { openLog, silentLog } from "../../src/util/log.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { forgetfulIdentities } from "./support/forgetful-identities.ts";
import { type PoolHarness, poolHarness } from "../volume/engine/support.ts";

const MIB = 1024 * 1024;
const UUID = "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a";

let folder: string;
let lines: string[];
let store: VolumeStore;
let made: Set<string>;
/** The pool "tank", in the tests that want one. */
let tank: PoolHarness | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-volumes-"));
  lines = [];
  const { log } = openLog({
    level: "debug",
    pretty: false,
    write: (line) => void lines.push(line),
  });
  made = new Set();
  const identities = {
    uuidOf: () => Promise.resolve(UUID),
    disksOf: () => [],
    wasMade: (name: string) => made.has(name),
    rememberMade: (name: string) => Promise.resolve(void made.add(name)),
    forget: (name: string) => Promise.resolve(void made.delete(name)),
  };
  store = new VolumeStore(log, identities, (name) =>
    tank === undefined || name !== "tank" ? undefined : { pool: tank.pool, rotational: false },
  );
});

afterEach(async () => {
  await store.closeAll();
  await tank?.dispose();
  tank = undefined;
  await rm(folder, { recursive: true });
});

const common = { uuid: null, readOnly: false, optional: false, delayMs: 0 } as const;

function raw(changes: Partial<RawVolumeConfig> = {}): RawVolumeConfig {
  const path = join(folder, "disk.img");
  const sizeBytes = 4 * MIB;
  return { ...common, driver: "raw", path, sizeBytes, create: true, direct: false, ...changes };
}

describe("a volume that hangs", () => {
  it("keeps nobody waiting, and is closed when it comes late", async () => {
    let answer: (uuid: string) => void = () => undefined;
    const promise = new Promise<string>((resolve) => (answer = resolve));
    const identities = {
      ...forgetfulIdentities(UUID),
      uuidOf: (name: string) => (name === "stuck" ? promise : Promise.resolve(UUID)),
    };
    const clock = new ManualClock();
    const lasting = new VolumeStore(silentLog, identities, () => undefined, clock);
    const opening = lasting.open("stuck", raw());
    const refused = expect(opening).rejects.toThrow("does not answer");
    await lasting.open("other", memory);
    clock.advance(60_000);
    await refused;
    // Nobody else gets the name while nobody knows what comes of it.
    await expect(lasting.open("stuck", raw())).rejects.toThrow("still use it");
    answer(UUID);
    const isOpened = () =>
      lasting.open("stuck", raw()).then(
        () => true,
        () => false,
      );
    await expect.poll(isOpened).toBe(true);
    expect(await lasting.closeAll()).toBe(true);
  });
});

function thin(changes: Partial<ThinVolumeConfig> = {}): ThinVolumeConfig {
  const promises = { reserveBytes: null, quotaBytes: null };
  const sizeBytes = 4 * MIB;
  const place = { driver: "thin", pool: "tank", name: null, create: true } as const;
  return { ...common, ...place, sizeBytes, ...promises, ...changes };
}

const memory: MemoryVolumeConfig = { ...common, driver: "memory", sizeBytes: MIB };

describe("a volume that takes its time to close", () => {
  /** Opens it, and has its flush wait. Returns how to let it end. */
  async function holdClosing(name: string, config: VolumeConfig): Promise<() => void> {
    await store.open(name, config);
    const volume = store.volumes.get(name)?.volume;
    if (volume === undefined) throw new Error("it is open");
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (end = resolve));
    const close = volume.close.bind(volume);
    volume.close = async () => {
      await held;
      await close();
    };
    return end;
  }

  it("is waited for by whoever closes it, too", async () => {
    const end = await holdClosing("disk", raw());
    const order: string[] = [];
    const closings = ["first", "second"].map(async (who) => {
      expect(await store.close("disk")).toBe(true);
      order.push(who);
    });
    const all = store.closeAll().then(() => order.push("all"));
    await store.open("other", memory);
    expect(order).toEqual([]);
    end();
    await Promise.all([...closings, all]);
    expect(order.toSorted()).toEqual(["all", "first", "second"]);
  });

  it("still uses its pool", async () => {
    tank = await poolHarness();
    const end = await holdClosing("thin", thin());
    expect(store.usersOf("tank")).toEqual(["thin"]);
    const closing = store.close("thin");
    expect(store.volumes.has("thin")).toBe(false);
    expect(store.usersOf("tank")).toEqual(["thin"]);
    expect(store.usersOf("other")).toEqual([]);
    end();
    await closing;
    expect(store.usersOf("tank")).toEqual([]);
  });

  it("is not closed in the place of another one of its name", async () => {
    await store.open("disk", raw());
    const before = store.volumes.get("disk");
    await store.close("disk");
    await store.open("disk", raw());
    expect(await store.close("disk", before)).toBe(true);
    expect(store.volumes.has("disk")).toBe(true);
    expect(await store.close("disk", store.volumes.get("disk"))).toBe(true);
    expect(store.volumes.has("disk")).toBe(false);
  });

  it("does not come back when its growing ends after that", async () => {
    await store.open("disk", raw());
    const fitting = store.fit("disk", raw({ sizeBytes: 8 * MIB }));
    const closing = store.close("disk");
    await fitting.catch(() => undefined);
    await closing;
    expect(store.volumes.has("disk")).toBe(false);
  });
});

describe("VolumeStore", () => {
  it("makes what is to be made, and finds it again", async () => {
    await store.open("disk", raw());
    expect(store.volumes.get("disk")).toMatchObject({ isNew: true, volume: { uuid: UUID } });
    await store.close("disk");
    await store.open("disk", raw());
    expect(store.volumes.get("disk")?.isNew).toBe(false);
  });

  it("does not make a disk anew that was there before: its file system may not be mounted", async () => {
    await store.open("disk", raw());
    await store.close("disk");
    await rename(join(folder, "disk.img"), join(folder, "elsewhere"));
    await expect(store.open("disk", raw())).rejects.toThrow(/missing although it was there before/);
    await expect(stat(join(folder, "disk.img"))).rejects.toThrow("ENOENT");
    await rename(join(folder, "elsewhere"), join(folder, "disk.img"));
    await store.open("disk", raw());
    expect(store.volumes.get("disk")?.isNew).toBe(false);
  });

  it("takes the configured identity before the kept one", async () => {
    const uuid = "0d9a1f44-9d34-4f3f-8f8e-31c0c4a7a001";
    await store.open("mem", { ...memory, uuid });
    expect(store.volumes.get("mem")?.volume.uuid).toBe(uuid);
  });

  it("makes nothing that is not to be made", async () => {
    const opening = store.open("disk", raw({ create: false }));
    await expect(opening).rejects.toThrow(StartError);
    await expect(opening).rejects.toThrow(/volume disk: .*disk\.img/);
    await expect(stat(join(folder, "disk.img"))).rejects.toThrow("ENOENT");
  });

  it("leaves out what is optional, with a warning that says why", async () => {
    await store.open("disk", raw({ create: false, optional: true }));
    expect(store.volumes.has("disk")).toBe(false);
    expect(lines.join("")).toContain("optional volume left out");
    expect(lines.join("")).toContain("ENOENT");
  });

  it("grows to the configured size, and never shrinks", async () => {
    await store.open("disk", raw());
    await store.close("disk");
    await store.open("disk", raw({ sizeBytes: 6 * MIB }));
    expect(store.volumes.get("disk")?.volume.capacityBytes).toBe(6 * MIB);
    await store.close("disk");
    await store.open("disk", raw({ sizeBytes: MIB }));
    expect(store.volumes.get("disk")?.volume.capacityBytes).toBe(6 * MIB);
    expect((await stat(join(folder, "disk.img"))).size).toBe(6 * MIB);
    expect(lines.join("")).toContain("volume is larger than configured, and stays so");
    expect(lines.join("")).toContain("say the size that it has, or cut its file while");
  });

  it("says of memory that is configured smaller that a restart is what it takes", async () => {
    await store.open("mem", memory);
    await store.refresh(new Map([["mem", { ...memory, sizeBytes: MIB / 2 }]]));
    expect(lines.join("")).toContain("it has the configured size after a restart");
  });

  it("does not speak of a volume that is being made shorter by a command", async () => {
    await store.open("mem", memory);
    await store.fit("mem", { ...memory, sizeBytes: MIB / 2 }, { isResizing: true });
    expect(lines.join("")).not.toContain("larger");
  });

  it("does not write over a file that is no disk of its making", async () => {
    await writeFile(join(folder, "disk.img"), "precious");
    await store.open("disk", raw({ sizeBytes: null, create: false }));
    expect(store.volumes.get("disk")?.volume.capacityBytes).toBe("precious".length);
  });

  it("refuses the same disk to a second one", async () => {
    await store.open("disk", raw());
    await expect(store.open("twin", raw())).rejects.toThrow(/volume twin: .* in use/);
  });

  it("takes up new sizes on refresh: of the file, and of the configuration", async () => {
    await store.open("disk", raw());
    await store.open("mem", memory);
    await truncate(join(folder, "disk.img"), 5 * MIB);
    await store.refresh(new Map([["mem", { ...memory, sizeBytes: 2 * MIB }]]));
    expect(store.volumes.get("disk")?.volume.capacityBytes).toBe(5 * MIB);
    expect(store.volumes.get("mem")?.volume.capacityBytes).toBe(2 * MIB);
    expect(lines.filter((line) => line.includes("volume changed its size"))).toHaveLength(2);
  });

  it("closes what is open, and may be asked twice", async () => {
    await store.open("mem", memory);
    expect(await store.closeAll()).toBe(true);
    expect(store.volumes.size).toBe(0);
    expect(await store.closeAll()).toBe(true);
    expect(await store.close("mem")).toBe(true);
  });
});

describe("VolumeStore with a pool", () => {
  beforeEach(async () => {
    tank = await poolHarness();
  });

  it("makes a volume, finds it again, grows it, and keeps what is promised to it", async () => {
    await store.open("disk", thin());
    expect(store.volumes.get("disk")).toMatchObject({ isNew: true, volume: { uuid: UUID } });
    await store.close("disk");
    await store.open("disk", thin({ sizeBytes: 8 * MIB, reserveBytes: MIB, quotaBytes: 6 * MIB }));
    expect(store.volumes.get("disk")).toMatchObject({
      isNew: false,
      volume: { capacityBytes: 8 * MIB },
    });
    expect(tank?.pool.volume("disk").attributes).toMatchObject({
      reservedBytes: MIB,
      quotaBytes: 6 * MIB,
    });
  });

  it("names the command that makes it smaller where it is configured so", async () => {
    await store.open("disk", thin());
    await store.close("disk");
    await store.open("disk", thin({ sizeBytes: MIB }));
    expect(store.volumes.get("disk")?.volume.capacityBytes).toBe(4 * MIB);
    expect(lines.join("")).toContain("volume is larger than configured, and stays so");
    expect(lines.join("")).toContain("thinlun volume resize tank/disk 1048576B --shrink");
  });

  it("takes the identity from the pool, and refuses to call it another", async () => {
    await store.open("disk", thin());
    await store.close("disk");
    const uuid = "0d9a1f44-9d34-4f3f-8f8e-31c0c4a7a001";
    await expect(store.open("disk", thin({ uuid }))).rejects.toThrow(/it has the uuid/);
    await store.open("disk", thin({ uuid: UUID }));
  });

  it("does not make a volume anew that was there before", async () => {
    made.add("disk");
    await expect(store.open("disk", thin())).rejects.toThrow(/although one was there before/);
    expect(tank?.pool.volumes()).toEqual([]);
  });

  it("leaves out what is optional when its pool is not open", async () => {
    await store.open("disk", thin({ pool: "pond", optional: true }));
    expect(store.volumes.has("disk")).toBe(false);
    made.add("disk");
    await expect(store.open("disk", thin({ pool: "pond" }))).rejects.toThrow(/pond is not open/);
  });
});
