import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Ending } from "../../../../src/cli/tgt/ending.ts";
import type { DeviceState } from "../../../../src/cli/tgt/tgt-admin/world.ts";
import { tgtAdmin } from "../../../../src/cli/tgt/tgt-admin/tgt-admin.ts";
import { memoryFiles } from "../config-general-memory.ts";

/** A command line of tgt-admin, and everything around it. Where paths begin with `/stage`, that is a folder of this play. */
export interface Play {
  readonly words: readonly string[];
  /** By path. */
  readonly files: Readonly<Record<string, string>>;
  /** Paths of files that a process has open. */
  readonly open?: readonly string[];
  /** What `tgtadm --op show` prints, by mode. */
  readonly shows?: Readonly<Record<string, string>>;
  /** The command that fails, of those that do not show something: 1 the first one. With this status. */
  readonly failing?: { readonly at: number; readonly status: number };
  /** What sg_inq, `sg_inq -p 0xb0` and sg_readcap print. */
  readonly device?: {
    readonly inquiry: string;
    readonly limits: string;
    readonly capacity: string;
  };
}

/** What came of it. */
export interface Seen {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The command lines of tgtadm that were run, without those that show something. */
  readonly commands: readonly (readonly string[])[];
}

const STAGE = "/stage";

const FAILURE_WORDS = "tgtadm: it fails\n";

function isShow(words: readonly string[]): boolean {
  return words[words.indexOf("--op") + 1] === "show";
}

function modeOf(words: readonly string[]): string {
  return words[words.indexOf("--mode") + 1] ?? "";
}

/** Plays it with our tgt-admin, in this process. */
export async function playOurs(play: Play): Promise<Seen> {
  let [stdout, stderr] = ["", ""];
  const commands: (readonly string[])[] = [];
  const { failing, shows = {}, device, open = [] } = play;
  const answer = (words: readonly string[]): Ending => {
    if (isShow(words)) return { status: 0, stdout: shows[modeOf(words)] ?? "", stderr: "" };
    commands.push(words);
    const status = commands.length === failing?.at ? failing.status : 0;
    return { status, stdout: "", stderr: status === 0 ? "" : FAILURE_WORDS };
  };
  const status = await tgtAdmin(play.words, {
    tgtadm: (words) => Promise.resolve(answer(words)),
    files: memoryFiles(play.files),
    print: (text) => (stdout += text),
    complain: (text) => (stderr += text),
    lookAt: (path) => Promise.resolve(stateOf(path, play.files, open)),
    run: (program, words) => {
      const text = device === undefined ? "" : saidBy(program, words, device);
      const outcome = device === undefined ? "missing" : "exited";
      return Promise.resolve({ outcome, exitCode: 0, stdout: text, stderr: "" });
    },
    applyClient: () => Promise.resolve(null),
  });
  return { status, stdout, stderr, commands };
}

function stateOf(
  path: string,
  files: Readonly<Record<string, string>>,
  open: readonly string[],
): DeviceState {
  if (files[path] === undefined) return "missing";
  return open.includes(path) ? "open" : "free";
}

function saidBy(
  program: string,
  words: readonly string[],
  { inquiry, limits, capacity }: NonNullable<Play["device"]>,
): string {
  if (program === "sg_readcap") return capacity;
  return words.includes("0xb0") ? limits : inquiry;
}

/** Keeps what it is called with, and answers as it was told. */
const FAKE_TGTADM = `#!/bin/sh
op= mode= before=
for word; do
  [ "$before" = --op ] && op=$word
  [ "$before" = --mode ] && mode=$word
  before=$word
done
if [ "$op" = show ]; then cat "$FAKE/show-$mode" 2>/dev/null; exit 0; fi
{ for word; do printf '%s\\037' "$word"; done; printf '\\036'; } >> "$FAKE/journal"
count=$(($(cat "$FAKE/count" 2>/dev/null || echo 0) + 1))
echo $count > "$FAKE/count"
[ -f "$FAKE/fail-$count" ] || exit 0
echo 'tgtadm: it fails' >&2
exit $(cat "$FAKE/fail-$count")
`;

const FAKE_SG = `#!/bin/sh
case "$0 $*" in
  *sg_readcap*) cat "$FAKE/capacity" ;;
  *0xb0*) cat "$FAKE/limits" ;;
  *) cat "$FAKE/inquiry" ;;
esac
`;

const FAKE_LSOF = `#!/bin/sh
grep -qxF "$1" "$FAKE/open"
`;

/** Plays it with the script of the distribution, before programs that only keep what they are called with. */
export async function playTheirs(play: Play): Promise<Seen> {
  const folder = mkdtempSync(join(tmpdir(), "thinlun-admin-"));
  const fake = join(folder, "fake");
  const stage = join(folder, "stage");
  const here = (text: string): string => text.replaceAll(STAGE, stage);
  const there = (text: string): string => text.replaceAll(stage, STAGE);
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const program = (name: string, text: string): void => {
    put(join(fake, "bin", name), text);
    chmodSync(join(fake, "bin", name), 0o755);
  };
  program("tgtadm", FAKE_TGTADM);
  if (play.device !== undefined) {
    for (const name of ["sg_inq", "sg_readcap"]) program(name, FAKE_SG);
    for (const [name, text] of Object.entries(play.device)) put(join(fake, name), text);
  }
  for (const [mode, text] of Object.entries(play.shows ?? {})) {
    put(join(fake, `show-${mode}`), here(text));
  }
  if (play.failing !== undefined) {
    put(join(fake, `fail-${play.failing.at}`), `${play.failing.status}`);
  }
  for (const [path, text] of Object.entries(play.files)) put(here(path), here(text));
  // The real one looks at all processes of the host, which takes its time.
  program("lsof", FAKE_LSOF);
  put(join(fake, "open"), (play.open ?? []).map((path) => `${here(path)}\n`).join(""));
  try {
    const env = { PATH: `${join(fake, "bin")}:/usr/bin:/bin:/usr/sbin`, FAKE: fake, LC_ALL: "C" };
    const words = play.words.map(here);
    const child = spawn("/usr/sbin/tgt-admin", words, { env, cwd: folder });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    await once(child, "close");
    const journal = join(fake, "journal");
    const kept = existsSync(journal) ? readFileSync(journal, "utf8") : "";
    const commands = kept.split("\x1e").filter((line) => line !== "");
    return {
      status: child.exitCode ?? -1,
      stdout: there(stdout),
      stderr: there(stderr),
      commands: commands.map((line) => there(line).split("\x1f").slice(0, -1)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What perl's hashes put in any order: settings of one unit that are no mode pages, and the remark about its cache. */
const UNORDERED = /--params (?!"?mode_page)|# Write cache is enabled/;

/** The same with those in one order. Remarks of ours on the standard error are left out: the script has none. */
export function inOneOrder(seen: Seen): Seen {
  const lines = seen.stdout.split("\n");
  const commands = seen.commands.map((words) => words.join("\x1f"));
  return {
    ...seen,
    stdout: sortRuns(lines, (line) => UNORDERED.test(line)).join("\n"),
    stderr: seen.stderr.replace(/^tgt-admin: warning: .*\n/gm, ""),
    commands: sortRuns(commands, (line) => {
      return line.includes("\x1f--params\x1f") && !line.includes("\x1fmode_page");
    }).map((line) => line.split("\x1f")),
  };
}

function sortRuns(lines: readonly string[], isOfRun: (line: string) => boolean): string[] {
  const sorted: string[] = [];
  let current: string[] = [];
  for (const line of lines) {
    if (isOfRun(line)) {
      current.push(line);
      continue;
    }
    sorted.push(...current.toSorted(), line);
    current = [];
  }
  return [...sorted, ...current.toSorted()];
}
