import { describe, expect, it } from "vitest";

import {
  DEFAULT_OFFERS,
  defaultParameters,
  OFFER_RANGES,
  offerProblems,
} from "../../src/iscsi/parameters.ts";

describe("offerProblems", () => {
  it("has nothing against the defaults, nor against the ends of the ranges", () => {
    expect(offerProblems(DEFAULT_OFFERS)).toEqual([]);
    const lowest = Object.fromEntries(
      Object.entries(OFFER_RANGES).map(([name, range]) => [name, range[0]]),
    );
    const highest = Object.fromEntries(
      Object.entries(OFFER_RANGES).map(([name, range]) => [name, range[1]]),
    );
    expect(offerProblems({ ...DEFAULT_OFFERS, ...lowest })).toEqual([]);
    expect(offerProblems({ ...DEFAULT_OFFERS, ...highest })).toEqual([]);
  });

  it.each(Object.keys(OFFER_RANGES) as (keyof typeof OFFER_RANGES)[])("bounds %s", (name) => {
    const [low, high] = OFFER_RANGES[name];
    for (const value of [low - 1, high + 1, low + 0.5, Number.NaN]) {
      const problems = offerProblems({ ...DEFAULT_OFFERS, [name]: value });
      expect(problems[0]).toContain(name);
    }
  });

  it("does not let the first burst be longer than a burst", () => {
    const offers = { ...DEFAULT_OFFERS, maxBurstLengthBytes: 65_536 };
    expect(offerProblems(offers)).toHaveLength(1);
  });
});

it("begins with what RFC 7143 takes for granted, a new object each time", () => {
  const parameters = defaultParameters();
  expect(parameters.firstBurstLengthBytes).toBeLessThanOrEqual(parameters.maxBurstLengthBytes);
  parameters.headerDigest = true;
  expect(defaultParameters().headerDigest).toBe(false);
});
