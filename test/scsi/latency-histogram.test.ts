import { describe, expect, it } from "vitest";

import { LATENCY_BOUNDS_MS, LatencyHistogram } from "../../src/scsi/latency-histogram.ts";

function bucketsOf(histogram: LatencyHistogram, kind: number): number[] {
  return [...histogram.counts(kind)];
}

describe("LatencyHistogram", () => {
  it("has bounds that grow, and one bucket more", () => {
    expect(LATENCY_BOUNDS_MS).toEqual(LATENCY_BOUNDS_MS.toSorted((left, right) => left - right));
    expect(new Set(LATENCY_BOUNDS_MS).size).toBe(LATENCY_BOUNDS_MS.length);
    expect(new LatencyHistogram(1).counts(0)).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
  });

  it("includes each bound in its bucket", () => {
    for (const [index, bound] of LATENCY_BOUNDS_MS.entries()) {
      const histogram = new LatencyHistogram(1);
      histogram.record(0, bound, 1);
      histogram.record(0, bound * 1.001, 10);
      const buckets = bucketsOf(histogram, 0);
      expect(buckets[index]).toBe(1);
      expect(buckets[index + 1]).toBe(10);
    }
  });

  it("keeps kinds apart, and what lies beyond the ends", () => {
    const histogram = new LatencyHistogram(3);
    histogram.record(1, 0, 2);
    histogram.record(1, 1e9, 3);
    expect(bucketsOf(histogram, 0).every((count) => count === 0)).toBe(true);
    expect(bucketsOf(histogram, 2).every((count) => count === 0)).toBe(true);
    expect(bucketsOf(histogram, 1)[0]).toBe(2);
    expect(bucketsOf(histogram, 1).at(-1)).toBe(3);
    expect(histogram.sumMs(1)).toBe(3e9);
    expect(histogram.sumMs(0)).toBe(0);
  });

  it("adds another one to itself", () => {
    const sum = new LatencyHistogram(2);
    const other = new LatencyHistogram(2);
    other.record(1, 3, 4);
    sum.record(1, 3, 1);
    sum.add(other);
    sum.add(other);
    expect(bucketsOf(sum, 1).reduce((total, count) => total + count)).toBe(9);
    expect(sum.sumMs(1)).toBe(27);
    expect(() => sum.add(new LatencyHistogram(1))).toThrow("same kinds");
  });

  it("takes no time that goes back, and no kind that there is not", () => {
    const histogram = new LatencyHistogram(1);
    expect(() => histogram.record(0, -1, 1)).toThrow("does not go back");
    expect(() => histogram.record(0, Number.NaN, 1)).toThrow("does not go back");
    expect(() => histogram.record(1, 1, 1)).toThrow("known kind");
  });
});
