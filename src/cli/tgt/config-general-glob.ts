import { BRACE_PATTERNS_MAX } from "./config-general-limits.ts";
import { compareBytes, type ConfigFiles } from "./config-general-files.ts";

/** A part of a pattern between slashes: text in which nothing has a meaning, or an expression for names. */
type Step = { readonly name: string } | { readonly pattern: RegExp; readonly hidden: boolean };

/** A pattern stands for more than are looked at. The message is for people. */
export class GlobError extends Error {
  override readonly name = "GlobError";
}

/** Whether Config::General takes a path for a pattern. */
export function isGlob(path: string): boolean {
  return /[*?[{\\]/.test(path);
}

/**
 * The regular files that a pattern stands for, as bsd_glob with GLOB_BRACE and GLOB_QUOTE answers: `*`, `?`, `[a-z]`,
 * `[!a-z]`, `{a,b}`, and a backslash that takes the meaning of what follows. Those of one brace's choice come in the order of
 * bytes, the choices as they are written. A leading dot has to be written. A folder that cannot be read has no files.
 * Throws {@link GlobError} where braces multiply to too many.
 */
export function globFiles(pattern: string, files: ConfigFiles): string[] {
  const found: string[] = [];
  for (const each of expandBraces(pattern)) {
    const paths = expandPath(each, files).sort(compareBytes);
    for (const path of paths) if (files.kindOf(path) === "file") found.push(path);
  }
  return found;
}

/** The patterns without braces that one with braces stands for. `{}` means itself. */
function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const waiting = [pattern];
  while (waiting.length > 0) {
    const next = waiting.pop() ?? "";
    const choices = choicesOf(next);
    if (choices === undefined) done.push(next);
    else waiting.push(...choices.reverse());
    if (done.length + waiting.length > BRACE_PATTERNS_MAX) {
      throw new GlobError(`its braces stand for more than ${BRACE_PATTERNS_MAX} patterns`);
    }
  }
  return done;
}

/** What the first pair of braces stands for; undefined where there is none that ends. */
function choicesOf(pattern: string): string[] | undefined {
  const begin =
    pattern === "{}" ? -1 : /(?:^|[^\\])(?:\\\\)*(\{)/d.exec(pattern)?.indices?.[1]?.[0];
  if (begin === undefined || begin < 0) return undefined;
  const commas = [begin];
  let depth = 0;
  const end = unquoted(pattern, begin, (at) => {
    if (pattern[at] === "{") depth += 1;
    if (pattern[at] === "," && depth === 1) commas.push(at);
    if (pattern[at] === "}") depth -= 1;
    return depth === 0;
  });
  if (end < 0) return undefined;
  const [before, after] = [pattern.slice(0, begin), pattern.slice(end + 1)];
  return commas.map((comma, index) => {
    return before + pattern.slice(comma + 1, commas[index + 1] ?? end) + after;
  });
}

/** The first place from `from` on that is wanted, -1 for none: not behind a backslash, and not in a class. */
function unquoted(pattern: string, from: number, isWanted: (at: number) => boolean): number {
  for (let at = from; at < pattern.length; at += 1) {
    if (pattern[at] === "\\") {
      at += 1;
      continue;
    }
    if (pattern[at] === "[") {
      const end = classEnd(pattern, at);
      if (end > 0) {
        at = end;
        continue;
      }
    }
    if (isWanted(at)) return at;
  }
  return -1;
}

/** Where the class that begins at `at` ends, or -1. A bracket that stands first in it is one of its characters. */
function classEnd(pattern: string, at: number): number {
  return pattern.indexOf("]", at + (pattern[at + 1] === "!" ? 3 : 2));
}

function expandPath(pattern: string, files: ConfigFiles): string[] {
  let paths = [""];
  for (const part of pattern.split(/(\/+)/)) {
    const step = part.startsWith("/") ? { name: part } : stepOf(part);
    paths = paths.flatMap((path) => expandStep(path, step, files));
  }
  return paths.filter((path) => path !== "");
}

function expandStep(path: string, step: Step, files: ConfigFiles): string[] {
  if ("name" in step) return [path + step.name];
  const folder = path === "" ? "." : path;
  if (files.kindOf(folder) !== "folder") return [];
  return namesIn(folder, files)
    .filter((name) => (step.hidden || !name.startsWith(".")) && step.pattern.test(name))
    .map((name) => path + name);
}

function namesIn(folder: string, files: ConfigFiles): readonly string[] {
  try {
    return files.namesIn(folder);
  } catch {
    return [];
  }
}

function stepOf(part: string): Step {
  let [source, name] = ["", ""];
  let isPattern = false;
  for (let at = 0; at < part.length; at += 1) {
    const character = part[at] ?? "";
    const end = character === "[" ? classEnd(part, at) : -1;
    if (character === "*" || character === "?") {
      isPattern = true;
      // Stars in a row mean what one means, and cost much more.
      const isSecond = character === "*" && part[at - 1] === "*" && source.endsWith(".*");
      if (!isSecond) source += character === "*" ? ".*" : ".";
    } else if (end > 0) {
      isPattern = true;
      source += classSource(part.slice(at + 1, end));
      at = end;
    } else {
      if (character === "\\" && at + 1 < part.length) at += 1;
      name += part[at] ?? "";
      source += escapeSource(part[at] ?? "");
    }
  }
  if (!isPattern) return { name };
  return { pattern: new RegExp(`^${source}$`, "s"), hidden: part.startsWith(".") };
}

function classSource(inside: string): string {
  const negated = inside.startsWith("!");
  const members = Array.from(inside.slice(negated ? 1 : 0));
  let source = "";
  for (let at = 0; at < members.length; at += 1) {
    const [low = "", dash, high] = members.slice(at, at + 3);
    if (dash === "-" && high !== undefined) {
      // A range that runs backwards has no members.
      if (low <= high) source += `${escapeSource(low)}-${escapeSource(high)}`;
      at += 2;
    } else {
      source += escapeSource(low);
    }
  }
  return `[${negated ? "^" : ""}${source}]`;
}

function escapeSource(character: string): string {
  return /[\w/]/.test(character) || character.charCodeAt(0) > 0x7f ? character : `\\${character}`;
}
