import { spawnSync } from "node:child_process";
import type { Ending } from "../support/program.ts";

/** How one test of iscsi-test-cu ended. The tool itself counts a skipped test as passed. */
export type Outcome = "passed" | "failed" | "skipped";

/** The tests of the SCSI and iSCSI families that the installed tool has, as FAMILY.SUITE.TEST. */
export function listTests(): string[] {
  const { stdout, error } = spawnSync("iscsi-test-cu", ["--list"], { encoding: "utf8" });
  if (error !== undefined) return [];
  return testsIn(stdout);
}

/** Picks the tests out of what `--list` prints: families, suites and tests, one a line. */
export function testsIn(list: string): string[] {
  return list.split("\n").filter((line) => /^(SCSI|iSCSI)\.[^.]+\.[^.]+$/.test(line));
}

/** The suite of a test, FAMILY.SUITE. */
export function suiteOf(test: string): string {
  return test.slice(0, test.lastIndexOf("."));
}

/**
 * Judges a run of one single test by the summary of CUnit, the tool's framework. A test that skips a part of
 * itself counts as skipped; a run that did not execute exactly one test counts as failed.
 */
export function outcomeOf({ status, stdout }: Ending): Outcome {
  // The columns are total, ran, passed, failed, inactive.
  const summary = /^\s*tests\s+1\s+1\s+1\s+0\s+\d+\s*$/m;
  if (status !== 0 || !summary.test(stdout)) return "failed";
  // Before and after the test the tool looks around, and says of that too what it skips.
  const [, during] = /^\s*Test: ([^]*)passed/m.exec(stdout) ?? [];
  if (during === undefined) return "failed";
  return during.includes("[SKIPPED]") ? "skipped" : "passed";
}

/** Whether a test failed in one assertion only, which is the given one. */
export function failsOnlyAt(assertion: string, { stdout }: Ending): boolean {
  const failures = stdout.split("\n").filter((line) => /^\s+\d+\. \S+:\d+ {2}- /.test(line));
  return failures.length === 1 && (failures[0] ?? "").includes(assertion);
}
