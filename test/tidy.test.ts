import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import type { Finding, SourceFile } from "./support/source-rules.ts";
import { findingsOf, missingUnitTests, textFindingsOf } from "./support/source-rules.ts";
import { UNTESTED_SOURCES } from "./support/untested-sources.ts";

const top = join(import.meta.dirname, "..");

const tree: readonly SourceFile[] = ["src", "native-free", "test", "bench"].flatMap((folder) =>
  readdirSync(join(top, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(top, file), text: readFileSync(file, "utf8") })),
);

/** Folders of tools, which are not of the repository. */
const NOT_OURS = new Set([".git", "node_modules", "dist", "coverage"]);
/** Scripts of the virtual machine, which names its own superuser's home. */
const OF_THE_GUEST = "test/guest/machine/";
const TEXTS = new Set(["", ".md", ".json", ".sh", ".yaml", ".yml", ".cts"]);

/** Everything else that is read by people or by tools: documents, scripts and settings. */
const texts: readonly SourceFile[] = readdirSync(top, { withFileTypes: true })
  .filter(({ name }) => !NOT_OURS.has(name))
  .flatMap((entry) =>
    entry.isFile()
      ? [entry]
      : readdirSync(join(top, entry.name), { recursive: true, withFileTypes: true }),
  )
  .filter((entry) => entry.isFile() && TEXTS.has(extname(entry.name)))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => !relative(top, file).startsWith(OF_THE_GUEST))
  .map((file) => ({ path: relative(top, file), text: readFileSync(file, "utf8") }));

function inWords(findings: readonly Finding[]): string[] {
  return findings.map(({ path, line, message }) => `${path}:${line} ${message}`);
}

describe("the source tree", () => {
  it("keeps every rule of the house", () => {
    expect(inWords(tree.flatMap(findingsOf))).toEqual([]);
  });

  it("says nothing of one machine in documents, scripts and settings", () => {
    const names = texts.map(({ path }) => path);
    for (const path of ["README.md", "native-free/README.md", ".ci/run"]) {
      expect(names).toContain(path);
    }
    expect(inWords(texts.flatMap(textFindingsOf))).toEqual([]);
  });

  it("has a unit test for each file with code in it", () => {
    expect(inWords(missingUnitTests(tree, UNTESTED_SOURCES))).toEqual([]);
  });
});

/** A file that must be complained about: where it claims to be, what it says, and what the complaint says. */
const bad: readonly (readonly [path: string, text: string, complaint: RegExp])[] = [
  ["src/util/a.ts", "x\n".repeat(601), /601 lines/],
  ["src/util/a.ts", `// ${"TO" + "DO"}: later`, /unfinished/],
  ["src/util/a.ts", `/* ${"X" + "XX"} */`, /unfinished/],
  ["test/a.test.ts", `it.${"on" + "ly"}("x")`, /switched off/],
  ["test/a.test.ts", `describe.${"sk" + "ip"}("x")`, /switched off/],
  ["test/a.test.ts", `it.${"to" + "do"}("x")`, /switched off/],
  ["src/util/a.ts", `const home = "/${"root"}/x";`, /one machine/],
  ["src/util/a.ts", `// see /${"work"}/main`, /one machine/],
  ["src/util/a.ts", "// caf\u00e9", /ASCII/],
  ["native-free/a.ts", 'import { assert } from "../src/util/assert.ts";', /one way/],
  ["native-free/a.ts", 'import pino from "pino";', /own modules/],
  ["src/util/a.ts", 'import type { B } from "../device/block-device.ts";', /one way/],
  ["src/device/a.ts", 'import { b } from "../volume/volume.ts";', /one way/],
  ["src/device/a.ts", 'const b = await import("../daemon.ts");', /one way/],
  ["src/volume/raw/a.ts", 'import { b } from "../../scsi/task.ts";', /one way/],
  ["src/scsi/a.ts", 'import { b } from "../volume/volume-driver.ts";', /may not see/],
  ["src/scsi/a.ts", 'import { b } from "../device/block-device.ts";', /may not see/],
  ["src/iscsi/a.ts", 'export { b } from "../volume/volume.ts";', /may not see/],
  ["src/iscsi/a.ts", 'import {\n  b,\n  c,\n} from "../control/config.ts";', /may not see/],
  ["src/control/a.ts", 'import { b } from "../initiator/session.ts";', /one way/],
  ["src/control/a.ts", 'import { b } from "../daemon.ts";', /one way/],
  ["src/daemon.ts", 'import { b } from "./cli/serve.ts";', /one way/],
  ["src/offline.ts", 'import { b } from "./daemon.ts";', /one way/],
  ["src/control/a.ts", 'import { b } from "../offline.ts";', /one way/],
  ["src/initiator/a.ts", 'import { b } from "../iscsi/session.ts";', /may not see/],
  ["src/cli/a.ts", 'import { b } from "../control/config.ts";', /may not see/],
  ["src/cli/tgt/a.ts", 'import { b } from "../../control/tgt/tgt-command.ts";', /may not see/],
  ["src/util/a.ts", 'import { b } from "../../test/support/daemon.ts";', /one way/],
  ["src/util/a.ts", 'import { spawn } from "node:child_process";', /confined/],
  ["src/device/a.ts", 'const { flock } = await import("fs-ext");', /confined/],
  ["src/iscsi/a.ts", 'import "pino";', /confined/],
  ["src/cli/a.ts", 'import fastify from "fastify";', /confined/],
  ["src/control/protocol.ts", 'import { Ajv2020 } from "ajv/dist/2020.js";', /confined/],
];

const good: readonly SourceFile[] = [
  { path: "native-free/file-lock.ts", text: 'const { flock } = await import("fs-ext");' },
  { path: "native-free/child-process.ts", text: 'import { spawn } from "node:child_process";' },
  { path: "src/scsi/a.ts", text: 'import type { Volume } from "../volume/volume.ts";' },
  { path: "src/scsi/commands/a.ts", text: 'import { b } from "../sense.ts";' },
  { path: "src/initiator/a.ts", text: 'import { b } from "../iscsi/pdu/login.ts";' },
  { path: "src/cli/serve.ts", text: 'const { b } = await import("../daemon.ts");' },
  { path: "src/cli/tgt/a.ts", text: 'import { b } from "../../control/tgt/request.ts";' },
  { path: "src/cli/pool.ts", text: 'const { b } = await import("../offline.ts");' },
  { path: "src/daemon.ts", text: 'import { b } from "./control/config.ts";' },
  {
    path: "test/a.test.ts",
    text: 'import { b } from "../src/thin/pool.ts"; it.skipIf(true)("x");',
  },
  { path: "src/util/a.ts", text: "const networkPath = `${folder}/workers`;\n".repeat(600) },
];

describe("the rules themselves", () => {
  it.each(bad)("catch in %s: %j", (path, text, complaint) => {
    expect(inWords(findingsOf({ path, text }))).toContainEqual(expect.stringMatching(complaint));
  });

  it.each(good)("let pass $path: $text", (file) => {
    expect(inWords(findingsOf(file))).toEqual([]);
  });

  it.each([
    ["docs/a.md", `Look at \`/${"work"}/main\`.`, /one machine/],
    ["docs/a.md", `See [there](/${"root"}/notes.md).`, /one machine/],
    ["docs/a.md", `This is ${"TO" + "DO"}.`, /unfinished/],
  ] as const)("catch in %s: %j", (path, text, complaint) => {
    expect(inWords(textFindingsOf({ path, text }))).toEqual([expect.stringMatching(complaint)]);
  });

  it("say on which line", () => {
    const text = 'const a = 1;\nimport {\n  b,\n} from "../thin/pool.ts";';
    expect(findingsOf({ path: "src/util/a.ts", text })).toMatchObject([{ line: 4 }]);
  });

  it("miss a unit test, and strike exemptions that are no longer needed", () => {
    const code = "export function f(): void {}";
    const files: SourceFile[] = [
      { path: "src/a/b.ts", text: code },
      { path: "src/a/c.ts", text: code },
      { path: "src/a/imported.ts", text: code },
      { path: "src/a/types.ts", text: "/** A function. */ export interface T { f: () => void; }" },
      { path: "src/other/elsewhere.ts", text: code },
      { path: "src/e.ts", text: code },
      { path: "native-free/d.ts", text: code },
      { path: "native-free/tested.ts", text: code },
      {
        path: "test/a/c.test.ts",
        text: 'import { i } from "../../src/a/imported.ts";\nimport { o } from "../../src/other/elsewhere.ts";',
      },
      { path: "test/native-free/tested.test.ts", text: "" },
    ];
    const exempt = {
      "src/a/c.ts": "had none",
      "src/gone.ts": "was removed",
      "src/e.ts": "a reason",
    };
    expect(inWords(missingUnitTests(files, exempt))).toEqual([
      "src/a/b.ts:1 has no unit test: neither test/a/b.test.ts nor one that imports it",
      "src/a/c.ts:1 has a unit test: strike the exemption",
      "src/other/elsewhere.ts:1 has no unit test: neither test/other/elsewhere.test.ts nor one that imports it",
      "native-free/d.ts:1 has no unit test: neither test/native-free/d.test.ts nor one that imports it",
      "src/gone.ts:1 is exempt, but is gone, or needs no test",
    ]);
  });
});
