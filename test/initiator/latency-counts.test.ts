import { expect, it } from "vitest";
import { LatencyCounts } from "../../src/initiator/latency-counts.ts";

it("finds percentiles of many latencies within 5 %", () => {
  const counts = new LatencyCounts();
  for (let us = 1; us <= 1000; us += 1) counts.record(us);
  expect(counts.count).toBe(1000);
  expect(counts.meanUs).toBeCloseTo(500.5, 6);
  for (const [share, exact] of [
    [0.5, 500],
    [0.99, 990],
    [0.999, 999],
  ] as const) {
    const found = counts.quantileUs(share);
    expect(found).toBeGreaterThanOrEqual(exact);
    expect(found / exact).toBeLessThan(1.05);
  }
});

it("adds those of several sessions, and leaves what it copies alone", () => {
  const one = new LatencyCounts();
  const other = new LatencyCounts();
  one.record(10);
  other.record(1000);
  other.record(1000);
  const sum = one.copy();
  sum.add(other);
  expect([one.count, sum.count]).toEqual([1, 3]);
  expect(sum.meanUs).toBeCloseTo(670, 6);
  expect(sum.quantileUs(0.5)).toBeGreaterThanOrEqual(1000);
});

it("knows nothing where nothing was recorded, and keeps extremes", () => {
  const counts = new LatencyCounts();
  expect(counts.quantileUs(0.5)).toBeNaN();
  counts.record(0);
  counts.record(1e12);
  expect(counts.quantileUs(0.1)).toBeLessThan(1.05);
  expect(counts.quantileUs(1)).toBe(2 ** 32);
  counts.clear();
  expect([counts.count, counts.meanUs]).toEqual([0, Number.NaN]);
});
