import { describe, expect, it } from "vitest";
import { htmlReport } from "../../../bench/report/page.ts";
import { STYLE } from "../../../bench/report/style.ts";
import type { BenchResult } from "../../../bench/result.ts";
import { bar, loadOf, madeUpResult, rowOf, spreadOf } from "../support/made-up-result.ts";
import { xmlFault } from "../support/well-formed.ts";

const DOCTYPE = "<!DOCTYPE html>\n";

/** The page, which has to be well-formed whatever is in it. */
function reportOf(result: BenchResult): string {
  const html = htmlReport(result);
  expect(html.startsWith(DOCTYPE)).toBe(true);
  expect(xmlFault(html.slice(DOCTYPE.length))).toBeNull();
  return html;
}

/** What a reader sees of it, without tags, in one line. */
function textOf(html: string): string {
  const body = html.slice(html.indexOf("<body>"));
  return body
    .replaceAll(/<svg[\s\S]*?<\/svg>/g, " ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");
}

function plotsOf(html: string): string[] {
  return Array.from(html.matchAll(/<svg[\s\S]*?<\/svg>/g), ([svg]) => svg);
}

describe("the report of a run", () => {
  it("is one file that loads nothing and runs nothing, for light and dark", () => {
    const html = reportOf(madeUpResult());
    expect(html).not.toMatch(
      /<script|<link|<img|<iframe|<object|\son\w+=|javascript:|@import|url\(/i,
    );
    const addresses = Array.from(html.matchAll(/https?:\/\/[^"'\s<]*/g), ([address]) => address);
    expect(new Set(addresses)).toEqual(
      new Set(["http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"]),
    );
    expect(html).toContain("default-src 'none'");
    expect(html).toContain("@media (prefers-color-scheme:dark)");
    // Text of a style element is not read as text of others is.
    expect(STYLE).not.toMatch(/[&<>"']/);
    expect(html).toContain(STYLE);
  });

  it("says on which machine, with which versions, and who was not there", () => {
    const text = textOf(reportOf(madeUpResult()));
    expect(text).toContain("Processor Made-up CPU, 2 CPUs, x64 Memory 8,192 MiB");
    expect(text).toContain("System Linux 6.1.0-18-amd64 Node.js v20.20.2");
    expect(text).toContain("Took 12 min 34 s Rounds 5 rounds of 2.00 s, in turns; all loads");
    expect(text).toContain("tgtd tgtd 1.0 iscsi target measured");
    expect(text).toContain("spdk \u2013 iscsi target absent: iscsi_tgt is not there");
    expect(text).toContain("tcp-echo \u2013 tcp bound of the machine measured");
  });

  it("says of each bar whether it was met, with the ratio, its spread and what others have reached", () => {
    const html = reportOf(madeUpResult());
    const text = textOf(html);
    expect(text).toContain("3 met , 1 missed , 1 not measured");
    expect(text).toContain(
      "4 KiB random read, depth 1 rate tgtd \u2265 1.10 \u00d7 1.19 \u00d7 1.07 to 1.31 1.47 \u00d7 \u2713 met , not in each round",
    );
    expect(text).toContain(
      "4 KiB random write, depth 1 rate tgtd \u2265 1.10 \u00d7 1.05 \u00d7 0.95 to 1.16 1.40 \u00d7 \u2717 missed",
    );
    expect(text).toContain(
      "4 KiB random read, depth 32 CPU per operation tgtd \u2264 0.40 \u00d7 0.22 \u00d7 0.20 to 0.24 0.16 \u00d7 \u2713 met",
    );
    expect(text).toContain(
      "1m-sequential-read-d8 rate tgtd \u2265 1.60 \u00d7 \u2013 \u2013 not measured",
    );
    expect(html).toContain('<td class="missed">\u2717 missed</td>');
    const without = textOf(reportOf(madeUpResult({ bars: [] })));
    expect(without).toContain("None of what ran has a bar.");
  });

  it("has the medians and the spread of every peer under every load, and the ratio to it", () => {
    const text = textOf(reportOf(madeUpResult()));
    expect(text).toContain(
      "tgtd 53,000 47,700 to 58,300 217 604 1,811 5,434 18.0 80.0 60% 4.06 \u00d7 3.65 to 4.46",
    );
    expect(text).toContain("tcp-echo 260,000 234,000 to 286,000 1,065");
    expect(text).toContain(
      "128 KiB sequential read, depth 16 2.62 \u00d7 2.36 to 2.89 0.22 \u00d7",
    );
  });

  it("shows why there is nothing", () => {
    const { rows, loads } = madeUpResult();
    const failed = { ...rows[1]!, samples: [], medians: null, failure: "UNMAP is not supported" };
    const html = reportOf(madeUpResult({ rows: [rows[0]!, failed], comparisons: [] }));
    expect(textOf(html)).toContain("tgtd UNMAP is not supported");
    expect(html).toContain(`colspan="12">${loads[0]!.title}</td>`);
    reportOf(madeUpResult({ rows: [], loads: [], comparisons: [], bars: [], peers: [] }));
  });

  it("warns of what makes figures doubtful, and of nothing else", () => {
    expect(reportOf(madeUpResult())).not.toContain('class="note"');
    const { options, rows } = madeUpResult();
    const [first, ...others] = rows;
    const busy = { ...first!, medians: { ...first!.medians!, generatorCpuShare: 0.97 } };
    const text = textOf(
      reportOf(
        madeUpResult({
          isPartial: true,
          options: { ...options, isQuick: true, only: ["random", "tgtd"] },
          loadAverage: [1.7, 2],
          rows: [busy, ...others],
        }),
      ),
    );
    expect(text).toContain("The run was interrupted");
    expect(text).toContain("A quick run");
    expect(text).toContain("busy before the run began: load average 1.70.");
    expect(text).toContain("measured, too: 4 KiB random read, depth 1 on thinlun.");
    expect(text).toContain("only random, tgtd");
  });

  it("stands beside an earlier run where there is one", () => {
    const row = { load: "4k-random-read-d32", peer: "thinlun", placement: "free" } as const;
    const figures = { generator: "thinlun", rate: 1.204, cpuPerOperation: 0.9, p99: null };
    const earlier = { when: "2026-11-01T08:00:00.000Z", rows: [{ ...row, ...figures }] };
    const text = textOf(reportOf(madeUpResult({ earlier })));
    expect(text).toContain("Beside the run of 2026-11-01T08:00:00.000Z");
    expect(text).toContain("4 KiB random read, depth 32 thinlun 1.20 \u00d7 0.90 \u00d7 \u2013");
  });

  it("tells placements and generators apart where there are several", () => {
    const load = loadOf("x", "a load");
    const figures = { rate: 1000, cpuUs: 3 };
    const rows = [
      rowOf(load, "thinlun", { ...figures, placement: "pinned" }),
      rowOf(load, "thinlun", { ...figures, generator: "fio" }),
    ];
    const text = textOf(reportOf(madeUpResult({ loads: [load], rows })));
    expect(text).toContain("thinlun, pinned 1,000");
    expect(text).toContain("thinlun (fio) 1,000");
  });

  it("shows what other generators have driven, with their ratios, and once why they have not", () => {
    const { rows, loads, comparisons } = madeUpResult();
    const [load] = loads;
    if (load === undefined) throw new Error("there is a load");
    const by = { cpuUs: 4, generator: "iscsi-perf" };
    const not = { samples: [], medians: null, generator: "qemu-img", failure: "it cannot do it" };
    const result = madeUpResult({
      generators: [
        { name: "iscsi-perf", version: "0.1", absent: null },
        { name: "fio-libiscsi", version: null, absent: "it is not built in" },
      ],
      rows: [
        ...rows,
        rowOf(load, "thinlun", { ...by, rate: 3000 }),
        rowOf(load, "tgtd", { ...by, rate: 1000 }),
        { ...rows[0]!, ...not },
        { ...rows[1]!, ...not },
      ],
      comparisons: [
        ...comparisons,
        { ...comparisons[0]!, generator: "iscsi-perf", rate: spreadOf(3) },
      ],
    });
    const text = textOf(reportOf(result));
    expect(text).toContain("depth 1 (iscsi-perf) 3.00 \u00d7 2.70 to 3.30");
    expect(text).toMatch(/tgtd \(iscsi-perf\) 1,000 .* 60% 3\.00 \u00d7 2\.70 to 3\.30/);
    expect(text.split("it cannot do it")).toHaveLength(2);
    expect(text).toContain("any peer (qemu-img) it cannot do it");
    expect(text).toContain("iscsi-perf 0.1 used");
    expect(text).toContain("fio-libiscsi \u2013 absent: it is not built in");
  });

  it("is for one version of results", () => {
    const earlier = { ...madeUpResult(), version: 1 } as unknown as BenchResult;
    expect(() => htmlReport(earlier)).toThrow(
      "a result of version 1; this report is for version 2",
    );
  });
});

describe("what comes from a file", () => {
  const EVIL = `"><script>alert('1')</script>&<!--\u0000\ud800]]>`;
  const SHOWN =
    "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&lt;!--\ufffd\ufffd]]&gt;";

  /** Every text of it becomes that one. */
  function poisoned(value: unknown): unknown {
    if (typeof value === "string") return EVIL;
    if (Array.isArray(value)) return value.map(poisoned);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, poisoned(each)]));
  }

  it("is shown as it is, and is never markup", () => {
    const result = madeUpResult();
    const html = reportOf(poisoned({ ...result, earlier: null }) as BenchResult);
    expect(html).toContain(SHOWN);
    expect(html).not.toMatch(/<script|<!--/);
    const load = loadOf("x", EVIL);
    const named = madeUpResult({
      loads: [load],
      rows: [rowOf(load, EVIL, { rate: 1000, cpuUs: 3, generator: EVIL })],
      comparisons: result.comparisons.map((one) => ({ ...one, load: "x", theirs: EVIL })),
      bars: [bar("x", { asked: 1, reachFor: 2, reached: spreadOf(1), state: "met", theirs: EVIL })],
      earlier: { when: EVIL, rows: [] },
    });
    const second = reportOf(named);
    expect(plotsOf(second).length).toBeGreaterThanOrEqual(3);
    expect(second).not.toMatch(/<script|<!--/);
  });

  it("may say texts and infinities where figures belong", () => {
    const result = madeUpResult();
    for (const wrong of [EVIL, Infinity, -1, 1e300, 0]) {
      const json = JSON.stringify(result, (key, value: unknown) =>
        typeof value === "number" && key !== "version" ? "WRONG" : value,
      );
      const text = JSON.stringify(wrong) ?? "null";
      const read = JSON.parse(json.replaceAll('"WRONG"', () => text)) as BenchResult;
      const html = reportOf(read);
      expect(html).not.toMatch(/<script|="[^"]*(?:NaN|Infinity)/);
    }
  });
});
