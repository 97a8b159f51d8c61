import { describe, expect, it } from "vitest";
import { judge } from "../../bench/bars.ts";
import { LOADS } from "../../bench/loads.ts";
import { Progress, progressText } from "../../bench/progress.ts";
import { compareRows } from "../../bench/summary.ts";
import { closingText, generatorsText, loadText, peersText } from "../../bench/table.ts";
import { result, row, sample } from "./support/results.ts";

const load = LOADS.find(({ id }) => id === "4k-random-read-d32");

describe("the table of a load", () => {
  it("has a line for each peer, and says which bars are met", () => {
    if (load === undefined) throw new Error("there is such a load");
    const rows = [
      row({
        load: load.id,
        samples: [sample({ operationsPerSecond: 5000, cpuUsPerOperation: 4 })],
      }),
      row({ load: load.id, peer: "tgtd", samples: [sample({ cpuUsPerOperation: 5 })] }),
      row({ load: load.id, peer: "spdk", samples: [], failure: "it is not installed" }),
    ];
    const comparisons = compareRows(rows, "thinlun");
    const bars = judge(comparisons).filter((bar) => bar.load === load.id);
    const text = loadText({ load, placement: "pinned", rows, comparisons, bars });
    expect(text.split("\n")).toEqual([
      "4 KiB random read, depth 32, pinned",
      "                   ops/s    MB/s   p50 us      p99     p99.9  CPU us/op     MiB   ours is (least-most)",
      "  thinlun           5000       4        9       20        40        4.0       1",
      "  tgtd              1000       4        9       20        40        5.0       1       5.00 (5.00-5.00)",
      "  spdk         it is not installed",
      "  bar: rate >= 4 x tgtd's, SPDK 5.5: 5.00 (5.00-5.00) met",
      "  bar: CPU/op <= 0.4 x tgtd's, SPDK 0.16: 0.80 (0.80-0.80) MISSED",
      "  bar: p99.9 <= 1 x tgtd's: 1.00 (1.00-1.00) met",
      "",
    ]);
  });

  it("has what other generators have driven beside it, and why they have not", () => {
    if (load === undefined) throw new Error("there is such a load");
    const base = { load: load.id };
    const by = { ...base, generator: "iscsi-perf" };
    const slow = { ...base, generator: "qemu-img", samples: [], failure: "it is slow" };
    const rows = [
      row({ ...base, samples: [sample({ operationsPerSecond: 5000 })] }),
      row({ ...base, peer: "tgtd" }),
      row({ ...by, samples: [sample({ operationsPerSecond: 3000, latency: null })] }),
      row({ ...by, peer: "tgtd" }),
      row(slow),
      row({ ...slow, peer: "tgtd" }),
    ];
    const comparisons = compareRows(rows, "thinlun");
    const text = loadText({ load, placement: "free", rows, comparisons, bars: [] });
    expect(text.split("\n").slice(2)).toEqual([
      "  thinlun           5000       4        9       20        40        5.0       1",
      "  tgtd              1000       4        9       20        40        5.0       1       5.00 (5.00-5.00)",
      "  by iscsi-perf:",
      "  thinlun           3000       4        -        -         -        5.0       1",
      "  tgtd              1000       4        9       20        40        5.0       1       3.00 (3.00-3.00)",
      "  by qemu-img: it is slow",
      "",
    ]);
  });

  it("says where the generator had no time left", () => {
    if (load === undefined) throw new Error("there is such a load");
    const rows = [row({ samples: [sample({ generatorCpuShare: 0.99 })] })];
    const text = loadText({ load, placement: "free", rows, comparisons: [], bars: [] });
    expect(text).toContain("the generator was busy");
  });
});

it("no peer is left out of the list", () => {
  const peer = { role: "target", protocol: "iscsi", reason: null, version: null } as const;
  const text = peersText([
    { ...peer, name: "thinlun", state: "measured", version: "1.0" },
    { ...peer, name: "istgt", state: "absent", reason: "it is not installed" },
    { ...peer, name: "spdk", state: "failed", reason: "it does not listen" },
  ]);
  expect(text.split("\n")).toEqual([
    "  thinlun      1.0",
    "  istgt        absent: it is not installed",
    "  spdk         failed: it does not listen",
    "",
  ]);
});

it("no generator is left out of the list", () => {
  const text = generatorsText([
    { name: "iscsi-perf", version: "0.1", absent: null },
    { name: "fio-libiscsi", version: null, absent: "it is not built in" },
  ]);
  expect(text.split("\n")).toEqual([
    "besides our own generator",
    "  iscsi-perf   0.1",
    "  fio-libiscsi absent: it is not built in",
    "",
  ]);
  expect(generatorsText([])).toBe("");
});

it("the end counts the bars and sets this run beside an earlier one", () => {
  const text = closingText(
    result({
      bars: judge([]),
      earlier: {
        when: "then",
        rows: [
          {
            load: "load",
            peer: "tgtd",
            placement: "pinned",
            generator: "thinlun",
            rate: 1.25,
            cpuPerOperation: null,
            p99: 0.5,
          },
        ],
      },
    }),
  );
  expect(text).toContain("bars: 0 met, 0 missed, 16 not measured\n");
  expect(text).toMatch(/load, pinned +tgtd +1\.25 {2}- {2}0\.50\n/);
});

describe("the progress", () => {
  it("guesses what is left by what is behind", () => {
    expect(progressText(0, 10, 5000, "first")).toBe("[0/10] first");
    expect(progressText(5, 10, 10_000, "x")).toBe("[5/10] x, 10 s left");
    expect(progressText(1, 100, 10_000, "x")).toBe("[1/100] x, 17 min left");
  });

  it.each([
    [true, "\r\u001b[K[0/4] here\r\u001b[K"],
    [false, ""],
  ])("is shown to a terminal only: %s", (isTTY, shown) => {
    let written = "";
    const write = (text: string): boolean => ((written += text), true);
    const stream = { isTTY, columns: 80, write } as unknown as NodeJS.WriteStream;
    const progress = new Progress(stream, 4, performance.now());
    progress.show("here");
    progress.clear();
    progress.clear();
    expect(written).toBe(shown);
  });
});
