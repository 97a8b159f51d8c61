import type { Place } from "./config-general-error.ts";
import { refuse } from "./config-general-error.ts";
import { LINE_LENGTH_MAX } from "./config-general-limits.ts";

/** A line as the tree is made of: without comments, its continuations joined. */
export interface LogicalLine {
  readonly place: Place;
  /** Of a here-document: its key. Not empty otherwise. White space around it is gone. */
  readonly text: string;
  /** What a here-document says, without white space around it; null for other lines. */
  readonly document: string | null;
}

export interface Include {
  readonly place: Place;
  /** Not empty. A path, or a pattern. */
  readonly path: string;
  /** `includeoptional`: nothing is wrong when there is no such file. */
  readonly optional: boolean;
}

/** Takes what a file says, in the order in which it is said. */
export interface LineSink {
  line(line: LogicalLine): void;
  include(include: Include): void;
  warn(place: Place, message: string): void;
}

/** White space is that of ASCII, as it is for Perl in a text of bytes. */
const BLANK = /^[\t-\r ]*$/;

interface HereDocument {
  readonly place: Place;
  readonly key: string;
  readonly marker: string;
  readonly lines: string[];
}

/**
 * Reads the lines of one file as Config::General 2.65 does with the options of tgt-admin:
 * - `/* *\/` is a comment within a line wherever it stands, the white space around it included, so that `a /* b *\/ c` is
 *   `ac`; over several lines only where it begins a line. A path with `/*` and `*\/` in it loses a part.
 * - `#` begins a comment anywhere, in quotes too, unless a backslash stands before it.
 * - A backslash at the end of a line joins the next one, of which the white space in front goes. Two do not, and none does
 *   before a carriage return. A line that is made of several is no include.
 * - `<block/>` at the end of a line stands for `<block>` and `</block>`.
 * - `key <<MARK` and `key = <<MARK` begin a here-document, also in quotes; white space in front of the marker that ends
 *   it is taken off all lines. A key "0" begins none, and its line is lost.
 * What is open at the end of the file (comment, continuation, here-document) is lost, which is worth a warning here.
 * Throws ConfigGeneralError for a line that is too long.
 */
export function readLines(text: string, file: string, sink: LineSink): void {
  const reader = new LineReader(sink);
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const [index, line] of lines.entries()) {
    const place = { file, line: index + 1 };
    if (line.length > LINE_LENGTH_MAX) {
      refuse(place, `a line of ${line.length} characters: at most ${LINE_LENGTH_MAX} are read`);
    }
    reader.physical(line, place);
  }
  reader.end();
}

class LineReader {
  readonly #sink: LineSink;
  /** Where the comment began that goes on over lines. */
  #comment: Place | undefined;
  #joined = "";
  #joinedAt: Place | undefined;
  #document: HereDocument | undefined;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  physical(line: string, place: Place): void {
    if (this.#document !== undefined) {
      this.#documentLine(line, this.#document);
      return;
    }
    const bare = this.#withoutComments(line, place);
    if (bare === undefined) return;
    if (/(?<!\\)\\$/.test(bare)) {
      if (this.#joined === "") this.#joinedAt = place;
      this.#joined += trimStart(bare.slice(0, -1));
      return;
    }
    if (bare.endsWith("\\\r")) {
      this.#sink.warn(place, "a carriage return follows the backslash: the line is not continued");
    }
    if (this.#emptyBlock(bare, place) || this.#beginDocument(bare, place)) return;
    this.#ordinary(bare, place);
  }

  end(): void {
    const lost = (place: Place, what: string): void => {
      this.#sink.warn(place, `${what} does not end before the file does: it is lost`);
    };
    if (this.#document !== undefined) {
      lost(this.#document.place, `the here-document that "${this.#document.marker}" ends`);
    }
    if (this.#comment !== undefined) lost(this.#comment, "this comment");
    if (this.#joined !== "" && this.#joinedAt !== undefined) {
      lost(this.#joinedAt, "the line that a backslash continues");
    }
  }

  /** The line without its comments, or undefined when all of it is one. */
  #withoutComments(line: string, place: Place): string | undefined {
    let bare = line;
    const begin = bare.indexOf("/*");
    const end = bare.lastIndexOf("*/");
    if (begin >= 0 && end >= begin + 2) {
      bare = trimEnd(bare.slice(0, begin)) + trimStart(bare.slice(end + 2));
    } else if (trimStart(bare).startsWith("/*")) {
      const endsAtOnce = trimEnd(bare).endsWith("*/");
      this.#comment = endsAtOnce ? undefined : (this.#comment ?? place);
    } else if (end >= 0) {
      if (this.#comment === undefined) {
        this.#sink.warn(place, 'a "*/" ends no comment: what stands before it in the line is lost');
      }
      this.#comment = undefined;
      bare = bare.slice(end + 2);
    }
    return this.#comment === undefined ? bare.replace(/(?<!\\)#.*$/s, "") : undefined;
  }

  /** `<block/>` is two lines. Where something stands before it, the first is no block, and the second still ends one. */
  #emptyBlock(bare: string, place: Place): boolean {
    const trimmed = trimEnd(bare);
    if (!trimmed.endsWith("/>")) return false;
    const end = trimmed.length - 2;
    let begin = bare.indexOf("<");
    while (begin >= 0 && bare[begin + 1] === "/") begin = bare.indexOf("<", begin + 1);
    if (begin < 0 || begin + 1 >= end) return false;
    const name = trimmed.slice(begin + 1, end).replace(/[\t-\r ].*$/s, "");
    // With white space behind it, the slash stays: the block's name ends with it then.
    const first = trimmed === bare ? `${trimmed.slice(0, end)}>` : trimmed;
    this.#emit(first, place);
    this.#emit(`</${name}>`, place);
    return true;
  }

  #beginDocument(bare: string, place: Place): boolean {
    const found = hereDocument(bare);
    if (found === undefined) return false;
    if (found.key === "0") {
      this.#sink.warn(place, 'the key "0" can have no here-document: this line is lost');
      return true;
    }
    this.#document = { place, ...found, lines: [] };
    return true;
  }

  #documentLine(line: string, document: HereDocument): void {
    const indent = indentOfMarker(line, document.marker);
    if (indent === undefined) {
      document.lines.push(line);
      return;
    }
    const lines = document.lines.map((each) =>
      each.startsWith(indent) ? each.slice(indent.length) : each,
    );
    this.#document = undefined;
    const { place, key } = document;
    this.#sink.line({ place, text: key, document: trim(lines.join("\n")) });
  }

  #ordinary(bare: string, place: Place): void {
    // A joined line of "0" is false in Perl: it waits for the next that is continued.
    if (this.#joined !== "" && this.#joined !== "0") {
      this.#emit(this.#joined + trimStart(bare), this.#joinedAt ?? place);
      this.#joined = "";
      this.#joinedAt = undefined;
      return;
    }
    if (BLANK.test(bare)) return;
    const include = includeOf(bare);
    if (include === undefined) this.#emit(bare, place);
    else this.#sink.include({ place, ...include });
  }

  #emit(text: string, place: Place): void {
    this.#sink.line({ place, text: trim(text), document: null });
  }
}

/** Key, which can be empty, and marker; undefined where the line begins no here-document. */
function hereDocument(bare: string): { key: string; marker: string } | undefined {
  const equals = bare.indexOf("=");
  if (equals > 0) {
    const marker = markerOf(bare.slice(equals + 1));
    if (marker !== undefined) return { key: trim(bare.slice(0, equals)), marker };
  }
  const line = trimStart(bare);
  const space = line.search(/[\t-\r ]/);
  const marker = space < 0 ? undefined : markerOf(line.slice(space));
  return marker === undefined ? undefined : { key: line.slice(0, space), marker };
}

function markerOf(text: string): string | undefined {
  const rest = trimStart(text);
  if (!rest.startsWith("<<") || rest.length === 2) return undefined;
  // Where nothing but white space follows, its last character is what has to be found.
  const marker = trim(rest.slice(2));
  return marker === "" ? rest.slice(-1) : marker;
}

/** What stands in front of the marker in the line that ends a here-document; undefined for other lines. */
function indentOfMarker(line: string, marker: string): string | undefined {
  if (BLANK.test(marker)) {
    const last = line.lastIndexOf(marker);
    return BLANK.test(line) && last >= 0 ? line.slice(0, last) : undefined;
  }
  const isEnd = trim(line) === marker;
  return isEnd ? line.slice(0, line.length - trimStart(line).length) : undefined;
}

/** A path in quotes ends where the line does: with white space behind it, the quotes are taken for a part of it. */
function includeOf(bare: string): { path: string; optional: boolean } | undefined {
  const match = /^(include(?:optional)?)([\t-\r ]*)([^\t-\r ].*)$/is.exec(trimStart(bare));
  if (match === null) return undefined;
  const [, word = "", space = "", rest = ""] = match;
  const optional = word.length > "include".length;
  const quote = rest[0];
  const isQuoted =
    (quote === '"' || quote === "'") &&
    rest.length > 1 &&
    rest.endsWith(quote) &&
    rest.at(-2) !== "\\";
  if (!isQuoted && space === "") return undefined;
  const path = isQuoted ? rest.slice(1, -1) : trimEnd(rest);
  // Perl takes these two for false, and the line for an option.
  return path === "" || path === "0" ? undefined : { path, optional };
}

export function trim(text: string): string {
  return trimEnd(trimStart(text));
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** By hand: a pattern for the end of a text looks at all white space in it again and again. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

function trimStart(text: string): string {
  let begin = 0;
  while (begin < text.length && isSpace(text.charCodeAt(begin))) begin += 1;
  return text.slice(begin);
}
