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
export function outcomeOf({ status, stdout, stderr }: Ending): Outcome {
  // The columns are total, ran, passed, failed, inactive.
  const summary = /^\s*tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+\d+\s*$/m.exec(stdout);
  const [, total, ran, passed, failed] = summary ?? [];
  if (status !== 0 || total !== "1" || ran !== "1" || passed !== "1" || failed !== "0")
    return "failed";
  return /\[SKIPPED\]/.test(stdout + stderr) ? "skipped" : "passed";
}
