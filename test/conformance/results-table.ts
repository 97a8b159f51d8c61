import type { Outcome } from "./test-tool.ts";
import { suiteOf } from "./test-tool.ts";

/** The outcomes as a document, a row for each suite; it has no times in it, so that it changes only with them. */
export function resultsTable(
  outcomes: ReadonlyMap<string, Outcome>,
  isRequired: (suite: string) => boolean,
): string {
  const suites = [...new Set([...outcomes.keys()].map(suiteOf))];
  const rows = (required: boolean): string[] =>
    suites.filter((suite) => isRequired(suite) === required).map((suite) => row(suite, outcomes));
  const head = ["| suite | passed | failed | skipped |", "|---|---|---|---|"];
  return [
    "# Outcomes of libiscsi's conformance tests",
    "",
    "Written by `npm test -- conformance`. The tool counts what it skips as passed; here it is told apart.",
    "",
    "## Required",
    "",
    ...head,
    ...rows(true),
    "",
    "## Recorded only: commands that are optional",
    "",
    ...head,
    ...rows(false),
    "",
  ].join("\n");
}

function row(suite: string, outcomes: ReadonlyMap<string, Outcome>): string {
  const named = (outcome: Outcome): string =>
    [...outcomes]
      .filter(([test, is]) => suiteOf(test) === suite && is === outcome)
      .map(([test]) => test.slice(suite.length + 1))
      .join(", ");
  return `| ${suite} | ${named("passed")} | ${named("failed")} | ${named("skipped")} |`;
}
