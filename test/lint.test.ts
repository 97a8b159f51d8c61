import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

/*
 * What the settings of the linter are there for: a tree with a mistake in every file, and the rule that has to find it.
 * Settings that name no folder right, or a rule that needs types and gets none, would be quiet otherwise.
 */

const top = join(import.meta.dirname, "..");
const LAYER = "no-restricted-imports";
const FLOATING = "no-floating-promises";
const MISUSED = "no-misused-promises";

/** A function over a file that is open, whose flush is a promise. */
function withFile(body: string): string {
  return `import type { FileHandle } from "node:fs/promises";
export async function f(file: FileHandle, all: FileHandle[]): Promise<void> {
  ${body}
  await Promise.all(all.map((one) => one.close()));
  await file.close();
}
`;
}

const BAD: readonly (readonly [path: string, text: string, rule: string])[] = [
  ["native-free/a.ts", 'export { b } from "../src/util/b.ts";', LAYER],
  ["native-free/b.ts", 'export { spawn } from "node:child_process";', LAYER],
  ["src/util/a.ts", 'export { b } from "../device/b.ts";', LAYER],
  ["src/device/a.ts", 'export { b } from "../volume/b.ts";', LAYER],
  ["src/device/b.ts", 'export { flock } from "fs-ext";', LAYER],
  ["src/thin/a.ts", 'export { b } from "../volume/b.ts";', LAYER],
  ["src/volume/raw/a.ts", 'export { b } from "../../scsi/b.ts";', LAYER],
  ["src/scsi/a.ts", 'export { b } from "../device/b.ts";', LAYER],
  ["src/scsi/b.ts", 'export { b } from "../volume/volume-driver.ts";', LAYER],
  ["src/scsi/commands/a.ts", 'export { b } from "../../iscsi/b.ts";', LAYER],
  ["src/iscsi/a.ts", 'export { b } from "../volume/volume.ts";', LAYER],
  ["src/iscsi/login/a.ts", 'export { b } from "../../control/b.ts";', LAYER],
  ["src/control/a.ts", 'export { b } from "../daemon.ts";', LAYER],
  ["src/control/b.ts", 'export { b } from "../offline.ts";', LAYER],
  ["src/daemon.ts", 'export { b } from "./cli/b.ts";', LAYER],
  ["src/offline.ts", 'export { b } from "./daemon.ts";', LAYER],
  ["src/initiator/a.ts", 'export { b } from "../iscsi/session.ts";', LAYER],
  ["src/cli/a.ts", 'export { b } from "../control/exports.ts";', LAYER],
  ["src/util/flush.ts", withFile("file.sync();"), FLOATING],
  ["src/util/flush-all.ts", withFile("all.map((one) => one.datasync());"), FLOATING],
  ["src/util/flush-each.ts", withFile("all.forEach(async (one) => await one.sync());"), MISUSED],
  ["src/util/flush-maybe.ts", withFile("if (file.sync()) return;"), MISUSED],
  ["src/util/nothing.ts", withFile("await file.fd;"), "await-thenable"],
  ["test/flush.ts", withFile("file.sync();"), FLOATING],
];

/** What the layers allow, and a promise that is waited for. */
const GOOD: readonly (readonly [path: string, text: string])[] = [
  ["src/scsi/good.ts", 'export { b } from "../volume/volume.ts";'],
  ["src/initiator/good.ts", 'export { b } from "../iscsi/pdu/login.ts";'],
  ["src/cli/good.ts", 'export { b } from "../offline.ts";'],
  ["src/iscsi/good.ts", 'export { b } from "../scsi/task.ts";'],
  ["native-free/child-process.ts", 'export { spawn } from "node:child_process";'],
  ["native-free/file-lock.ts", 'export { flock } from "fs-ext";'],
  ["src/util/good.ts", withFile("await file.sync();")],
];

interface Report {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
}

let folder: string;
let report: Report;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-lint-"));
  mkdirSync(join(folder, "test"));
  for (const name of [".oxlintrc.json", "tsconfig.json", "test/tsconfig.json"]) {
    copyFileSync(join(top, name), join(folder, name));
  }
  symlinkSync(join(top, "node_modules"), join(folder, "node_modules"));
  for (const [path, text] of [...BAD, ...GOOD]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const oxlint = join(top, "node_modules", ".bin", "oxlint");
  const options = ["--type-aware", "--deny-warnings", "--format=json", "."];
  const { stdout, status } = spawnSync(oxlint, options, { cwd: folder, encoding: "utf8" });
  expect(status).toBe(1);
  report = JSON.parse(stdout) as Report;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function codesOf(path: string): string[] {
  return report.diagnostics.filter(({ filename }) => filename === path).map(({ code }) => code);
}

it.each(BAD)("the linter refuses %s", (path, _text, rule) => {
  expect(codesOf(path)).toContainEqual(expect.stringContaining(`(${rule})`));
});

it.each(GOOD)("the linter lets pass %s", (path) => {
  expect(codesOf(path)).toEqual([]);
});
