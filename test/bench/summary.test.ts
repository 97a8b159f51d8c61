import { describe, expect, it } from "vitest";
import type { ResultRow, Sample } from "../../bench/result.ts";
import {
  commonFailure,
  compareRows,
  comparisonOfRow,
  mediansOf,
  spreadOf,
} from "../../bench/summary.ts";
import { row, sample } from "./support/results.ts";

describe("the medians of rounds", () => {
  it("are taken figure by figure", () => {
    const rounds = [30, 10, 20].map((rate, round) =>
      sample({ round, operationsPerSecond: rate, cpuUsPerOperation: 100 - rate }),
    );
    expect(mediansOf(rounds)).toMatchObject({ operationsPerSecond: 20, cpuUsPerOperation: 80 });
  });

  it("are null where a round does not know the figure, or there is none", () => {
    const rounds = [sample({ latency: null }), sample({ cpuUsPerOperation: null })];
    expect(mediansOf(rounds)).toMatchObject({ latency: null, cpuUsPerOperation: null });
    expect(mediansOf([])).toBeNull();
  });
});

describe("ratios", () => {
  const rate = ({ operationsPerSecond }: Sample): number => operationsPerSecond;

  it("are those of the same round, whatever the order", () => {
    const ours = [
      sample({ round: 0, operationsPerSecond: 100 }),
      sample({ round: 1, operationsPerSecond: 300 }),
    ];
    const theirs = [
      sample({ round: 1, operationsPerSecond: 300 }),
      sample({ round: 0, operationsPerSecond: 50 }),
    ];
    expect(spreadOf(ours, theirs, rate)).toEqual({ median: 1.5, least: 1, most: 2 });
  });

  it("leave rounds out in which one was not measured", () => {
    const ours = [sample({ round: 0 }), sample({ round: 1, operationsPerSecond: 500 })];
    const theirs = [sample({ round: 1, operationsPerSecond: 100 })];
    expect(spreadOf(ours, theirs, rate)).toEqual({ median: 5, least: 5, most: 5 });
    expect(spreadOf(ours, [], rate)).toBeNull();
  });

  it("are not made of figures that are not known, nor of none", () => {
    const cpu = (one: Sample): number | null => one.cpuUsPerOperation;
    expect(spreadOf([sample({})], [sample({ cpuUsPerOperation: null })], cpu)).toBeNull();
    expect(spreadOf([sample({})], [sample({ cpuUsPerOperation: 0 })], cpu)).toBeNull();
  });
});

describe("the comparison of peers", () => {
  it("sets ours beside each other peer under the same load in the same placement", () => {
    const rows: ResultRow[] = [
      row({ peer: "thinlun", samples: [sample({ operationsPerSecond: 400 })] }),
      row({ peer: "tgtd", samples: [sample({ operationsPerSecond: 100 })] }),
      row({ peer: "istgt", samples: [sample({ operationsPerSecond: 200 })] }),
      row({ peer: "tgtd", placement: "pinned" }),
      row({ peer: "tgtd", load: "another" }),
    ];
    const found = compareRows(rows, "thinlun");
    expect(found.map(({ theirs, rate }) => [theirs, rate.median])).toEqual([
      ["tgtd", 4],
      ["istgt", 2],
    ]);
    expect(found[0]).toMatchObject({ ours: "thinlun", load: "load", placement: "free" });
  });

  it("sets beside each other what the same generator has driven, or what belongs to a protocol", () => {
    const driven = (peer: string, generator: string, rate: number): ResultRow =>
      row({ peer, generator, samples: [sample({ operationsPerSecond: rate })] });
    const rows = [
      driven("thinlun", "thinlun", 400),
      driven("tgtd", "thinlun", 100),
      driven("qemu-nbd", "nbd", 200),
      driven("thinlun", "iscsi-perf", 900),
      driven("tgtd", "iscsi-perf", 300),
      driven("tgtd", "qemu-img", 1),
    ];
    const found = compareRows(rows, "thinlun");
    expect(found.map(({ generator, theirs, rate }) => [generator, theirs, rate.median])).toEqual([
      ["thinlun", "tgtd", 4],
      ["thinlun", "qemu-nbd", 2],
      ["iscsi-perf", "tgtd", 3],
    ]);
    const ratios = rows.map((one) => comparisonOfRow(found, one)?.rate.median);
    expect(ratios).toEqual([undefined, 4, 2, undefined, 3, undefined]);
  });

  it("has one reason for all that failed for the same", () => {
    const failed = row({ samples: [], failure: "no" });
    expect(commonFailure([failed, failed])).toBe("no");
    expect(commonFailure([failed, row({ samples: [], failure: "not yet" })])).toBeNull();
    expect(commonFailure([row({}), failed])).toBeNull();
    expect(commonFailure([])).toBeNull();
  });

  it("says nothing of a peer that failed", () => {
    const rows = [row({ peer: "thinlun" }), row({ peer: "tgtd", samples: [], failure: "no" })];
    expect(compareRows(rows, "thinlun")).toEqual([]);
  });
});
