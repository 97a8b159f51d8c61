import { existsSync } from "node:fs";
import {
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RawVolumeConfig } from "../../../src/control/config/config.ts";
import type { Edit } from "../../../src/control/plane/control-plane.ts";
import type { Creation } from "../../../src/control/state-document.ts";
import {
  exporting,
  imageConfig,
  poolConfig,
  targetConfig,
  thinConfig,
} from "../support/inventories.ts";
import { emptyConfig, PlaneHarness } from "../support/plane-harness.ts";

const MIB = 1 << 20;
const ACTOR = { name: "test" };
const NAME = "iqn.2026-11.net.example:one";

let folder: string;
let harness: PlaneHarness;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-creations-"));
  harness = await PlaneHarness.start({ folder });
});

afterEach(async () => {
  await harness.dispose();
  await rm(folder, { recursive: true });
});

function raw(name: string, changes: Partial<RawVolumeConfig> = {}): RawVolumeConfig {
  return imageConfig(join(folder, `${name}.img`), changes);
}

/** Adds volumes of image files that are made, and a target with a LUN for each. */
function exportOf(target: string, ...names: readonly string[]): Edit {
  return exporting(target, new Map(names.map((name) => [name, raw(name)])));
}

const change = (edit: Edit) => harness.plane.change(ACTOR, "test", edit);

describe("what was there before a change that fails", () => {
  const pools = () =>
    new Map([
      [
        "tank",
        poolConfig({
          devices: [join(folder, "tank.img")],
          create: { sizeBytes: 128 * MIB, extentBytes: 65_536 },
        }),
      ],
    ]);
  const thin = (uuid: string | null = null) =>
    thinConfig("tank", { sizeBytes: MIB, create: true, uuid });
  const tank = () => {
    const found = harness.parts.pools.find("tank");
    if (found === undefined) throw new Error("the pool is open");
    return found.pool;
  };
  const namesInTank = () =>
    tank()
      .volumes()
      .map(({ attributes }) => attributes.name);

  it("stays: a volume of the pool that has the identity which a new one would have", async () => {
    await change(({ inventory }) => ({
      ...inventory,
      pools: pools(),
      volumes: new Map([["v", thin()]]),
    }));
    await change(({ inventory }) => ({ ...inventory, volumes: new Map() }));
    // A disk of the old name is wanted anew after that one was renamed: initiators would take it for the old one.
    await tank().rename(tank().volume("v"), "v-old");
    const again: Edit = ({ inventory }) => ({ ...inventory, volumes: new Map([["v", thin()]]) });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(change(again)).rejects.toThrow("although one was there before");
      expect(namesInTank()).toEqual(["v-old"]);
    }
  });

  it("stays: a volume of the pool whose uuid the change asks for under another name", async () => {
    const uuid = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
    await change(({ inventory }) => ({ ...inventory, pools: pools() }));
    await tank().createVolume({ name: "precious", uuid, sizeBytes: MIB });
    const attempt = change(({ inventory }) => ({
      ...inventory,
      volumes: new Map([["w", thin(uuid)]]),
    }));
    await expect(attempt).rejects.toThrow("has a volume of its uuid");
    expect(namesInTank()).toEqual(["precious"]);
  });

  it("stays: the identity of a disk that is away, whose place no empty one may take", async () => {
    const disk = join(folder, "mnt");
    await mkdir(disk);
    const mounted: Edit = ({ inventory }) => ({
      ...inventory,
      volumes: new Map([["v", raw("v", { path: join(disk, "v.img") })]]),
    });
    await change(mounted);
    const uuid = harness.parts.volumes.volumes.get("v")?.volume.uuid;
    await change(({ inventory }) => ({ ...inventory, volumes: new Map() }));
    await rename(disk, `${disk}-away`);
    await mkdir(disk);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(change(mounted)).rejects.toThrow("although it was there before");
    }
    await rm(disk, { recursive: true });
    await rename(`${disk}-away`, disk);
    await change(mounted);
    expect(harness.parts.volumes.volumes.get("v")?.volume.uuid).toBe(uuid);
  });

  it("stays: a link that leads nowhere for the moment", async () => {
    const link = join(folder, "b.img");
    await symlink(join(folder, "away", "b.img"), link);
    await expect(change(exportOf(NAME, "b"))).rejects.toThrow();
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
  });

  it("goes: a volume that was made in a pool that stays", async () => {
    await change(({ inventory }) => ({ ...inventory, pools: pools() }));
    const nowhere = { listen: { address: "192.0.2.1", port: 3260 }, group: 1, advertise: null };
    const attempt = change(({ inventory }) => ({
      ...inventory,
      volumes: new Map([["v", thin()]]),
      portals: [nowhere],
    }));
    await expect(attempt).rejects.toThrow("192.0.2.1");
    expect(namesInTank()).toEqual([]);
    await change(({ inventory }) => ({ ...inventory, volumes: new Map([["v", thin()]]) }));
    expect(namesInTank()).toEqual(["v"]);
  });

  it("goes: a pool that was made, with its image", async () => {
    const nowhere = { listen: { address: "192.0.2.1", port: 3260 }, group: 1, advertise: null };
    const attempt = change(({ inventory }) => ({
      ...inventory,
      pools: pools(),
      portals: [nowhere],
    }));
    await expect(attempt).rejects.toThrow("192.0.2.1");
    expect(existsSync(join(folder, "tank.img"))).toBe(false);
    await change(({ inventory }) => ({ ...inventory, pools: pools() }));
  });
});

describe("after a kill in the middle of a change", () => {
  /** The state as a change leaves it that is killed while it makes something. */
  async function killedWith(creation: Creation): Promise<void> {
    await harness.state.keep(harness.state.inventory, [creation]);
    await harness.dispose();
  }

  it("an image that somebody has put in the place meanwhile stays, with a log line", async () => {
    const path = join(folder, "b.img");
    await killedWith({ kind: "file", name: "b", path, sizeBytes: MIB });
    await writeFile(path, Buffer.alloc(MIB, 7));
    harness = await PlaneHarness.start({ folder });
    expect((await readFile(path)).every((byte) => byte === 7)).toBe(true);
    expect(JSON.stringify(harness.lines)).toContain("kept: it is something else");
    expect(harness.state.creations).toEqual([]);
  });

  it("an image that is configured by now stays, however empty", async () => {
    const path = join(folder, "b.img");
    await killedWith({ kind: "file", name: "other", path, sizeBytes: MIB });
    await writeFile(path, "");
    await truncate(path, MIB);
    const config = { ...emptyConfig(folder), volumes: new Map([["b", raw("b")]]) };
    harness = await PlaneHarness.start({ folder, config });
    expect(existsSync(path)).toBe(true);
  });

  it("what is in a pool that is not there is taken back when it is", async () => {
    const uuid = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
    const creation = { kind: "volume", name: "v", pool: "tank", itsName: "v", uuid } as const;
    await killedWith(creation);
    harness = await PlaneHarness.start({ folder });
    expect(harness.state.creations).toEqual([creation]);
    await change(({ inventory }) => ({ ...inventory, targets: [targetConfig(NAME)] }));
    expect(harness.state.creations).toEqual([creation]);
  });
});
