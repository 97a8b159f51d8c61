import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Config, TargetConfig } from "../../../src/control/config/config.ts";
import { EMPTY_INVENTORY } from "../../../src/control/config/inventory.ts";
import { StartError } from "../../../src/control/start-error.ts";
import { targetConfig } from "../support/inventories.ts";
import { emptyConfig, PlaneHarness } from "../support/plane-harness.ts";

let folder: string;
let harness: PlaneHarness;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-target-numbers-"));
  harness = await PlaneHarness.start({ folder });
});

afterEach(async () => {
  await harness.dispose();
  await rm(folder, { recursive: true });
});

const named = (name: string, tid: number | null = null): TargetConfig =>
  targetConfig(`iqn.2026-11.net.example:${name}`, { tid });

/** The configuration has these. */
async function restart(...targets: readonly TargetConfig[]): Promise<void> {
  await harness.plane.close();
  await harness.dispose();
  harness = await PlaneHarness.start({ folder, config: configOf(...targets) });
}

function configOf(...targets: readonly TargetConfig[]): Config {
  return { ...emptyConfig(folder), targets };
}

/** Commands have made these. */
const want = (...targets: readonly TargetConfig[]): Promise<unknown> =>
  harness.plane.change({ name: "test" }, "test", () => ({ ...EMPTY_INVENTORY, targets }));

const numbers = (): unknown =>
  Object.fromEntries(
    harness.plane.view.all.targets.map(({ name, tid }) => [name.split(":")[1], tid]),
  );

describe("the number of a target", () => {
  it("stays over restarts, whatever was deleted before it", async () => {
    await want(named("a"), named("b"), named("c"));
    await want(named("c"), named("b"));
    await restart();
    expect(numbers()).toEqual({ c: 3, b: 2 });
    // The one that is free is for who comes next.
    await want(named("c"), named("b"), named("d"));
    await restart();
    expect(numbers()).toEqual({ c: 3, b: 2, d: 1 });
  });

  it("stays for one of the configuration, too, in whatever place it is there", async () => {
    await restart(named("a"), named("b"));
    expect(numbers()).toEqual({ a: 1, b: 2 });
    await want(named("c"));
    await restart(named("x"), named("b"));
    expect(numbers()).toEqual({ x: 1, b: 2, c: 3 });
    await want();
    await restart(named("b"), named("x"));
    expect(numbers()).toEqual({ b: 2, x: 1 });
  });

  it("is no difference for who describes the same target again without one", async () => {
    await want(named("a"), named("b"));
    await want(named("b"));
    await restart();
    expect(harness.plane.preview(() => ({ ...EMPTY_INVENTORY, targets: [named("b")] }))).toEqual(
      [],
    );
  });

  it("is nobody else's while it was given, neither by a command nor by the configuration", async () => {
    await want(named("a"));
    await expect(want(named("a"), named("b", 1))).rejects.toThrow("has the number 1 of");
    const { plane } = harness;
    expect(() => plane.refuseNumbers(configOf(named("b", 1)))).toThrow(StartError);
    expect(() => plane.refuseNumbers(configOf(named("b", 2)))).not.toThrow();
    await restart(named("a2"), named("b"));
    expect(() => harness.plane.refuseNumbers(configOf(named("a2"), named("b", 2)))).toThrow(
      "has the number 2 of",
    );
    // Its own it may be told.
    expect(() => harness.plane.refuseNumbers(configOf(named("a2", 2)))).not.toThrow();
  });

  it("is given anew at a start where the configuration has come to say it of another one", async () => {
    await want(named("a"), named("b"));
    await restart(named("x", 1));
    expect(numbers()).toEqual({ x: 1, a: 3, b: 2 });
    await restart();
    expect(numbers()).toEqual({ a: 3, b: 2 });
  });
});
