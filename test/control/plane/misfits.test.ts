import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Config, VolumeConfig } from "../../../src/control/config/config.ts";
import { withTarget } from "../../../src/control/plane/edits.ts";
import { lunConfig, targetConfig } from "../support/inventories.ts";
import { emptyConfig, PlaneHarness } from "../support/plane-harness.ts";

const NAME = "iqn.2026-11.net.example:one";
const ACTOR = { name: "test" };

let folder: string;
let harness: PlaneHarness;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-misfits-"));
});

afterEach(async () => {
  await harness.dispose();
  await rm(folder, { recursive: true });
});

const disk: VolumeConfig = {
  driver: "memory",
  sizeBytes: 1 << 20,
  uuid: null,
  readOnly: false,
  optional: false,
  delayMs: 0,
};

const withDisk = (): Config => ({ ...emptyConfig(folder), volumes: new Map([["disk", disk]]) });
const add = (name: string, tid: number | null = null): Promise<unknown> =>
  harness.plane.change(ACTOR, "test", (view) => withTarget(view, targetConfig(name, { tid })));

it("a disk that the configuration describes in another way by now is left out at the start, and commands put that right", async () => {
  const config = withDisk();
  harness = await PlaneHarness.start({ folder, config });
  const luns = [lunConfig(0, "disk", { readOnly: true })];
  await harness.plane.change(ACTOR, "test", ({ inventory }) => ({
    ...inventory,
    targets: [targetConfig(NAME, { luns })],
  }));
  await harness.dispose();
  const theirs = targetConfig(`${NAME}2`, { luns: [lunConfig(0, "disk")] });
  harness = await PlaneHarness.start({ folder, config: { ...config, targets: [theirs] } });
  const unitOf = (name: string) => harness.server.targets.get(name)?.device.units.get(0);
  expect([unitOf(NAME), unitOf(`${NAME}2`)?.readOnly]).toEqual([undefined, false]);
  expect(harness.lines.some(({ message }) => message.startsWith("LUN left out"))).toBe(true);
  // Another change is not refused for that, and does not bring into effect what was left out.
  await add(`${NAME}3`);
  await harness.plane.change(ACTOR, "test", ({ inventory }) => ({
    ...inventory,
    targets: inventory.targets.map((target) => ({ ...target, alias: "new" })),
  }));
  expect([unitOf(NAME), unitOf(`${NAME}2`)?.readOnly]).toEqual([undefined, false]);
  await expect(
    harness.plane.change(ACTOR, "test", ({ inventory }) => ({
      ...inventory,
      targets: [...inventory.targets, targetConfig(`${NAME}4`, { luns: [lunConfig(0, "dsik")] })],
    })),
  ).rejects.toThrow('did you mean "disk"');
  await harness.plane.change(ACTOR, "test", ({ inventory }) => ({ ...inventory, targets: [] }));
  expect([...harness.server.targets.keys()]).toEqual([`${NAME}2`]);
});

it("no target is told the number that another one was given, for as long as that is there", async () => {
  harness = await PlaneHarness.start({ folder, config: withDisk() });
  await add(NAME);
  expect(harness.plane.view.all.targets.map(({ tid }) => tid)).toEqual([1]);
  await expect(add(`${NAME}2`, 1)).rejects.toThrow("number 1");
  await harness.plane.change(ACTOR, "test", ({ inventory }) => ({ ...inventory, targets: [] }));
  await add(`${NAME}2`, 1);
  await add(NAME);
  expect(harness.plane.view.all.targets.map(({ tid }) => tid)).toEqual([1, 2]);
});
