import { describe, expect, it } from "vitest";
import { cpuPlot } from "../../../bench/report/cpu-plot.ts";
import { latencyPlot } from "../../../bench/report/latency-plot.ts";
import { PAPER } from "../../../bench/report/plot.ts";
import { ratioPlot } from "../../../bench/report/ratio-plot.ts";
import { linearScale, logScale } from "../../../bench/report/scale.ts";
import { loadOf, madeUpResult, rowOf } from "../support/made-up-result.ts";
import { xmlFault } from "../support/well-formed.ts";

function svgOf(plot: { readonly text: string } | null): string {
  const svg = /<svg[\s\S]*<\/svg>/.exec(plot?.text ?? "")?.[0] ?? "";
  expect(xmlFault(svg)).toBeNull();
  return svg;
}

describe("scales", () => {
  it("count from 0 in steps of 1, 2 and 5", () => {
    const scale = linearScale([3, 18.2], PAPER);
    expect(scale.ticks).toEqual([0, 5, 10, 15, 20]);
    expect([0, 10, 20].map((value) => scale.at(value))).toEqual([
      PAPER.from,
      (PAPER.from + PAPER.to) / 2,
      PAPER.to,
    ]);
    // What lies past its ends is not drawn past the paper.
    expect([scale.at(-5), scale.at(100), scale.at(NaN)]).toEqual([
      PAPER.from,
      PAPER.to,
      PAPER.from,
    ]);
  });

  it("go by powers around what there is", () => {
    const scale = logScale([0.9, 1.2, 5.6], { from: 0, to: 100 });
    expect(scale.ticks).toEqual([0.5, 1, 2, 5, 10]);
    expect(scale.at(0.5)).toBeCloseTo(0);
    expect(scale.at(10)).toBeCloseTo(100);
    expect(scale.at(2) - scale.at(1)).toBeCloseTo(scale.at(10) - scale.at(5));
    expect(logScale([7, 90_000], { from: 0, to: 100 }).ticks).toEqual([
      10, 100, 1000, 10_000, 100_000,
    ]);
  });

  it.each([[[]], [[0]], [[-3]], [[5]], [[1e300, 1e-300]], [[NaN, Infinity]]])(
    "have some marks for %j",
    (values) => {
      for (const scale of [linearScale(values, PAPER), logScale(values, PAPER)]) {
        expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
        expect(scale.ticks.length).toBeLessThan(40);
        for (const value of [...values, ...scale.ticks]) {
          expect(scale.at(value)).toBeGreaterThanOrEqual(PAPER.from);
          expect(scale.at(value)).toBeLessThanOrEqual(PAPER.to);
        }
      }
    },
  );
});

describe("the plot of ratios", () => {
  /** Beside the load's name the generator's was cut off, so that two lines said the same. */
  it("names other generators beside their ratios, under the same load as our own", () => {
    const { comparisons, loads } = madeUpResult();
    const others = comparisons.map((one) => ({ ...one, generator: "iscsi-perf" }));
    const svg = svgOf(
      ratioPlot(madeUpResult({ comparisons: [...comparisons, ...others] }), "tgtd"),
    );
    const labels = Array.from(svg.matchAll(/class="label"[^>]*>([^<]*)</g), ([, label]) => label);
    expect(labels).toEqual(loads.map(({ title }) => title));
    expect(svg).toContain(">4.06\u2009\u00d7</text>");
    expect(svg).toContain(">4.06\u2009\u00d7 (iscsi-perf)</text>");
    // What is asked for is asked of our own.
    expect(svg.match(/class="asked"/g)).toHaveLength(3);
  });

  it("has a line for each load, with the spread, what is asked for, and a line at 1", () => {
    const result = madeUpResult();
    const svg = svgOf(ratioPlot(result, "tgtd"));
    const labels = Array.from(svg.matchAll(/class="label"[^>]*>([^<]*)</g), ([, label]) => label);
    expect(labels).toEqual(result.loads.map(({ title }) => title));
    expect(svg.match(/<circle class="s0"/g)).toHaveLength(5);
    expect(svg.match(/class="asked"/g)).toHaveLength(3);
    expect(svg.match(/class="reach"/g)).toHaveLength(3);
    expect(svg.match(/class="reference"/g)).toHaveLength(1);
    expect(svg).toContain(">4.06\u2009\u00d7</text>");
    // 4.06 with 3.65 and 4.46 around it, on a scale from 0.5 to 10.
    const x = (value: number): string =>
      (PAPER.from + ((PAPER.to - PAPER.from) * Math.log(value / 0.5)) / Math.log(20)).toFixed(1);
    const rate = 215_000 / 53_000;
    expect(svg).toContain(`<circle class="s0" cx="${x(rate)}"`);
    expect(svg).toMatch(
      new RegExp(
        `<line class="spread s0" x1="${x(rate * 0.9)}" y1="[\\d.]+" x2="${x(rate * 1.1)}"`,
      ),
    );
  });

  it("tells pinned from free, and is not there without ratios", () => {
    const { comparisons } = madeUpResult();
    const pinned = { ...comparisons[0]!, placement: "pinned" } as const;
    const svg = svgOf(ratioPlot(madeUpResult({ comparisons: [comparisons[0]!, pinned] }), "tgtd"));
    expect(svg.match(/class="label"/g)).toHaveLength(1);
    expect(svg.match(/<circle class="s0"/g)).toHaveLength(1);
    expect(svg.match(/<circle class="ring s0"/g)).toHaveLength(1);
    expect(ratioPlot(madeUpResult(), "nobody")).toBeNull();
  });
});

describe("the plots of a group of loads", () => {
  it("has median, 99 % and 99.9 % of each peer", () => {
    const { loads } = madeUpResult();
    const svg = svgOf(latencyPlot(madeUpResult(), "Random", loads.slice(0, 2)));
    expect(svg.match(/<circle class="s\d"/g)).toHaveLength(8);
    expect(svg.match(/<circle class="ring s\d"/g)).toHaveLength(8);
    expect(svg).toContain("<title>tgtd: 23.8, 71.4, 214 \u00b5s</title>");
  });

  it("has bars of CPU time from 0 on, in the order of peers, and none for bounds", () => {
    const load = loadOf("x", "a load");
    const rows = [
      rowOf(load, "thinlun", { rate: 1000, cpuUs: 5 }),
      rowOf(load, "tgtd", { rate: 1000, cpuUs: 10 }),
      rowOf(load, "tcp-echo", { rate: 1000, cpuUs: null }),
    ];
    const result = madeUpResult({ loads: [load], rows });
    const svg = svgOf(cpuPlot(result, "Random", [load]));
    const widths = Array.from(
      svg.matchAll(/<rect class="(s\d)"[^>]* width="([\d.]+)"/g),
      (match) => [match[1], Number(match[2])],
    );
    const [ours = 0, theirs = 0] = widths.map(([, width]) => Number(width));
    expect(widths.map(([colour]) => colour)).toEqual(["s0", "s1"]);
    expect(theirs / ours).toBeCloseTo(2, 2);
    expect(svg).toContain(">10.0 tgtd</text>");
  });

  it("are not there where nothing is known", () => {
    const load = loadOf("x", "a load");
    const row = rowOf(load, "tcp-echo", { rate: 1000, cpuUs: null });
    const medians = { ...row.medians!, latency: null };
    const result = madeUpResult({ loads: [load], rows: [{ ...row, medians }] });
    expect(cpuPlot(result, "Random", [load])).toBeNull();
    expect(latencyPlot(result, "Random", [load])).toBeNull();
  });

  it("cuts labels that have no room, between characters", () => {
    const load = loadOf("x", "\u{1f4be}".repeat(80));
    const row = rowOf(load, "thinlun", { rate: 1000, cpuUs: 5 });
    const svg = svgOf(cpuPlot(madeUpResult({ loads: [load], rows: [row] }), "Random", [load]));
    expect(svg).toContain(`>${"\u{1f4be}".repeat(45)}\u2026</text>`);
  });
});

describe("the judge of XML", () => {
  it.each([
    ["<a><b></a></b>", /is open/],
    ["<a>", /left open/],
    ["<a/><b/>", /second root/],
    ["<a>&nbsp;</a>", /not escaped/],
    ["<a>1 < 2</a>", /no tag|not escaped/],
    ['<a x="1" x="2"/>', /twice/],
    ["<a x=1/>", /no tag/],
    ['<a x="&"/>', /not escaped/],
    ["<a>\u0001</a>", /control/],
    ["a", /no element/],
    ["<a/>b", /outside/],
  ])("finds what is wrong in %j", (text, fault) => {
    expect(xmlFault(text)).toMatch(fault);
  });

  it("lets pass what is right", () => {
    expect(xmlFault('<a x="1" y="&quot;&#39;"><b/>1 &lt; 2<c>\u00e9</c></a>\n')).toBeNull();
  });
});
