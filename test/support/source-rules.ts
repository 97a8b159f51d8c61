import { dirname, join, normalize } from "node:path";

/** One source file as the rules see it: its path from the top of the repository, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One broken rule: where, and in words that say what to do about it. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

const FILE_LINES_MAX = 600;

/** Folders in the order in which they may see each other; a folder may import those with a lower number. */
const LAYER_OF_FOLDER: Readonly<Record<string, number>> = {
  "native-free": 0,
  "src/util": 1,
  "src/device": 2,
  "src/thin": 3,
  "src/volume": 4,
  "src/scsi": 5,
  "src/iscsi": 6,
  "src/control": 7,
  "src/daemon.ts": 8,
  "src/offline.ts": 8,
};

/** Folders that see less than everything below them: which files outside they may import. */
const NARROW_VIEW: Readonly<Record<string, readonly RegExp[]>> = {
  "src/scsi": [/^native-free\//, /^src\/util\//, /^src\/volume\/volume\.ts$/],
  "src/iscsi": [/^native-free\//, /^src\/util\//, /^src\/scsi\//],
  "src/initiator": [/^native-free\//, /^src\/util\//, /^src\/iscsi\/pdu\//],
  "src/cli": [
    /^native-free\//,
    /^src\/util\//,
    /^src\/control\/protocol\.ts$/,
    // The protocol of tgt's management socket, which the daemon serves and tgtadm speaks: one codec and vocabulary for both ends.
    /^src\/control\/tgt\/(defaults|request|response|errors)\.ts$/,
    /^src\/initiator\//,
    /^src\/daemon\.ts$/,
    /^src\/offline\.ts$/,
  ],
};

/** Modules that only the named files may import. */
const CONFINED_MODULES: Readonly<Record<string, RegExp>> = {
  "node:child_process": /^(native-free\/child-process\.ts|test\/|bench\/)/,
  "fs-ext": /^(native-free\/file-lock\.ts|test\/)/,
  pino: /^(src\/util\/|test\/)/,
  yargs: /^(src\/cli\/|test\/|bench\/)/,
  yaml: /^(src\/control\/|src\/cli\/|test\/|bench\/)/,
  // They take longer to load than most commands take in all: only the daemon does, and what stands in for it.
  fastify: /^(src\/control\/|test\/)/,
  "ajv/dist/2020.js": /^(src\/control\/operations\/|test\/)/,
};

// These are put together from halves, so that this file does not break the rules that it states.
const UNFINISHED = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);
const SWITCHED_OFF_TEST = new RegExp(
  `\\b(it|test|describe|suite)\\.(${["on" + "ly", "sk" + "ip", "to" + "do"].join("|")})\\b`,
);
const MACHINE_PATH = new RegExp(`["'\`\\s(=](/${"work"}|/${"root"})(/|["'\`\\s]|$)`);
// oxlint-disable-next-line no-control-regex -- the tab and the line feed are the two that a source file may have
const NOT_ASCII = /[^\t\n\x20-\x7e]/;
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)(["'])([^"']+)\1/gm;

/** Every file's own findings. What needs to see the whole tree is in {@link missingUnitTests}. */
export function findingsOf(file: SourceFile): Finding[] {
  return [...lengthFindings(file), ...lineFindings(file), ...importFindings(file)];
}

/** Findings in what is no source code: documents, scripts and settings. */
export function textFindingsOf({ path, text }: SourceFile): Finding[] {
  const findings: Finding[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    const note = (message: string): void => {
      findings.push({ path, line: index + 1, message });
    };
    if (UNFINISHED.test(content)) note("unfinished work is an issue, not a remark");
    if (MACHINE_PATH.test(content)) note("a path of one machine");
  }
  return findings;
}

function lengthFindings({ path, text }: SourceFile): Finding[] {
  const lines = text.split("\n").length - 1;
  if (lines <= FILE_LINES_MAX) return [];
  return [{ path, line: lines, message: `${lines} lines: more than ${FILE_LINES_MAX}, split it` }];
}

function lineFindings({ path, text }: SourceFile): Finding[] {
  const findings: Finding[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    const note = (message: string): void => {
      findings.push({ path, line: index + 1, message });
    };
    if (UNFINISHED.test(content)) note("unfinished work is an issue, not a comment");
    if (SWITCHED_OFF_TEST.test(content))
      note("a test that is switched off, or switches off others");
    if (MACHINE_PATH.test(content)) note("a path of one machine");
    if (NOT_ASCII.test(content)) note("a character outside ASCII");
  }
  return findings;
}

function importFindings({ path, text }: SourceFile): Finding[] {
  const findings: Finding[] = [];
  for (const match of text.matchAll(IMPORT)) {
    const specifier = match[2] ?? "";
    const message = specifier.startsWith(".")
      ? layerComplaint(path, normalize(join(dirname(path), specifier)))
      : moduleComplaint(path, specifier);
    if (message === undefined) continue;
    findings.push({ path, line: text.slice(0, match.index).split("\n").length, message });
  }
  return findings;
}

function moduleComplaint(path: string, specifier: string): string | undefined {
  if (path.startsWith("native-free/") && specifier !== "fs-ext" && !specifier.startsWith("node:")) {
    return `native-free imports Node's own modules only, not ${specifier}`;
  }
  const allowed = CONFINED_MODULES[specifier];
  if (allowed === undefined || allowed.test(path)) return undefined;
  return `${specifier} is confined to ${allowed.source}`;
}

function layerComplaint(path: string, imported: string): string | undefined {
  const from = folderOf(path);
  const to = folderOf(imported);
  if (from === undefined || from === to) return undefined;
  const view = NARROW_VIEW[from];
  if (view !== undefined) {
    return view.some((allowed) => allowed.test(imported))
      ? undefined
      : `${from} may not see ${imported}`;
  }
  const fromLayer = LAYER_OF_FOLDER[from];
  const toLayer = to === undefined ? undefined : LAYER_OF_FOLDER[to];
  if (fromLayer !== undefined && toLayer !== undefined && toLayer < fromLayer) return undefined;
  return `${from} may not see ${imported}: imports go one way`;
}

/** The layer's folder, or undefined for tests and benches, which may see everything. */
function folderOf(path: string): string | undefined {
  if (path.startsWith("native-free/")) return "native-free";
  if (!path.startsWith("src/")) return undefined;
  return path.split("/").slice(0, 2).join("/");
}

/**
 * Source files without a unit test, apart from those in `exempt` (path to reason), and exemptions that no longer
 * hold: of a file that is gone, or that has a test now. A file's test is at the mirrored path, or it is a test of
 * the mirrored folder that imports the file. Files that only declare types and constants need none.
 */
export function missingUnitTests(
  files: readonly SourceFile[],
  exempt: Readonly<Record<string, string>>,
): Finding[] {
  const tested = new Set(files.filter(isTest).flatMap((test) => sourcesTestedBy(test)));
  const findings: Finding[] = [];
  for (const file of files.filter(hasCode)) {
    const isExempt = exempt[file.path] !== undefined;
    if (tested.has(file.path) && isExempt) {
      findings.push({ path: file.path, line: 1, message: "has a unit test: strike the exemption" });
    }
    if (!tested.has(file.path) && !isExempt) {
      const message = `has no unit test: neither ${mirroredTest(file.path)} nor one that imports it`;
      findings.push({ path: file.path, line: 1, message });
    }
  }
  for (const path of Object.keys(exempt)) {
    if (files.some((file) => file.path === path && hasCode(file))) continue;
    findings.push({ path, line: 1, message: "is exempt, but is gone, or needs no test" });
  }
  return findings;
}

function isTest({ path }: SourceFile): boolean {
  return path.startsWith("test/") && path.endsWith(".test.ts");
}

/** Whether anything in a source file can run, beyond the making of constants. */
function hasCode({ path, text }: SourceFile): boolean {
  if (!/^(src|native-free)\//.test(path)) return false;
  const bare = text.replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
  return /\b(function|class) |=\s*(async\s*)?\([^)]*\)[^=;]*=>/.test(bare);
}

/** The files that a test is responsible for: its namesake, and what it imports of the folder that it mirrors. */
function sourcesTestedBy({ path, text }: SourceFile): string[] {
  const folder = dirname(path);
  const imported = [...text.matchAll(IMPORT)]
    .map((match) => normalize(join(folder, match[2] ?? "")))
    .filter((source) => mirroredTest(source).startsWith(`${folder}/`));
  const name = path.slice("test/".length).replace(/\.test\.ts$/, ".ts");
  return [...imported, name.startsWith("native-free/") ? name : `src/${name}`];
}

/** src/a/b.ts is tested by test/a/b.test.ts, native-free/c.ts by test/native-free/c.test.ts. */
function mirroredTest(path: string): string {
  return `test/${path.replace(/^src\//, "").replace(/\.ts$/, ".test.ts")}`;
}
