import { describe, expect, it } from "vitest";
import { EMPTY_INVENTORY, type Inventory, merged } from "../../../src/control/config/inventory.ts";
import type { PlaneView } from "../../../src/control/plane/control-plane.ts";
import {
  changedLun,
  freeLun,
  minusLun,
  plusLun,
  targetOf,
  viewOf,
  withChangedTarget,
  withoutUnusedVolumes,
  withoutTarget,
  withTarget,
  withVolume,
} from "../../../src/control/plane/edits.ts";
import { demoConfig, DEMO_TARGET } from "../../../src/control/demo-config.ts";
import { LUN_MAX } from "../../../src/scsi/limits.ts";
import { lunConfig, targetConfig, thinConfig } from "../support/inventories.ts";

const NAME = "iqn.2026-11.net.example:one";

function view(changes: Partial<Inventory> = {}): PlaneView {
  const config = demoConfig("/nowhere");
  const inventory = { ...EMPTY_INVENTORY, ...changes };
  return { config, inventory, all: merged(config, inventory) };
}

const volumes = new Map([
  ["named", thinConfig("demo")],
  ["demo/x", thinConfig("demo", { name: "x" })],
]);
const target = targetConfig(NAME, { luns: [lunConfig(1, "demo/x"), lunConfig(3, "named")] });

describe("edits of targets", () => {
  it("find those of commands, and say whose the others are", () => {
    expect(targetOf(view({ targets: [target] }), NAME)).toBe(target);
    expect(() => targetOf(view(), DEMO_TARGET)).toThrow(/is in the configuration: change it there/);
    expect(() => targetOf(view(), NAME)).toThrow(`there is no target ${NAME}`);
  });

  it("add one whose name is free", () => {
    expect(withTarget(view(), target).targets).toEqual([target]);
    expect(() => withTarget(view({ targets: [target] }), target)).toThrow("already");
    expect(() => withTarget(view(), targetConfig(DEMO_TARGET))).toThrow("already");
  });

  it("let volumes that nobody has named go with their last LUN, and no others", () => {
    const full = view({ volumes, targets: [target] });
    expect([...withoutTarget(full, NAME).volumes.keys()]).toEqual(["named"]);
    const less = withChangedTarget(full, NAME, (one) => minusLun(one, 3));
    expect([...less.volumes.keys()]).toEqual(["named", "demo/x"]);
    const none = withChangedTarget(full, NAME, (one) => minusLun(one, 1));
    expect([...none.volumes.keys()]).toEqual(["named"]);
  });
});

describe("edits of LUNs", () => {
  it("keep them in order, with a number once", () => {
    const more = plusLun(target, lunConfig(2, "other"));
    expect(more.luns.map(({ lun }) => lun)).toEqual([1, 2, 3]);
    expect(() => plusLun(target, lunConfig(3, "x"))).toThrow("has a LUN 3 already");
    expect(() => plusLun(target, lunConfig(2, "named"))).toThrow("has named as LUN 3 already");
    expect(() => minusLun(target, 2)).toThrow("has no LUN 2");
    expect(() => changedLun(target, 2, (one) => one)).toThrow("has no LUN 2");
    const changed = changedLun(target, 3, (one) => ({ ...one, readOnly: true }));
    expect(changed.luns.map(({ readOnly }) => readOnly)).toEqual([false, true]);
  });

  it("find the lowest that is free", () => {
    expect(freeLun(target, 0)).toBe(0);
    expect(freeLun(target, 1)).toBe(2);
    expect(freeLun(targetConfig(NAME), 1)).toBe(1);
    expect(freeLun(target, 0, new Set([0, 2]))).toBe(4);
    // Where there are no others, one of those it is.
    const all = new Set(Array.from({ length: LUN_MAX + 1 }, (_, lun) => lun));
    expect(freeLun(target, 0, all)).toBe(0);
  });

  it("bring their volume with them where it is not there", () => {
    const first = withVolume(view(), "demo/x", thinConfig("demo", { name: "x" }));
    expect([...first.volumes.keys()]).toEqual(["demo/x"]);
    const next = viewOf(view(), first);
    expect(withVolume(next, "demo/x", thinConfig("demo"))).toBe(first);
    expect(withVolume(next, "disk", thinConfig("demo"))).toBe(first);
    expect(next.all.targets.map(({ name }) => name)).toEqual([DEMO_TARGET]);
  });
});

describe("volumes that nobody has named", () => {
  it("go when no LUN leads to them, apart from those that are wanted all the same", () => {
    const inventory = { ...EMPTY_INVENTORY, volumes };
    expect([...withoutUnusedVolumes(inventory).volumes.keys()]).toEqual(["named"]);
    const wanted = new Map([["demo/x", true]]);
    expect(withoutUnusedVolumes(inventory, wanted)).toBe(inventory);
  });
});
