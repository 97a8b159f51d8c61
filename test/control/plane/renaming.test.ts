import { existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ReplacementSteps, systemSteps } from "../../../src/control/durable-file.ts";
import { namesOf, renamedInventory, withRenamed } from "../../../src/control/plane/renaming.ts";
import { EMPTY_INVENTORY } from "../../../src/control/config/inventory.ts";
import { run } from "../../support/program.ts";
import { lunConfig, poolConfig, targetConfig, thinConfig } from "../support/inventories.ts";
import { emptyConfig, PlaneHarness } from "../support/plane-harness.ts";

const MIB = 1 << 20;
const ACTOR = { name: "test" };
const NAME = "iqn.2026-11.net.example:one";
const UUID = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
const RENAMING = { pool: "tank", uuid: UUID, from: "a", to: "b" };

describe("an inventory in which a volume has another name", () => {
  const tgt = { scsiId: "", scsiSn: "", storeType: "thin", storePath: "tank/a", storeFlags: "" };
  const inventory = {
    ...EMPTY_INVENTORY,
    volumes: new Map([
      ["tank/a", thinConfig("tank", { name: "a" })],
      ["lake/a", thinConfig("lake", { name: "a" })],
      ["other", thinConfig("tank")],
    ]),
    targets: [
      targetConfig(NAME, {
        luns: [lunConfig(0, "tank/a"), lunConfig(1, "lake/a"), lunConfig(2, "tank/a", { tgt })],
      }),
    ],
  };

  it("leads to it from everywhere it has led to it before, and is the same otherwise", () => {
    const after = renamedInventory(inventory, RENAMING);
    expect([...after.volumes]).toEqual([
      ["tank/b", thinConfig("tank", { name: "b" })],
      ["lake/a", thinConfig("lake", { name: "a" })],
      ["other", thinConfig("tank")],
    ]);
    expect(after.targets[0]?.luns).toEqual([
      lunConfig(0, "tank/b"),
      lunConfig(1, "lake/a"),
      lunConfig(2, "tank/b", { tgt: { ...tgt, storePath: "tank/b" } }),
    ]);
    expect(renamedInventory(after, { ...RENAMING, from: "b", to: "a" })).toEqual(inventory);
    expect(renamedInventory(inventory, { ...RENAMING, from: "nobody" })).toBe(inventory);
  });

  it("keeps a name that somebody has given to it", () => {
    const after = renamedInventory(inventory, { ...RENAMING, from: "other" });
    expect(after.volumes.get("other")).toEqual(thinConfig("tank", { name: "b" }));
    expect(namesOf(after.volumes, "tank", "b")).toEqual(["other"]);
  });

  it("is refused where the configuration has it, or where something waits for the new name", () => {
    const config = { ...emptyConfig("/"), volumes: new Map([["disk", thinConfig("tank")]]) };
    const view = {
      config,
      inventory,
      all: { ...config, ...inventory, discovery: config.discovery },
    };
    expect(() => withRenamed(view, { ...RENAMING, from: "disk" })).toThrow(
      expect.objectContaining({ kind: "foreign", message: expect.stringContaining("SIGHUP") }),
    );
    expect(() => withRenamed(view, { ...RENAMING, to: "other" })).toThrow(
      expect.objectContaining({ kind: "exists" }),
    );
  });
});

describe("a volume that is a LUN", () => {
  let folder: string;
  let harness: PlaneHarness;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "thinlun-renaming-"));
    harness = await PlaneHarness.start({ folder });
    const create = { sizeBytes: 64 * MIB, extentBytes: 65_536 };
    await harness.plane.change(ACTOR, "test", ({ inventory }) => ({
      ...inventory,
      pools: new Map([["tank", poolConfig({ devices: [join(folder, "tank.img")], create })]]),
    }));
    await tank().createVolume({ name: "a", uuid: UUID, sizeBytes: MIB });
    await harness.plane.change(ACTOR, "test", ({ inventory }) => ({
      ...inventory,
      volumes: new Map([["tank/a", thinConfig("tank", { name: "a" })]]),
      targets: [targetConfig(NAME, { luns: [lunConfig(0, "tank/a")] })],
    }));
  });

  afterEach(async () => {
    await harness.dispose();
    await rm(folder, { recursive: true });
  });

  function tank() {
    const found = harness.parts.pools.find("tank");
    if (found === undefined) throw new Error("the pool is open");
    return found.pool;
  }

  const renameIt = () =>
    harness.plane.change(ACTOR, "test", (view) => withRenamed(view, RENAMING), RENAMING);

  /** By what name it is found, everywhere. */
  function names(): readonly unknown[] {
    const { inventory } = harness.plane.view;
    return [
      tank().volume(UUID).attributes.name,
      [...inventory.volumes.keys()],
      inventory.targets[0]?.luns[0]?.volume,
      [...harness.parts.volumes.volumes.keys()],
      harness.server.targets.get(NAME)?.device.units.get(0)?.volume.name,
    ];
  }

  const BEFORE = ["a", ["tank/a"], "tank/a", ["tank/a"], "a"];
  const AFTER = ["b", ["tank/b"], "tank/b", ["tank/b"], "b"];

  it("is called otherwise everywhere, and its old name is free", async () => {
    const unit = harness.server.targets.get(NAME)?.device.units.get(0);
    await renameIt();
    expect(names()).toEqual(AFTER);
    expect(harness.server.targets.get(NAME)?.device.units.get(0)).toBe(unit);
    expect(harness.state.creations).toEqual([]);
    expect(harness.state.volumes.wasMade("tank/a")).toBe(false);
    expect(harness.state.volumes.wasMade("tank/b")).toBe(true);
    await tank().createVolume({ name: "a", uuid: UUID.replace("6", "7"), sizeBytes: MIB });
    await expect(renameIt()).rejects.toMatchObject({ kind: "exists" });
    await harness.plane.change(ACTOR, "test", ({ inventory }) => ({
      ...inventory,
      volumes: new Map([...inventory.volumes, ["tank/a", thinConfig("tank", { name: "a" })]]),
      targets: [targetConfig(NAME, { luns: [lunConfig(0, "tank/b"), lunConfig(1, "tank/a")] })],
    }));
    const units = harness.server.targets.get(NAME)?.device.units;
    expect(units?.get(0)).toBe(unit);
    expect(units?.get(1)?.volume.uuid).toBe(UUID.replace("6", "7"));
  });

  it("keeps its name where the pool or the state refuses the new one", async () => {
    await tank().createVolume({ name: "b", uuid: UUID.replace("6", "7"), sizeBytes: MIB });
    await expect(renameIt()).rejects.toThrow("there already");
    expect(names()).toEqual(BEFORE);
    expect(harness.state.creations).toEqual([]);
    await tank().delete(tank().volume("b"));
    await harness.dispose();
    let writes = 0;
    const write: ReplacementSteps["write"] = async (path, text) => {
      writes += 1;
      if (writes === 3) throw new Error("ENOSPC");
      await systemSteps.write(path, text);
    };
    harness = await PlaneHarness.start({ folder, steps: { ...systemSteps, write } });
    writes = 0;
    await expect(renameIt()).rejects.toThrow("nothing was changed");
    expect(writes).toBeGreaterThan(3);
    expect(names()).toEqual(BEFORE);
    expect(harness.state.creations).toEqual([]);
    await renameIt();
    expect(names()).toEqual(AFTER);
  });

  it("is renamed as a whole or not at all, at whichever step the daemon is killed", async () => {
    const copy = (from: string, to: string) => run("cp", "-a", "--sparse=always", from, to);
    const atDeath = `${folder}-at-death`;
    let count = 0;
    let fatal = Infinity;
    const step =
      <Args extends readonly string[]>(action: (...args: Args) => Promise<void>) =>
      async (...args: Args): Promise<void> => {
        if (count === fatal) await copy(folder, atDeath);
        count += 1;
        await action(...args);
      };
    const steps: ReplacementSteps = {
      write: step((path: string, text: string) => systemSteps.write(path, text)),
      rename: step((from: string, to: string) => systemSteps.rename(from, to)),
      keepPrevious: step((path: string, name: string) => systemSteps.keepPrevious(path, name)),
      syncFolder: step((path: string) => systemSteps.syncFolder(path)),
    };
    await harness.dispose();
    await copy(folder, `${folder}-before`);
    const outcomes = new Set<string>();
    for (let kill = 0; kill < 100; kill += 1) {
      fatal = Infinity;
      harness = await PlaneHarness.start({ folder, steps });
      [count, fatal] = [0, kill];
      await renameIt();
      fatal = Infinity;
      await harness.dispose();
      const died = existsSync(atDeath);
      if (died) {
        await rm(folder, { recursive: true });
        await rename(atDeath, folder);
      }
      harness = await PlaneHarness.start({ folder });
      const isWhole = tank().volume(UUID).attributes.name === "b";
      expect(names()).toEqual(isWhole ? AFTER : BEFORE);
      expect(harness.state.creations).toEqual([]);
      outcomes.add(`${died ? "killed" : "ended"}: ${isWhole ? "whole" : "nothing"}`);
      await harness.dispose();
      if (!died) break;
      await rm(folder, { recursive: true });
      await copy(`${folder}-before`, folder);
    }
    await rm(`${folder}-before`, { recursive: true });
    harness = await PlaneHarness.start({ folder });
    expect([...outcomes].toSorted()).toEqual(["ended: whole", "killed: nothing", "killed: whole"]);
  });
});
