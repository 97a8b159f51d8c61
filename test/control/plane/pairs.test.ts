import { expect, it } from "vitest";
import { added, byName, pairs } from "../../../src/control/plane/pairs.ts";
import { targetConfig } from "../support/inventories.ts";

it("tells what comes from what stays", () => {
  const before = byName([targetConfig("a"), targetConfig("b")]);
  const after = byName([targetConfig("b", { alias: "new" }), targetConfig("c")]);
  expect([...added(before, after).keys()]).toEqual(["c"]);
  expect([...added(after, before).keys()]).toEqual(["a"]);
  expect(pairs(before, after).map(([name, was, is]) => [name, was.alias, is.alias])).toEqual([
    ["b", null, "new"],
  ]);
});
