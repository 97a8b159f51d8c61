import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { Metrics, METRICS } from "../src/control/metrics/metrics.ts";
import { type ExposedFamily, parseExposition } from "./control/metrics/support/exposition.ts";
import { InProcessTarget } from "./support/in-process-target.ts";

const folder = join(import.meta.dirname, "..", "dashboards");

/** Every name that can stand in a query and is no metric. */
const WORDS = new Set(
  "sum max by rate increase histogram_quantile topk predict_linear label_values and or unless".split(
    " ",
  ),
);
/** What Prometheus itself adds to each series. */
const TARGET_LABELS = ["instance", "job"];
/** A metric of Prometheus itself: whether the last scrape worked. */
const SCRAPE_METRICS = ["up"];

interface Query {
  readonly where: string;
  readonly text: string;
  /** How its series are called: `{{label}}` in it have to be labels of the result. */
  readonly legend: string;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly query: string | { readonly query: string };
    }[];
  };
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const dashboard = JSON.parse(readFileSync(join(folder, "thinlun.json"), "utf8")) as Dashboard;
const alerts = parse(readFileSync(join(folder, "alerts.yaml"), "utf8")) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
};
const rules = alerts.groups.flatMap((group) => group.rules);

function queriesOfDashboard(): Query[] {
  const panels = dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ where: title, text: expr, legend: legendFormat })),
  );
  const variables = dashboard.templating.list.flatMap(({ name, query }) =>
    typeof query === "string" ? [] : [{ where: name, text: query.query, legend: "" }],
  );
  return [...panels, ...variables];
}

function queriesOfAlerts(): Query[] {
  return rules.map(({ alert, expr, annotations }) => ({
    where: alert,
    text: expr,
    legend: Object.values(annotations).join(" ").replaceAll("$labels.", ""),
  }));
}

/** Series of a query: their metric, and the labels that it selects by. */
function seriesOf(text: string): { metric: string; labels: string[] }[] {
  const bare = text.replaceAll(/\[[^\]]*\]/g, "").replaceAll(/(?:by|without) \([^)]*\)/g, "");
  return [...bare.matchAll(/([a-z_:][a-z0-9_:]*)(?:\{([^}]*)\})?/g)].flatMap(
    ([, metric = "", selectors = ""]) => {
      if (WORDS.has(metric) || !metric.includes("_")) {
        if (!SCRAPE_METRICS.includes(metric)) return [];
      }
      const labels = [...selectors.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(
        ([, label = ""]) => label,
      );
      return [{ metric, labels }];
    },
  );
}

const labelsOfMetric = new Map<string, readonly string[]>();

function learn(families: ReadonlyMap<string, ExposedFamily>): void {
  for (const { name, type, labels } of METRICS) {
    if (type !== "histogram") labelsOfMetric.set(name, labels);
    else {
      labelsOfMetric.set(`${name}_bucket`, [...labels, "le"]);
      labelsOfMetric.set(`${name}_sum`, labels);
      labelsOfMetric.set(`${name}_count`, labels);
    }
  }
  for (const [name, { samples }] of families) {
    if (name.startsWith("thinlun_")) continue;
    labelsOfMetric.set(name, Object.keys(samples[0]?.labels ?? {}));
  }
  for (const name of SCRAPE_METRICS) labelsOfMetric.set(name, []);
}

function problemsOf({ where, text, legend }: Query): string[] {
  const problems: string[] = [];
  const known = new Set<string>(TARGET_LABELS);
  // A label_values query names a label after its metric.
  const query = text.replace(/^label_values\((.*), ([a-z]+)\)$/, "sum by ($2) ($1)");
  for (const { metric, labels } of seriesOf(query)) {
    const has = labelsOfMetric.get(metric);
    if (has === undefined) problems.push(`${where}: there is no metric ${metric}`);
    for (const label of has ?? []) known.add(label);
    for (const label of labels) {
      if (has?.includes(label) === true || TARGET_LABELS.includes(label)) continue;
      problems.push(`${where}: ${metric} has no label ${label}`);
    }
  }
  const grouped = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = ""]) =>
    list.split(", "),
  );
  const shown = [...legend.matchAll(/\{\{\s*([a-z]+)/g)].map(([, label = ""]) => label);
  for (const label of [...grouped, ...shown]) {
    if (!known.has(label)) problems.push(`${where}: nothing has a label ${label}`);
  }
  return problems;
}

let target: InProcessTarget;

beforeAll(async () => {
  target = await InProcessTarget.start();
  const metrics = new Metrics({ server: target.server, pools: () => [], version: "1" }, true);
  learn(parseExposition(await metrics.text()));
});

afterAll(async () => {
  await target.close();
});

describe("the dashboard and the alert rules", () => {
  it("ask for metrics and labels that there are", () => {
    const queries = [...queriesOfDashboard(), ...queriesOfAlerts()];
    expect(queries.length).toBeGreaterThan(40);
    expect(queries.flatMap(problemsOf)).toEqual([]);
    for (const { where, text } of queries) expect(seriesOf(text).length, where).toBeGreaterThan(0);
  });

  it.each([
    ["sum(thinlun_lun_bytes)", "there is no metric thinlun_lun_bytes"],
    [
      'rate(thinlun_lun_bytes_total{volume="x"}[5m])',
      "thinlun_lun_bytes_total has no label volume",
    ],
    ["sum by (pool) (thinlun_lun_bytes_total)", "nothing has a label pool"],
    ["thinlun_lun_latency_seconds", "there is no metric thinlun_lun_latency_seconds"],
    ["label_values(thinlun_pools, pool)", "there is no metric thinlun_pools"],
  ])("would be found out with %s", (text, problem) => {
    expect(problemsOf({ where: "x", text, legend: "" })).toContain(`x: ${problem}`);
  });

  it("show every metric of ours somewhere on the dashboard", () => {
    const shown = new Set(
      queriesOfDashboard().flatMap(({ text }) => seriesOf(text).map(({ metric }) => metric)),
    );
    const missing = METRICS.map(({ name }) => name).filter(
      (name) => !shown.has(name) && !shown.has(`${name}_bucket`),
    );
    expect(missing).toEqual([]);
  });

  it("place panels beside each other, not over each other", () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [index, { title, gridPos: one }] of panels.entries()) {
      expect(one.x + one.w, title).toBeLessThanOrEqual(24);
      for (const { title: other, gridPos: two } of panels.slice(index + 1)) {
        const apart =
          one.x + one.w <= two.x ||
          two.x + two.w <= one.x ||
          one.y + one.h <= two.y ||
          two.y + two.h <= one.y;
        expect(apart, `${title} and ${other}`).toBe(true);
      }
    }
  });

  it("tell of a pool that is nearly full or has failed, of missing barriers, and of stalls", () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    for (const name of [
      "ThinlunPoolNearlyFull",
      "ThinlunPoolFailed",
      "ThinlunPoolFull",
      "ThinlunPoolThreshold",
      "ThinlunBarrierHangs",
      "ThinlunPoolWithoutBarrier",
      "ThinlunEventLoopStalls",
    ]) {
      expect(names).toContain(name);
    }
    for (const { alert, labels, annotations } of rules) {
      expect(["warning", "critical"], alert).toContain(labels.severity);
      expect(annotations["summary"], alert).toMatch(/\w/);
    }
  });
});
