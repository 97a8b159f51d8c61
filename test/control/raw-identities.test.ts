import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { VolumeConfig } from "../../src/control/config/config.ts";
import { EMPTY_INVENTORY } from "../../src/control/config/inventory.ts";
import { imageConfig, lunConfig, targetConfig } from "./support/inventories.ts";
import { emptyConfig, PlaneHarness } from "./support/plane-harness.ts";

const MIB = 1 << 20;
const NAME = "iqn.2026-11.net.example:one";

let folder: string;
let harness: PlaneHarness;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-identities-"));
  for (const name of ["a", "b"]) await writeFile(path(name), Buffer.alloc(MIB, name));
  harness = await PlaneHarness.start({ folder });
});

afterEach(async () => {
  await harness.dispose();
  await rm(folder, { recursive: true });
});

const path = (name: string): string => join(folder, `${name}.img`);
const image = (name: string, changes = {}): VolumeConfig =>
  imageConfig(path(name), { create: false, sizeBytes: null, ...changes });

/** The volume v, as commands make it; null: without it. */
async function want(volume: VolumeConfig | null): Promise<string | undefined> {
  const volumes = new Map(volume === null ? [] : [["v", volume] as const]);
  const luns = volume === null ? [] : [lunConfig(1, "v")];
  const targets = [targetConfig(NAME, { luns })];
  await harness.plane.change({ name: "test" }, "test", () => ({
    ...EMPTY_INVENTORY,
    volumes,
    targets,
  }));
  return uuid();
}

const uuid = (): string | undefined => harness.parts.volumes.volumes.get("v")?.volume.uuid;

async function restart(): Promise<void> {
  await harness.plane.close();
  await harness.dispose();
  harness = await PlaneHarness.start({ folder });
}

describe("the identity of a file that is a volume", () => {
  it("is not that of another one which had its name before", async () => {
    const a = await want(image("a"));
    await want(null);
    const b = await want(image("b"));
    expect(b).not.toBe(a);
    const warned = harness.lines.find(({ message }) => message.includes("lies elsewhere"));
    expect(warned?.fields).toMatchObject({ before: { uuid: a } });
    await restart();
    expect(uuid()).toBe(b);
    // The first one is there as it was, when it comes back.
    await want(null);
    expect(await want(image("a"))).toBe(a);
    await want(null);
    expect(await want({ ...image("a"), driver: "memory", sizeBytes: MIB, delayMs: 0 })).not.toBe(a);
  });

  it("stays where a change that wanted another one has failed", async () => {
    const a = await want(image("a"));
    await want(null);
    await expect(want(image("none"))).rejects.toThrow("ENOENT");
    await expect(want(image("none", { create: true, sizeBytes: MIB }))).rejects.toThrow(
      `is missing although a disk of this name was there before, as ${path("a")}`,
    );
    expect(await want(image("a"))).toBe(a);
  });

  it("stays when it is renamed, and is what a configuration says", async () => {
    const a = await want(image("a"));
    await want(null);
    await rename(path("a"), path("renamed"));
    expect(await want(image("renamed"))).toBe(a);
    await want(null);
    await copyFile(path("renamed"), path("copy"));
    expect(await want(image("copy"))).not.toBe(a);
    await want(null);
    expect(await want(image("copy", { uuid: a }))).toBe(a);
    await want(null);
    // From then on it is its own.
    expect(await want(image("copy"))).toBe(a);
  });

  it("stays when it is restored from a backup in its place", async () => {
    const a = await want(image("a"));
    await want(null);
    await rm(path("a"));
    await copyFile(path("b"), path("a"));
    expect(await want(image("a"))).toBe(a);
  });

  it("is not another's after a restart with another configuration", async () => {
    const configured = (name: string) => ({
      ...emptyConfig(folder),
      volumes: new Map([["v", image(name)]]),
    });
    const start = async (name: string): Promise<string | undefined> => {
      await harness.plane.close();
      await harness.dispose();
      harness = await PlaneHarness.start({ folder, config: configured(name) });
      return uuid();
    };
    const a = await start("a");
    const b = await start("b");
    expect(b).not.toBe(a);
    expect(await start("a")).toBe(a);
    expect(await start("b")).toBe(b);
    const state = await readFile(join(folder, "state", "state.json"), "utf8");
    expect(state).toContain(path("b"));
  });
});
