/** How many tests ended in which way. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * What one run of vitest amounts to. A test file that could not be loaded, a run that left no report or no test,
 * and a run that ended badly without naming a test each count as one failure: silence is not success.
 * @param reportJson the JSON report, or undefined where the run wrote none
 * @param exitStatus the run's exit status, or null where a signal ended it
 */
export function totalsOf(reportJson: string | undefined, exitStatus: number | null): Totals {
  const report = parse(reportJson);
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  ).length;
  const passed = report.numPassedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  const failed = report.numFailedTests + unloadable;
  const silent = failed === 0 && (exitStatus !== 0 || passed + skipped === 0);
  return { passed, failed: silent ? 1 : failed, skipped };
}

function parse(reportJson: string | undefined): Report | undefined {
  if (reportJson === undefined) return undefined;
  try {
    return JSON.parse(reportJson) as Report;
  } catch {
    return undefined;
  }
}

/** All suites together. */
export function sum(totals: Iterable<Totals>): Totals {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const each of totals) {
    passed += each.passed;
    failed += each.failed;
    skipped += each.skipped;
  }
  return { passed, failed, skipped };
}

/** The line that a person and a CI system look for. */
export function inWords({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
