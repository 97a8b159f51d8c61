/**
 * Runs every test suite and adds them up: `npm test [-- SUITE...] [--seed N] [--no-install]`.
 *
 * The last line is `N passed, N failed, N skipped`; the exit status is 0 only where nothing failed. Under CI=true
 * a skipped test is a failure too: a machine that is there to test everything must not quietly test less.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installPackages, mayInstall, missingPackages } from "./support/debian-packages.ts";
import { hasFsExt, installFsExt } from "./support/fs-ext.ts";
import type { Totals } from "./support/totals.ts";
import { inWords, sum, totalsOf } from "./support/totals.ts";

interface Suite {
  readonly name: string;
  readonly about: string;
  /** Arguments of `vitest run`. */
  readonly vitest: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Takes minutes and says the same on every machine: it runs under CI=true, or by its name. */
  readonly onRequest?: boolean;
  /** Its tests have run in another suite already: what it skips is not skipped altogether. */
  readonly repeats?: boolean;
}

const SUITES: readonly Suite[] = [
  {
    name: "unit",
    about: "units, wire, drivers, command line, fuzzing",
    vitest: ["--project", "unit"],
  },
  {
    name: "no-fs-ext",
    about: "what uses fs-ext, once more without it",
    vitest: ["--project", "unit", "test/native-free/", "test/device/", "test/volume/"],
    env: { THINLUN_NO_FS_EXT: "1" },
    repeats: true,
  },
  {
    name: "model",
    about: "the ordering rules of the thin engine in ten million crash states",
    vitest: ["--project", "model"],
    onRequest: true,
  },
  {
    name: "crash",
    about: "pools that are killed under load, and logs of devices cut anywhere",
    vitest: ["--project", "crash"],
  },
  {
    name: "host",
    about: "libiscsi's and QEMU's programs against the daemon",
    vitest: ["--project", "host", "--no-file-parallelism"],
  },
  {
    name: "conformance",
    about: "libiscsi's conformance tests against the daemon",
    vitest: ["--project", "conformance", "--no-file-parallelism"],
  },
  {
    name: "guest",
    about: "the Linux kernel's initiator in a virtual machine against the daemon",
    vitest: ["--project", "guest", "--no-file-parallelism"],
  },
];

const top = join(import.meta.dirname, "..");
const isContinuousIntegration = process.env["CI"] === "true";

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: "string" }, "no-install": { type: "boolean" } },
  });
  const unknown = positionals.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    console.error(
      `no suite ${unknown.join(", ")}; there are ${SUITES.map(({ name }) => name).join(", ")}`,
    );
    return 2;
  }
  if (values.seed !== undefined) process.env["THINLUN_SEED"] = values.seed;
  const chosen = SUITES.filter(({ name, onRequest }) => {
    if (positionals.length > 0) return positionals.includes(name);
    return onRequest !== true || isContinuousIntegration;
  });

  const mayAdd = values["no-install"] !== true;
  providePackages(
    chosen.map(({ name }) => name),
    mayAdd,
  );
  if (chosen.some(({ name }) => name === "unit")) provideFsExt(mayAdd);
  if (spawnSync("npm", ["run", "--silent", "build"], { cwd: top, stdio: "inherit" }).status !== 0) {
    console.error("the build failed, so nothing was tested");
    console.log(inWords({ passed: 0, failed: 1, skipped: 0 }));
    return 1;
  }
  return conclude(chosen.map((suite) => [suite, run(suite)] as const));
}

/** Says what the suites want of Debian, and installs it where that is possible. */
function providePackages(suites: readonly string[], install: boolean): void {
  const missing = missingPackages(suites);
  if (missing.length === 0) return;
  console.log(`The tests want Debian packages that are not installed: ${missing.join(" ")}`);
  if (install && mayInstall()) {
    console.log("Installing them ...");
    const complaint = installPackages(missing);
    if (complaint === undefined) return;
    console.log(complaint);
  }
  console.log(`What needs them will be skipped. To have it: apt-get install ${missing.join(" ")}`);
}

/** The lock is tested with fs-ext and without it, so it has to be there, which on a bare machine it is not. */
function provideFsExt(install: boolean): void {
  if (hasFsExt()) return;
  console.log("fs-ext, which is optional, is not installed: there was no compiler to build it");
  if (install && mayInstall()) {
    console.log("Installing both ...");
    const complaint = installFsExt(top);
    if (complaint === undefined) return;
    console.log(complaint);
  }
  console.log("The tests of locking by fs-ext will be skipped.");
}

function run(suite: Suite): Totals {
  console.log(`\n== ${suite.name}: ${suite.about}`);
  const folder = mkdtempSync(join(tmpdir(), "thinlun-test-"));
  try {
    const reportFile = join(folder, "report.json");
    const vitest = join(top, "node_modules", "vitest", "vitest.mjs");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
    const { status } = spawnSync(process.execPath, [vitest, "run", ...suite.vitest, ...reporters], {
      cwd: top,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...suite.env },
    });
    const totals = totalsOf(read(reportFile), status);
    return suite.repeats === true ? { ...totals, skipped: 0 } : totals;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function conclude(results: readonly (readonly [Suite, Totals])[]): number {
  console.log("");
  for (const [{ name }, totals] of results) console.log(`${name}: ${inWords(totals)}`);
  const total = sum(results.map(([, totals]) => totals));
  const forbidden = isContinuousIntegration && total.skipped > 0;
  if (forbidden) console.log("CI=true: a skipped test counts as a failure of the run");
  console.log(inWords(total));
  return total.failed > 0 || forbidden ? 1 : 0;
}

process.exitCode = main();
