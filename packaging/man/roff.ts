/** Markdown as the pages and docs/ use it: headings, paragraphs, lists, tables, fenced code, and code and emphasis within lines. */

/** Text as roff wants it: what it would obey is escaped. */
export function escapeRoff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("\u2192", "\\(->")
    .replaceAll("\u2026", "...")
    .replace(/^([.'])/gm, "\\&$1");
}

/** Code and strong words become bold, emphasis italic, links their text. */
function inline(text: string): string {
  const parts = text
    .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1")
    .split(/(`[^`]+`|\*\*[^*]+\*\*|\*[A-Za-z][^*\s]*\*)/);
  const set = parts.map((part) => {
    const strong = /^`([^`]+)`$|^\*\*([^*]+)\*\*$/.exec(part);
    if (strong !== null) return `\\fB${escapeRoff(strong[1] ?? strong[2] ?? "")}\\fR`;
    const emphasis = /^\*([A-Za-z][^*\s]*)\*$/.exec(part)?.[1];
    return emphasis === undefined ? escapeRoff(part) : `\\fI${escapeRoff(emphasis)}\\fR`;
  });
  const line = set.join("");
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

const CELL_SEPARATOR = /(?<!\\)\|/;

/** The cells of a row of a table, or undefined for what is none. */
function cellsOf(line: string): string[] | undefined {
  if (!line.startsWith("|")) return undefined;
  return line
    .split(CELL_SEPARATOR)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** A table's rows as entries: the first cell, and what the others say of it. */
function tableRows(rows: readonly string[][]): string[] {
  const [headings = [], , ...body] = rows;
  return body.flatMap(([first = "", ...rest]) => {
    const said = rest
      .map((cell, index) => [headings[index + 1] ?? "", cell] as const)
      .filter(([, cell]) => cell !== "")
      .map(([heading, cell]) => inline(heading === "" ? cell : `${heading}: ${cell}`));
    return [".TP", inline(first), said.length === 0 ? "\\&" : said.join(".\n.br\n")];
  });
}

/** Blocks of Markdown as roff, without the head of the page. */
export function markdownToRoff(text: string): string {
  const lines = text.split("\n");
  const out: string[] = [];
  let at = 0;
  const takeWhile = (wanted: (line: string) => boolean): string[] => {
    const from = at;
    while (at < lines.length && wanted(lines[at] ?? "")) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const heading = /^(#{1,4}) (.*)$/.exec(line);
    if (line.trim() === "") at += 1;
    else if (heading !== null) {
      at += 1;
      const isTop = (heading[1] ?? "").length <= 2;
      const title = (heading[2] ?? "").replaceAll("`", "");
      out.push(isTop ? `.SH ${escapeRoff(title.toUpperCase())}` : `.SS ${escapeRoff(title)}`);
    } else if (line.startsWith("```")) {
      at += 1;
      const code = takeWhile((one) => !one.startsWith("```"));
      at += 1;
      out.push(".PP", ".nf", ".RS 4", ...code.map(escapeRoff), ".RE", ".fi");
    } else if (line.startsWith("|")) {
      const rows = takeWhile((one) => one.startsWith("|")).map((one) => cellsOf(one) ?? []);
      out.push(...tableRows(rows));
    } else if (/^[-*] /.test(line)) {
      for (const item of itemsOf(takeWhile((one) => /^([-*] | {2,}\S)/.test(one)))) {
        out.push(".IP \\(bu 2", inline(item));
      }
    } else {
      const paragraph = takeWhile((one) => one.trim() !== "" && !/^(#|```|\||[-*] )/.test(one));
      out.push(".PP", inline(paragraph.map((one) => one.trim()).join(" ")));
    }
  }
  return withoutDoubleSpace(`${out.join("\n")}\n`);
}

/** A heading begins a paragraph by itself. */
function withoutDoubleSpace(roff: string): string {
  return roff.replace(/^(\.S[HS] .*)\n\.PP\n/gm, "$1\n");
}

/** List items with their continuation lines. */
function itemsOf(lines: readonly string[]): string[] {
  const items: string[] = [];
  for (const line of lines) {
    if (/^[-*] /.test(line)) items.push(line.slice(2).trim());
    else items.push(`${items.pop() ?? ""} ${line.trim()}`.trim());
  }
  return items;
}

export interface PageHead {
  readonly name: string;
  readonly section: number;
  readonly summary: string;
  readonly version: string;
  /** Of the page, as YYYY-MM-DD. */
  readonly date: string;
}

export function pageHead({ name, section, summary, version, date }: PageHead): string {
  const title = escapeRoff(name.toUpperCase());
  return [
    `.TH ${title} ${section} "${date}" "thinlun ${version}" "thinlun"`,
    ".nh",
    ".ad l",
    ".SH NAME",
    `${escapeRoff(name)} \\- ${escapeRoff(summary)}`,
    "",
  ].join("\n");
}
