import { expect, it } from "vitest";
import { addedProblems, checkInventory } from "../../../src/control/config/check-inventory.ts";
import { EMPTY_INVENTORY, type Inventory } from "../../../src/control/config/inventory.ts";
import { demoConfig } from "../../../src/control/demo-config.ts";
import { lunConfig, targetConfig, thinConfig } from "../support/inventories.ts";

const NAME = "iqn.2026-11.net.example:one";
const check = (changes: Partial<Inventory>): readonly string[] =>
  checkInventory(demoConfig("/nowhere"), { ...EMPTY_INVENTORY, ...changes });

it("has nothing to say of what fits together", () => {
  expect(check({})).toEqual([]);
  const volumes = new Map([["demo/x", thinConfig("demo", { name: "x" })]]);
  const targets = [targetConfig(NAME, { luns: [lunConfig(0, "demo/x"), lunConfig(1, "disk")] })];
  expect(check({ volumes, targets })).toEqual([]);
});

it.each<readonly [string, Partial<Inventory>, RegExp]>([
  ["the same name", { targets: demoConfig("/").targets }, /target .*demo is in the configuration/],
  [
    "no such volume",
    { targets: [targetConfig(NAME, { luns: [lunConfig(0, "dsik")] })] },
    /did you mean "disk"/,
  ],
  [
    "no such pool",
    { volumes: new Map([["x", thinConfig("dem")]]) },
    /no pool "dem"; did you mean "demo"/,
  ],
  [
    "a number twice",
    { targets: [targetConfig(NAME, { tid: 2 }), targetConfig(`${NAME}2`, { tid: 2 })] },
    /has the number 2 of/,
  ],
  [
    "a disk described in two ways",
    {
      targets: [targetConfig(NAME, { luns: [lunConfig(0, "disk", { blockBytes: 4096 })] })],
    },
    /described in another way on another place/,
  ],
  [
    "a target of tgt without its number",
    {
      targets: [targetConfig(NAME, { tgt: { settings: new Map() } })],
    },
    /"tid"/,
  ],
  [
    "a disk where the controller is",
    {
      targets: [
        targetConfig(NAME, { tid: 9, tgt: { settings: new Map() }, luns: [lunConfig(0, "disk")] }),
      ],
    },
    /controller as LUN 0/,
  ],
])("says what does not fit together: %s", (_what, changes, message) => {
  expect(check(changes).join("; ")).toMatch(message);
});

it("tells what is wrong now and was not before, as often as it is", () => {
  expect(addedProblems(["a", "b"], ["b", "a"])).toEqual([]);
  expect(addedProblems(["a"], ["a", "a", "c"])).toEqual(["a", "c"]);
});
