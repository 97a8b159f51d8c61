import { expect, it } from "vitest";
import type { Config } from "../../../src/control/config/config.ts";
import { demoConfig } from "../../../src/control/demo-config.ts";
import { nextNumber, TargetNumbers } from "../../../src/control/plane/numbers.ts";
import { targetConfig } from "../support/inventories.ts";

function config(...targets: readonly (readonly [name: string, tid: number | null])[]): Config {
  const list = targets.map(([name, tid]) =>
    targetConfig(`iqn.2026-11.net.example:${name}`, { tid }),
  );
  return { ...demoConfig("/nowhere"), targets: list };
}

const tids = ({ targets }: Config): unknown => targets.map(({ tid }) => tid);

it("gives targets without a number the lowest that are free", () => {
  const numbers = new TargetNumbers();
  expect(tids(numbers.number(config(["a", null], ["b", 1], ["c", null], ["d", 3])))).toEqual([
    2, 1, 4, 3,
  ]);
});

it("leaves a target the number that it was given, whatever comes and goes", () => {
  const numbers = new TargetNumbers();
  expect(tids(numbers.number(config(["a", null], ["b", null])))).toEqual([1, 2]);
  expect(tids(numbers.number(config(["b", null])))).toEqual([2]);
  expect(tids(numbers.number(config(["c", null], ["b", null], ["a", null])))).toEqual([3, 2, 1]);
});

it("has the number after the highest for a new one", () => {
  expect(nextNumber(config())).toBe(1);
  expect(nextNumber(config(["a", 7], ["b", 2]))).toBe(8);
});

it("forgets the numbers of those that have gone", () => {
  const numbers = new TargetNumbers();
  numbers.number(config(["a", null], ["b", null]));
  numbers.retain(config(["b", null]));
  expect(tids(numbers.number(config(["c", null], ["b", null])))).toEqual([1, 2]);
});

it("leaves targets the numbers that they had when it was here before", () => {
  const before = new TargetNumbers();
  before.number(config(["a", null], ["b", null], ["c", null]));
  const numbers = new TargetNumbers(before.given);
  expect(tids(numbers.number(config(["d", null], ["c", null], ["b", null])))).toEqual([1, 3, 2]);
});

it("takes a number back at the start that somebody was told to have, or that two have", () => {
  const given = new Map([
    ["iqn.2026-11.net.example:a", 1],
    ["iqn.2026-11.net.example:b", 2],
    ["iqn.2026-11.net.example:c", 2],
  ]);
  const numbers = new TargetNumbers(given);
  const all = config(["a", null], ["b", null], ["c", null], ["d", 1]);
  numbers.resolve(all);
  expect(tids(numbers.number(all))).toEqual([3, 2, 4, 1]);
  expect(new Set(numbers.given.values())).toEqual(new Set([2, 3, 4]));
});
