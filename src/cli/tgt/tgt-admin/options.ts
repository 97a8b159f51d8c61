/**
 * Command lines as Perl's Getopt::Long reads them for tgt-admin: one or two dashes or a plus before any name, names cut short as
 * long as one option is meant, `=` or the next word for a value, no clusters of letters. What is wrong is complained about and
 * passed over.
 */

type Flag =
  | "execute"
  | "show"
  | "ignoreErrors"
  | "force"
  | "pretend"
  | "dump"
  | "verbose"
  | "help"
  | "withSecrets";
type Value = "delete" | "offline" | "ready" | "update" | "conf" | "controlPort";
type Meaning = { readonly flag: Flag } | { readonly value: Value };

/** Every name, in the order of bytes, in which ambiguous ones are listed. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["C", { value: "controlPort" }],
  ["c", { value: "conf" }],
  ["conf", { value: "conf" }],
  ["control-port", { value: "controlPort" }],
  ["delete", { value: "delete" }],
  ["dump", { flag: "dump" }],
  ["e", { flag: "execute" }],
  ["execute", { flag: "execute" }],
  ["f", { flag: "force" }],
  ["force", { flag: "force" }],
  ["h", { flag: "help" }],
  ["help", { flag: "help" }],
  ["ignore-errors", { flag: "ignoreErrors" }],
  ["offline", { value: "offline" }],
  ["p", { flag: "pretend" }],
  ["pretend", { flag: "pretend" }],
  ["ready", { value: "ready" }],
  ["s", { flag: "show" }],
  ["show", { flag: "show" }],
  ["update", { value: "update" }],
  ["v", { flag: "verbose" }],
  ["verbose", { flag: "verbose" }],
  ["with-secrets", { flag: "withSecrets" }],
]);

/** What tgt-admin is asked for. */
export interface AdminOptions {
  readonly flags: ReadonlySet<Flag>;
  /** Not there: not given, or given as `0`, which is the same to tgt-admin. */
  readonly values: ReadonlyMap<Value, string>;
  /** Lines about options that are none. They do not end the command. */
  readonly complaints: readonly string[];
}

/** What a value has to be for tgt-admin to take it for none. */
const NOTHING = "0";

/** Reads a command line without the name of the program. */
export function parseAdminOptions(words: readonly string[]): AdminOptions {
  const flags = new Set<Flag>();
  const values = new Map<Value, string>();
  const complaints: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") break;
    const start = /^(?:--|[-+])/.exec(word)?.[0] ?? "";
    if (start === "" || word === "-") continue;
    const [, given = "", attached] = /^([^=]+)(?:=(.*))?$/s.exec(word.slice(start.length)) ?? [];
    const name = given === "" ? word.slice(start.length) : given;
    const found = name === "" ? `Missing option after ${start}` : findName(name);
    if (typeof found === "string") {
      complaints.push(found);
      continue;
    }
    const [fullName, meaning] = found;
    if ("flag" in meaning) {
      if (attached === undefined) flags.add(meaning.flag);
      else complaints.push(`Option ${fullName} does not take an argument`);
      continue;
    }
    const value = attached ?? words[index + 1];
    if (value === undefined || attached === "") {
      complaints.push(`Option ${fullName} requires an argument`);
      continue;
    }
    if (attached === undefined) index += 1;
    if (value === NOTHING) values.delete(meaning.value);
    else values.set(meaning.value, value);
  }
  return { flags, values, complaints };
}

/** The option that a name or its beginning means, with the full name; or what is wrong with it. */
function findName(name: string): readonly [string, Meaning] | string {
  const exact = MEANINGS.get(name);
  if (exact !== undefined) return [name, exact];
  const hits = [...MEANINGS].filter(([each]) => each.startsWith(name));
  const [first, second] = hits;
  if (first === undefined) return `Unknown option: ${name}`;
  if (second === undefined) return first;
  return `Option ${name} is ambiguous (${hits.map(([each]) => each).join(", ")})`;
}
