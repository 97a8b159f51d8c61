import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { commandsOf, type Help, parseHelp } from "./help.ts";
import { escapeRoff, markdownToRoff, pageHead } from "./roff.ts";

/** Writes the man pages: `tsx packaging/man/generate.ts FOLDER`, from the built program's own help and from Markdown. */

const top = join(import.meta.dirname, "..", "..");
/** The module of the built program. */
const program = process.env["THINLUN_PROGRAM"] ?? join(top, "dist", "src", "cli", "thinlun.js");

const { version } = JSON.parse(readFileSync(join(top, "package.json"), "utf8")) as {
  version: string;
};

/** Packages are to be the same whenever they are built: SOURCE_DATE_EPOCH, in seconds, says of which day. */
const epoch = process.env["SOURCE_DATE_EPOCH"];
const date = new Date(epoch === undefined ? Date.now() : Number(epoch) * 1000)
  .toISOString()
  .slice(0, 10);

/** Options that every command has. */
const EVERYWHERE: ReadonlySet<string> = new Set(["--version", "-h, --help"]);

/** What comes after the commands. */
const FILES = ".SH FILES\n";

/** Commands within commands are no deeper than this. */
const DEPTH_MAX = 3;

let asked = 0;

/**
 * Runs the program in this process, once for each help: its module is loaded anew under another address, what it consists of is
 * not. A process for each of its forty commands would take half a minute.
 */
async function helpOf(path: readonly string[]): Promise<Help> {
  const { log } = console;
  const said: string[] = [];
  console.log = (text: string) => void said.push(text);
  process.argv = [process.execPath, program, ...path, "--help"];
  try {
    asked += 1;
    await import(`${pathToFileURL(program).href}?help=${asked}`);
  } finally {
    console.log = log;
  }
  if (said.length === 0) throw new Error(`thinlun ${path.join(" ")} --help says nothing`);
  return parseHelp(said.join("\n"));
}

/** Whether an option takes a text or a number is no news to people; what it is by default is. */
function withoutTypes(text: string): string {
  return text.replace(/ *\[(string|number|array|boolean|required|default: false)\]/g, "");
}

function entriesOf({ sections }: Help): string[] {
  return sections
    .filter(({ title }) => title !== "Commands" && title !== "Examples")
    .flatMap(({ entries }) => entries)
    .filter(({ term }) => !EVERYWHERE.has(term))
    .flatMap(({ term, text }) => [
      ".TP",
      `\\fB${escapeRoff(term)}\\fR`,
      escapeRoff(withoutTypes(text)) || "\\&",
    ]);
}

function examplesOf({ sections }: Help): string[] {
  const examples = sections.find(({ title }) => title === "Examples")?.entries ?? [];
  return examples.flatMap(({ term, text }) => [
    ".TP",
    `Example: \\fB${escapeRoff(term)}\\fR`,
    escapeRoff(text) || "\\&",
  ]);
}

/** A command and all within it, each with its options and examples. */
async function commandSections(path: readonly string[]): Promise<string[]> {
  const help = await helpOf(path.slice(1));
  const children = path.length > DEPTH_MAX ? [] : commandsOf(help, path);
  const own =
    children.length > 0
      ? []
      : [
          `.SS ${escapeRoff(path.join(" "))}`,
          `.B ${escapeRoff(help.usage)}`,
          ".PP",
          `${escapeRoff(help.description)}.`,
          ...entriesOf(help),
          ...examplesOf(help),
        ];
  for (const child of children) own.push(...(await commandSections([...path, child])));
  return own;
}

/** A page of Markdown begins with its name, section and summary: "# tgtd(8) -- what it is". */
function pageOf(markdown: string): { readonly file: string; readonly text: string } {
  const [head = "", ...rest] = markdown.split("\n");
  const match = /^# ([\w.-]+)\((\d)\) -- (.+)$/.exec(head);
  if (match === null) throw new Error(`a page begins with its name: ${head}`);
  const [, name = "", section = "", summary = ""] = match;
  const text = pageHead({ name, section: Number(section), summary, version, date });
  return { file: `${name}.${section}`, text: text + markdownToRoff(rest.join("\n")) };
}

async function generate(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const pages = join(import.meta.dirname, "pages");
  for (const name of readdirSync(pages)) {
    const { file, text } = pageOf(readFileSync(join(pages, name), "utf8"));
    const isMain = basename(name, ".md") === "thinlun.8";
    const isConfig = basename(name, ".md") === "thinlun.yaml.5";
    const keys = isConfig ? configurationSections() : "";
    const commands = isMain ? await commandSections(["thinlun"]) : [];
    const all = `.SH COMMANDS\n${commands.join("\n")}\n${FILES}`;
    const whole = isMain ? text.replace(FILES, () => all) : text + keys;
    writeFileSync(join(folder, file), whole);
  }
}

/** All of docs/configuration.md but its title. */
function configurationSections(): string {
  const document = readFileSync(join(top, "docs", "configuration.md"), "utf8");
  return markdownToRoff(document.replace(/^# .*\n/, "# Description\n"));
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("usage: generate.ts FOLDER\n");
  process.exitCode = 2;
} else {
  await generate(folder);
}
