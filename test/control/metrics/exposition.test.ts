import { describe, expect, it } from "vitest";
import { linesOf } from "../../../src/control/metrics/exposition.ts";
import type { Metric, Sample } from "../../../src/control/metrics/metric.ts";
import { exposed, parseExposition } from "./support/exposition.ts";

function textOf(samples: readonly Sample[], type: Metric<null>["type"] = "gauge"): string {
  const metric: Metric<null> = {
    name: "thinlun_x",
    help: "What \\ is\nsaid.",
    type,
    labels: [],
    collect: () => samples,
  };
  return [...linesOf(metric, null)].join("");
}

describe("the text format", () => {
  it("has what a metric is before its samples", () => {
    expect(textOf([{ labels: {}, value: 1.5 }])).toBe(
      "# HELP thinlun_x What \\\\ is\\nsaid.\n# TYPE thinlun_x gauge\nthinlun_x 1.5\n",
    );
  });

  it("has labels as they are, whatever is in them", () => {
    const labels = { a: 'a "quoted" \\ name\nof two lines', b: "" };
    const families = parseExposition(textOf([{ labels, value: 1 }]));
    expect(exposed(families, "thinlun_x", labels)).toBe(1);
  });

  it.each([0, -1, 1e300, 2 ** 53, Infinity, -Infinity, NaN])("has the value %d", (value) => {
    const families = parseExposition(textOf([{ labels: {}, value }]));
    expect(exposed(families, "thinlun_x")).toBe(value);
  });

  it("has the parts of histograms", () => {
    const labels = { a: "b" };
    const samples: Sample[] = [
      { labels, le: "0.5", value: 1, suffix: "_bucket" },
      { labels, le: "+Inf", value: 2, suffix: "_bucket" },
      { labels, value: 3, suffix: "_sum" },
      { labels, value: 2, suffix: "_count" },
      { labels: {}, le: "+Inf", value: 0, suffix: "_bucket" },
    ];
    const families = parseExposition(textOf(samples, "histogram"));
    expect(exposed(families, "thinlun_x_bucket", { a: "b", le: "0.5" })).toBe(1);
    expect(exposed(families, "thinlun_x_bucket", { a: "b", le: "+Inf" })).toBe(2);
    expect(exposed(families, "thinlun_x_bucket", { le: "+Inf" })).toBe(0);
    expect(exposed(families, "thinlun_x_sum", labels)).toBe(3);
    expect(exposed(families, "thinlun_x_count", labels)).toBe(2);
  });
});
