import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Daemon, type DaemonConfig } from "../support/daemon.ts";
import type { Ending } from "../support/program.ts";
import { attempt } from "../support/program.ts";
import {
  DEFECTIVE,
  ON_READ_ONLY_UNIT,
  REQUIRED_IN_LARGE_BLOCKS,
  REQUIRED_ON_THIN,
  REQUIRED_SUITES,
  SKIPPED_FOR_A_REASON,
  SKIPPED_IN_LARGE_BLOCKS,
} from "./expected.ts";
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

/** The writable logical unit. */
interface Disk {
  readonly name: string;
  readonly isThin: boolean;
  readonly blockSize: number;
  /** The file that the outcomes are written to. */
  readonly results: string;
  /** Tests that are skipped, each with the reason. */
  readonly skipped: Readonly<Record<string, string>>;
  /** Optional tests that have to pass. */
  readonly required: readonly string[];
}

const DISKS: readonly Disk[] = [
  {
    name: "a raw file",
    isThin: false,
    blockSize: 512,
    results: "results.md",
    skipped: SKIPPED_FOR_A_REASON,
    required: [],
  },
  {
    name: "a thin volume",
    isThin: true,
    blockSize: 512,
    results: "results-thin.md",
    skipped: SKIPPED_FOR_A_REASON,
    required: REQUIRED_ON_THIN,
  },
  {
    name: "a thin volume in blocks of 4096 bytes",
    isThin: true,
    blockSize: 4096,
    results: "results-thin-4096.md",
    skipped: { ...SKIPPED_FOR_A_REASON, ...SKIPPED_IN_LARGE_BLOCKS },
    required: [...REQUIRED_ON_THIN, ...REQUIRED_IN_LARGE_BLOCKS],
  },
];

function configOf(folder: string, { isThin, blockSize }: Disk): DaemonConfig {
  const raw = { driver: "raw", path: join(folder, "disk.img"), size: "256MiB", create: true };
  const thin = { driver: "thin", pool: "tank", size: "256MiB", create: true };
  const tank = { devices: [join(folder, "pool.img")], create: { size: "512MiB" } };
  const luns = [
    { lun: WRITABLE_LUN, volume: "disk", blockSize },
    { lun: READ_ONLY_LUN, volume: "fixed", readOnly: true },
  ];
  return {
    ...(isThin ? { pools: { tank } } : {}),
    volumes: { disk: isThin ? thin : raw, fixed: { driver: "memory", size: "16MiB" } },
    targets: [{ name: TARGET, luns }],
  };
}

describe.skipIf(tests.length === 0).each(DISKS)("libiscsi's conformance tests on $name", (disk) => {
  let daemon: Daemon;
  const outcomes = new Map<string, Outcome>();

  beforeAll(async () => {
    daemon = await Daemon.start((folder) => configOf(folder, disk));
  });

  afterAll(async () => {
    await daemon.dispose();
    if (outcomes.size !== tests.length) return;
    const path = join(import.meta.dirname, disk.results);
    writeFileSync(path, resultsTable(outcomes, isRequired));
  });

  async function runTest(test: string): Promise<{ outcome: Outcome; ending: Ending }> {
    const lun = ON_READ_ONLY_UNIT.includes(test) ? READ_ONLY_LUN : WRITABLE_LUN;
    const ending = await attempt(
      ...(["timeout", TEST_LIMIT, "iscsi-test-cu", "--dataloss", "--allow-sanitize"] as const),
      ...(["--verbose", "--test", test, daemon.url(TARGET, lun)] as const),
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
    const wanted = disk.skipped[test] === undefined ? "passed" : "skipped";
    expect(outcome, ending.stdout + ending.stderr).toBe(wanted);
  });

  it("records the optional ones, and outlives them", async () => {
    for (const test of optional) {
      const { outcome, ending } = await runTest(test);
      if (disk.required.includes(test))
        expect(outcome, ending.stdout + ending.stderr).toBe("passed");
    }
    const { outcome, ending } = await runTest("SCSI.TestUnitReady.Simple");
    expect(outcome, ending.stdout + ending.stderr).toBe("passed");
  });
});

it.skipIf(tests.length === 0)("expects something only of tests that there are", () => {
  const tables = [SKIPPED_FOR_A_REASON, SKIPPED_IN_LARGE_BLOCKS, DEFECTIVE];
  const named = tables.flatMap((table) => Object.keys(table));
  const strangers = [...named, ...ON_READ_ONLY_UNIT].filter((test) => !required.includes(test));
  expect(strangers).toEqual([]);
  const besides = [...REQUIRED_ON_THIN, ...REQUIRED_IN_LARGE_BLOCKS];
  expect(besides.filter((test) => !optional.includes(test))).toEqual([]);
});
