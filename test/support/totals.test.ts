import { describe, expect, it } from "vitest";
import { inWords, sum, totalsOf } from "./totals.ts";

interface Counts {
  passed?: number;
  failed?: number;
  pending?: number;
  todo?: number;
  files?: { status: string; assertionResults: { status: string }[] }[];
}

function report({ passed = 0, failed = 0, pending = 0, todo = 0, files = [] }: Counts): string {
  return JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: todo,
    testResults: files,
  });
}

describe("totalsOf", () => {
  it("takes over the counts, and counts what was only planned as skipped", () => {
    const json = report({ passed: 5, failed: 1, pending: 2, todo: 1 });
    expect(totalsOf(json, 1)).toEqual({ passed: 5, failed: 1, skipped: 3 });
  });

  it("counts a test file that could not be loaded as a failure", () => {
    const files = [
      { status: "failed", assertionResults: [] },
      { status: "failed", assertionResults: [{ status: "failed" }] },
      { status: "passed", assertionResults: [{ status: "passed" }] },
    ];
    expect(totalsOf(report({ passed: 1, failed: 1, files }), 1).failed).toBe(2);
  });

  it.each([
    ["no report", undefined, 0],
    ["half a report", report({ passed: 5 }).slice(0, 20), 0],
    ["no tests", report({}), 0],
    ["a bad exit status that no test explains", report({ passed: 5 }), 1],
    ["a signal", report({ passed: 5 }), null],
  ])("counts %s as a failure", (_, json, exitStatus) => {
    expect(totalsOf(json, exitStatus).failed).toBe(1);
  });

  it("counts nothing else as a failure", () => {
    expect(totalsOf(report({ passed: 5 }), 0)).toEqual({ passed: 5, failed: 0, skipped: 0 });
    expect(totalsOf(report({ pending: 5 }), 0)).toEqual({ passed: 0, failed: 0, skipped: 5 });
  });
});

describe("sum", () => {
  it("adds suites up and says so in one line", () => {
    const total = sum([
      { passed: 1, failed: 2, skipped: 3 },
      { passed: 10, failed: 20, skipped: 30 },
    ]);
    expect(inWords(total)).toBe("11 passed, 22 failed, 33 skipped");
  });
});
