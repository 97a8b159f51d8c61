import { describe, expect, it } from "vitest";
import { BARS, judge, type Bar } from "../../bench/bars.ts";
import { LOADS } from "../../bench/loads.ts";
import type { Comparison, Spread } from "../../bench/result.ts";

function spread(median: number): Spread {
  return { median, least: median - 0.1, most: median + 0.1 };
}

const COMPARISON: Comparison = {
  load: "load",
  placement: "free",
  generator: "thinlun",
  ours: "thinlun",
  theirs: "tgtd",
  rate: spread(3),
  cpuPerOperation: spread(0.4),
  p99: null,
  p999: null,
};

function bar(changes: Partial<Bar>): Bar {
  return { load: "load", figure: "rate", bound: "atLeast", asked: 3, reachFor: 5, ...changes };
}

describe("a bar", () => {
  it("is of our own generator, whatever others say", () => {
    const other = { ...COMPARISON, generator: "iscsi-perf", rate: spread(9) };
    expect(judge([other], [bar({})])).toMatchObject([{ state: "unmeasured", reached: null }]);
    expect(judge([other, COMPARISON], [bar({})])).toMatchObject([{ reached: { median: 3 } }]);
  });

  it.each([
    [bar({ asked: 3 }), "met"],
    [bar({ asked: 3.01 }), "missed"],
    [bar({ figure: "cpuPerOperation", bound: "atMost", asked: 0.4 }), "met"],
    [bar({ figure: "cpuPerOperation", bound: "atMost", asked: 0.39 }), "missed"],
    [bar({ figure: "p999", bound: "atMost", asked: 1 }), "unmeasured"],
    [bar({ load: "another" }), "unmeasured"],
  ] as const)("of %o is %s", (asked, state) => {
    expect(judge([COMPARISON], [asked]).map((one) => one.state)).toEqual([state]);
  });

  it("is judged in each placement, and by its own peer only", () => {
    const pinned: Comparison = { ...COMPARISON, placement: "pinned", rate: spread(2) };
    const other: Comparison = { ...COMPARISON, theirs: "istgt", rate: spread(1) };
    const found = judge([COMPARISON, other, pinned], [bar({})]);
    expect(found.map(({ placement, state, theirs }) => [placement, state, theirs])).toEqual([
      ["free", "met", "tgtd"],
      ["pinned", "missed", "tgtd"],
    ]);
    expect(found[0]).toMatchObject({ asked: 3, reachFor: 5, reached: spread(3) });
  });
});

it("the bars are of loads that there are, each once", () => {
  const ids = LOADS.map(({ id }) => id);
  for (const { load } of BARS) expect(ids).toContain(load);
  expect(new Set(BARS.map(({ load, figure }) => `${load} ${figure}`)).size).toBe(BARS.length);
});
