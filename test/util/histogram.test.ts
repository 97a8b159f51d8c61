import { expect, test } from "vitest";
import { Histogram } from "../../src/util/histogram.ts";

test("a histogram counts values in the first bucket whose bound they do not exceed, and adds them up", () => {
  const histogram = new Histogram([1, 2, 4]);
  for (const value of [0, 1, 1.5, 2, 4, 4.5, 100]) histogram.record(value);
  expect([...histogram.counts]).toEqual([2, 2, 1, 2]);
  expect(histogram.sum).toBe(113);
  expect(histogram.bounds).toEqual([1, 2, 4]);
});

test("what is told of a histogram does not change with it", () => {
  const histogram = new Histogram([1]);
  const before = histogram.counts;
  histogram.record(1);
  expect([...before]).toEqual([0, 0]);
});

test("no value that is none gets in", () => {
  const histogram = new Histogram([1]);
  for (const value of [Number.NaN, -1]) expect(() => histogram.record(value)).toThrow();
});
