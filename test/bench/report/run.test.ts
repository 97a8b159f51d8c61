import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { htmlReport } from "../../../bench/report/page.ts";
import { readResult, ReportError } from "../../../bench/report/read-result.ts";
import { runReport } from "../../../bench/report/run.ts";
import { madeUpResult } from "../support/made-up-result.ts";

const folder = mkdtempSync(join(tmpdir(), "thinlun-report-"));
const from = join(folder, "result.json");
const to = join(folder, "report.html");
const said: string[] = [];

beforeEach(() => {
  said.length = 0;
  vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

describe("npm run bench -- report", () => {
  it("makes the report of a result that was written down", () => {
    const result = madeUpResult();
    writeFileSync(from, JSON.stringify(result));
    expect(runReport([from, "--html", to])).toBe(0);
    expect(readFileSync(to, "utf8")).toBe(htmlReport(result));
    expect(said).toEqual([]);
  });

  it.each([[[]], [[from]], [["--html", to]], [[from, from, "--html", to]], [[from, "--pdf", to]]])(
    "says how it is used: %j",
    (args) => {
      expect(runReport(args)).toBe(2);
      expect(said.join("")).toContain("npm run bench -- report RESULT.json --html FILE\n");
    },
  );

  it("says what is wrong with a file", () => {
    writeFileSync(from, "{");
    expect(runReport([from, "--html", to])).toBe(2);
    expect(runReport([join(folder, "none"), "--html", to])).toBe(2);
    writeFileSync(from, JSON.stringify(madeUpResult()));
    expect(runReport([from, "--html", join(folder, "none", "report.html")])).toBe(2);
    expect(said).toEqual([
      `${from} is no JSON\n`,
      expect.stringContaining("ENOENT"),
      expect.stringContaining("ENOENT"),
    ]);
  });
});

describe("a file that was not written by the harness", () => {
  const read = (value: unknown) => readResult(JSON.stringify(value), "a file");

  it.each([null, 5, "text", [], {}, { version: 1 }])("is refused: %j", (value) => {
    expect(() => read(value)).toThrow("a file is no result of version 2 of this benchmark");
  });

  /** Each list and object of a result. */
  const paths = [
    ["machine"],
    ["options"],
    ["options", "only"],
    ["loadAverage"],
    ["peers"],
    ["peers", 0],
    ["loads", 0],
    ["rows"],
    ["rows", 0],
    ["rows", 0, "samples"],
    ["rows", 0, "samples", 0],
    ["comparisons", 0],
    ["comparisons", 0, "rate"],
    ["bars"],
    ["bars", 0],
  ];

  it.each(paths)("is refused where something else is at %s %s %s", (...path) => {
    for (const wrong of [null, "text", 5]) {
      const value = JSON.parse(JSON.stringify(madeUpResult())) as Record<string, unknown>;
      let at: Record<string | number, unknown> = value;
      for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>;
      at[path.at(-1)!] = wrong;
      expect(() => read(value)).toThrow(ReportError);
      expect(() => read(value)).toThrow(`a file: ${path[0]} is not what it should be`);
    }
  });

  it("may have anything in the other places, and still makes a report", () => {
    const value = JSON.parse(JSON.stringify(madeUpResult())) as Record<string, unknown>;
    const others = ["when", "elapsedSeconds", "isPartial", "rounds"];
    for (const name of others) value[name] = ["<b>"];
    expect(htmlReport(read(value))).not.toContain("<b>");
    const { bars } = madeUpResult();
    const bare = bars.map(({ load, figure, state }) => ({ load, figure, state }));
    expect(htmlReport(read({ ...madeUpResult(), bars: bare }))).toContain("met</td>");
    for (const earlier of [5, { when: "then" }, { when: "then", rows: [null] }]) {
      expect(() => read({ ...madeUpResult(), earlier })).toThrow("earlier is not what");
    }
    expect(read({ ...madeUpResult(), earlier: null }).earlier).toBeNull();
  });
});
