import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Daemon } from "../support/daemon.ts";
import type { Ending } from "../support/program.ts";
import { attempt } from "../support/program.ts";
import { DEFECTIVE, ON_READ_ONLY_UNIT, REQUIRED_SUITES, SKIPPED_FOR_A_REASON } from "./expected.ts";
import { resultsTable } from "./results-table.ts";
import type { Outcome } from "./test-tool.ts";
import { failsOnlyAt, listTests, outcomeOf, suiteOf } from "./test-tool.ts";

const TARGET = "iqn.2026-11.net.example:conformance";
const WRITABLE_LUN = 0;
const READ_ONLY_LUN = 1;
/** Seconds for one test, of which most take less than one. */
const TEST_LIMIT = "300";

const tests = listTests();
const isRequired = (suite: string): boolean => REQUIRED_SUITES.includes(suite);
const required = tests.filter((test) => isRequired(suiteOf(test)));
const optional = tests.filter((test) => !isRequired(suiteOf(test)));

describe.skipIf(tests.length === 0)("libiscsi's conformance tests", () => {
  let daemon: Daemon;
  const outcomes = new Map<string, Outcome>();

  beforeAll(async () => {
    daemon = await Daemon.start((folder) => ({
      volumes: {
        disk: { driver: "raw", path: join(folder, "disk.img"), size: "256MiB", create: true },
        fixed: { driver: "memory", size: "16MiB" },
      },
      targets: [
        {
          name: TARGET,
          luns: [
            { lun: WRITABLE_LUN, volume: "disk" },
            { lun: READ_ONLY_LUN, volume: "fixed", readOnly: true },
          ],
        },
      ],
    }));
  });

  afterAll(async () => {
    await daemon.dispose();
    if (outcomes.size === tests.length) {
      writeFileSync(join(import.meta.dirname, "results.md"), resultsTable(outcomes, isRequired));
    }
  });

  async function runTest(test: string): Promise<{ outcome: Outcome; ending: Ending }> {
    const url = daemon.url(TARGET, ON_READ_ONLY_UNIT.includes(test) ? READ_ONLY_LUN : WRITABLE_LUN);
    const ending = await attempt(
      ...(["timeout", TEST_LIMIT, "iscsi-test-cu", "--dataloss", "--allow-sanitize"] as const),
      ...(["--verbose", "--test", test, url] as const),
    );
    const outcome = outcomeOf(ending);
    outcomes.set(test, outcome);
    return { outcome, ending };
  }

  it.each(required)("%s", async (test) => {
    const { outcome, ending } = await runTest(test);
    const defect = DEFECTIVE[test];
    if (outcome === "failed" && defect !== undefined && failsOnlyAt(defect.assertion, ending))
      return;
    const wanted = SKIPPED_FOR_A_REASON[test] === undefined ? "passed" : "skipped";
    expect(outcome, ending.stdout + ending.stderr).toBe(wanted);
  });

  it("expects something of tests only that there are, and that are required", () => {
    const named = [SKIPPED_FOR_A_REASON, DEFECTIVE].flatMap((table) => Object.keys(table));
    const strangers = [...named, ...ON_READ_ONLY_UNIT].filter((test) => !required.includes(test));
    expect(strangers).toEqual([]);
  });

  it("records the optional ones, and outlives them", async () => {
    for (const test of optional) await runTest(test);
    const { outcome, ending } = await runTest("SCSI.TestUnitReady.Simple");
    expect(outcome, ending.stdout + ending.stderr).toBe("passed");
  });
});
