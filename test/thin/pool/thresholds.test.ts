import { expect, test } from "vitest";
import { THRESHOLD_HYSTERESIS } from "../../../src/thin/pool/limits.ts";
import { Thresholds } from "../../../src/thin/pool/thresholds.ts";

const used = (percent: number): { usedBytes: number; capacityBytes: number } => ({
  usedBytes: percent * 1000,
  capacityBytes: 100_000,
});

test("a threshold warns once when it is crossed upwards", () => {
  const thresholds = new Thresholds([0.8]);
  expect(thresholds.check(used(79))).toBeNull();
  expect(thresholds.check(used(80))).toBe(0.8);
  expect(thresholds.check(used(81))).toBeNull();
  expect(thresholds.check(used(95))).toBeNull();
});

test("it warns again only after the use was well below it", () => {
  const thresholds = new Thresholds([0.8]);
  expect(thresholds.check(used(80))).toBe(0.8);
  expect(thresholds.check(used(79))).toBeNull();
  expect(thresholds.check(used(80))).toBeNull();
  expect(thresholds.check(used(80 - THRESHOLD_HYSTERESIS * 100 - 1))).toBeNull();
  expect(thresholds.check(used(80))).toBe(0.8);
});

test("the highest of several that are crossed at once is told", () => {
  const thresholds = new Thresholds([0.9, 0.5, 0.8]);
  expect(thresholds.check(used(85))).toBe(0.8);
  expect(thresholds.check(used(91))).toBe(0.9);
  expect(thresholds.check(used(10))).toBeNull();
  expect(thresholds.check(used(60))).toBe(0.5);
});

test("new thresholds forget only those that are gone", () => {
  const thresholds = new Thresholds([0.5, 0.8]);
  expect(thresholds.check(used(85))).toBe(0.8);
  thresholds.replace([0.8, 0.85]);
  expect(thresholds.check(used(85))).toBe(0.85);
  thresholds.replace([0.5]);
  expect(thresholds.check(used(85))).toBe(0.5);
});

test("a pool without extents warns of nothing", () => {
  expect(new Thresholds([0]).check({ usedBytes: 0, capacityBytes: 0 })).toBeNull();
});
