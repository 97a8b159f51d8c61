/** What yargs prints for --help, taken apart. */

export interface HelpEntry {
  /** As it is typed: an option with its other names, a command, an example. */
  readonly term: string;
  readonly text: string;
}

export interface HelpSection {
  readonly title: string;
  readonly entries: readonly HelpEntry[];
}

export interface Help {
  /** The lines before the first section: how it is called, and what it does. */
  readonly usage: string;
  readonly description: string;
  readonly sections: readonly HelpSection[];
}

/** Lines of a section that are indented more than an entry can be go on with the one before. */
const ENTRY_INDENT_MAX = 8;

export function parseHelp(text: string): Help {
  const lines = text.split("\n");
  const [usage = "", ...rest] = lines;
  const description: string[] = [];
  const sections: { title: string; entries: HelpEntry[] }[] = [];
  for (const line of rest) {
    const title = /^([A-Z][A-Za-z ]*):$/.exec(line)?.[1];
    const current = sections.at(-1);
    if (title !== undefined) sections.push({ title, entries: [] });
    else if (current === undefined) description.push(line.trim());
    else if (line.startsWith(" ")) addTo(current.entries, line);
  }
  return { usage: usage.trim(), description: description.join(" ").trim(), sections };
}

function addTo(entries: HelpEntry[], line: string): void {
  const indent = line.length - line.trimStart().length;
  const last = entries.at(-1);
  if (indent > ENTRY_INDENT_MAX && last !== undefined) {
    entries[entries.length - 1] = { ...last, text: `${last.text} ${line.trim()}`.trim() };
    return;
  }
  const [term = "", ...said] = line.trim().split(/ {2,}/);
  entries.push({ term, text: said.join(" ") });
}

/** The names of the commands that a help lists. */
export function commandsOf(help: Help, path: readonly string[]): string[] {
  const prefix = [...path, ""].join(" ");
  const entries = help.sections.find(({ title }) => title === "Commands")?.entries ?? [];
  return entries.flatMap(({ term }) => {
    const name = term.startsWith(prefix)
      ? /^[a-z][a-z-]*/.exec(term.slice(prefix.length))?.[0]
      : "";
    return name === undefined || name === "" ? [] : [name];
  });
}
