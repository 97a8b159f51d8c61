import { describe, expect, it } from "vitest";
import { MICRO_BENCHES } from "../../bench/micro/benches.ts";
import { UsageError } from "../../bench/options.ts";
import { chosenBenches, microLine, parseMicroArguments } from "../../bench/micro/run.ts";
import { type MicroBench, type MicroCase, runBench } from "../../bench/micro/runner.ts";

const BRIEF = { seconds: 1, isBrief: true };

function benchOf(...cases: MicroCase[]): MicroBench & { isClosed: boolean } {
  const bench = {
    name: "made-up",
    about: "nothing",
    isClosed: false,
    prepare: () => ({
      cases,
      close: () => {
        bench.isClosed = true;
        return Promise.resolve();
      },
    }),
  };
  return bench;
}

describe.each(MICRO_BENCHES)("npm run bench -- micro $name", (bench) => {
  it("does what it measures, and tells what it took", async () => {
    const reported: string[] = [];
    const rows = await runBench(bench, BRIEF, ({ name }) => reported.push(name));
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.map(({ name }) => name)).toEqual(reported);
    expect(new Set(reported).size).toBe(rows.length);
    for (const row of rows) {
      expect(row).toMatchObject({ bench: bench.name });
      for (const figure of [row.operationsPerSecond, row.nanoseconds, row.leastNanoseconds]) {
        expect(figure).toBeGreaterThan(0);
        expect(figure).toBeLessThan(Infinity);
      }
      expect(row.leastNanoseconds).toBeLessThanOrEqual(row.nanoseconds * (1 + Number.EPSILON));
    }
  });
});

describe("the runner of micro benches", () => {
  it("measures what ends at once and what ends later, and counts operations, not calls", async () => {
    let calls = 0;
    const direct: MicroCase = {
      name: "direct",
      operations: 10,
      bytes: 1000,
      expected: 7,
      run: () => {
        calls += 1;
        return 7;
      },
      note: () => `${calls > 2 ? "some" : "too few"} calls`,
    };
    const deferred: MicroCase = {
      name: "deferred",
      expected: 8,
      start: (done) => queueMicrotask(() => done(8)),
    };
    const bench = benchOf(direct, deferred);
    const [first, second] = await runBench(bench, BRIEF);
    expect(first).toMatchObject({ bench: "made-up", name: "direct", note: "some calls" });
    expect(first!.gigabytesPerSecond).toBeCloseTo(1000 / first!.nanoseconds, 9);
    expect(first!.operationsPerSecond).toBeCloseTo(1e9 / first!.nanoseconds, 3);
    expect(second).toMatchObject({ name: "deferred", gigabytesPerSecond: null, note: null });
    expect(bench.isClosed).toBe(true);
  });

  it("refuses a case that does not do its work, also one that stops doing it", async () => {
    const bench = benchOf({ name: "idle", expected: 2, run: () => 1 });
    await expect(runBench(bench, BRIEF)).rejects.toThrow("made-up, idle: came to 1 instead of 2");
    expect(bench.isClosed).toBe(true);
    let left = 3;
    const tired = benchOf({ name: "tired", expected: 1, run: () => ((left -= 1) >= 0 ? 1 : 0) });
    await expect(runBench(tired, BRIEF)).rejects.toThrow("tired: came to 0 instead of 1");
    const nothing = benchOf({ name: "nothing", run: () => NaN });
    await expect(runBench(nothing, BRIEF)).rejects.toThrow("gave no number");
  });

  it("passes errors on", async () => {
    let calls = 0;
    const failing = (): number => {
      calls += 1;
      if (calls > 2) throw new Error("out of paper");
      return 1;
    };
    await expect(runBench(benchOf({ name: "direct", run: failing }), BRIEF)).rejects.toThrow(
      "out of paper",
    );
    calls = 0;
    const start = (done: (value: number) => void, failed: (error: Error) => void): void => {
      calls += 1;
      if (calls > 2) queueMicrotask(() => failed(new Error("out of ink")));
      else queueMicrotask(() => done(1));
    };
    await expect(runBench(benchOf({ name: "later", start }), BRIEF)).rejects.toThrow("out of ink");
  });

  it("knows benches by name, in one order", () => {
    expect(chosenBenches([])).toEqual(MICRO_BENCHES);
    const names = chosenBenches(["journal", "crc32c"]).map(({ name }) => name);
    expect(names).toEqual(["crc32c", "journal"]);
    expect(() => chosenBenches(["framing", "speed"])).toThrow(/no bench speed; there are crc32c, /);
  });

  it("takes names, a time and a file, and nothing else", () => {
    const all = { benches: MICRO_BENCHES, seconds: 1, jsonFile: null };
    expect(parseMicroArguments([])).toEqual(all);
    const some = parseMicroArguments(["--json", "a file", "pdu", "--seconds", "0.25", "map"]);
    expect(some).toMatchObject({ seconds: 0.25, jsonFile: "a file" });
    expect(some.benches.map(({ name }) => name)).toEqual(["pdu", "map"]);
    for (const wrong of [["speed"], ["--seconds", "0"], ["--seconds", "x"], ["--rounds", "5"]]) {
      expect(() => parseMicroArguments(wrong)).toThrow(UsageError);
    }
  });

  it("writes a line for each case", () => {
    const row = {
      bench: "made-up",
      name: "a case",
      operationsPerSecond: 1_234_567.8,
      nanoseconds: 810.2,
      leastNanoseconds: 5.456,
      marginPercent: 1.25,
      samples: 60,
      gigabytesPerSecond: 3.14159,
      note: "as a note",
    };
    expect(microLine(row)).toMatch(/^a case +1,234,568 +810 +5\.46 +1\.3% +3\.14 {2}as a note$/);
    const bare = { ...row, marginPercent: null, gigabytesPerSecond: null, note: null };
    expect(microLine(bare)).toMatch(/^a case +1,234,568 +810 +5\.46$/);
  });
});
