import { describePlace, type Place, refuse, type Remark } from "./config-general-error.ts";
import { below, compareBytes, type ConfigFiles, folderOf } from "./config-general-files.ts";
import { globFiles, GlobError, isGlob } from "./config-general-glob.ts";
import {
  CONFIG_FILE_BYTES_MAX,
  CONFIG_FILES_MAX,
  CONFIG_TOTAL_BYTES_MAX,
  INCLUDE_DEPTH_MAX,
  WARNINGS_MAX,
} from "./config-general-limits.ts";
import {
  type Include,
  type LineSink,
  type LogicalLine,
  readLines,
} from "./config-general-lines.ts";

/** All that a configuration says, file after file as they are included. */
export interface IncludedLines {
  readonly lines: readonly LogicalLine[];
  readonly warnings: readonly Remark[];
}

/**
 * Reads a configuration and what it includes. Paths are found as Config::General finds them with -UseApacheInclude,
 * -IncludeDirectories and -IncludeGlob: as they are (a relative one from the folder where `files` begins, not from the
 * including file), otherwise below the folder of the first file when that is absolute. Of a folder all regular files are
 * read, in the order of bytes, not those of its folders; that takes in what editors leave behind. A pattern may stand for no
 * file. A file is read once: including it again, itself included, is a warning. `read` as the same path: other spellings
 * are other files.
 * Throws ConfigGeneralError for a file that is not there or cannot be read, that is no text in UTF-8, and for what is
 * larger or deeper than the limits.
 */
export function readConfigFiles(path: string, files: ConfigFiles): IncludedLines {
  const reader = new FileReader(path, files);
  reader.open(path, { file: path, line: 0 });
  return reader;
}

/** A path that ends so names a folder, which has to be there in an `includeoptional`, too. */
const NO_NAMES: ReadonlySet<string> = new Set(["", ".", ".."]);

class FileReader implements LineSink, IncludedLines {
  readonly lines: LogicalLine[] = [];
  readonly warnings: Remark[] = [];
  readonly #files: ConfigFiles;
  /** Where else files are looked for, or undefined. */
  readonly #home: string | undefined;
  /** Of all files read, where they were included. */
  readonly #included = new Map<string, Place>();
  readonly #open: string[] = [];
  #totalBytes = 0;

  constructor(first: string, files: ConfigFiles) {
    this.#files = files;
    this.#home = first.startsWith("/") ? folderOf(first) : undefined;
  }

  line(line: LogicalLine): void {
    this.lines.push(line);
  }

  warn(place: Place, message: string): void {
    if (this.warnings.length < WARNINGS_MAX) this.warnings.push({ place, message });
  }

  include({ path, optional, place }: Include): void {
    const name = path.slice(folderOf(path).length);
    if (optional && !isGlob(path) && !NO_NAMES.has(name)) {
      // Perl makes a pattern of the name, and a pattern finds no hidden file.
      if (name.startsWith(".")) return;
      const found = this.#find(path, (candidate) => this.#files.kindOf(candidate) === "file");
      if (found !== undefined) this.#read(found, place);
      return;
    }
    this.open(path, place);
  }

  open(path: string, place: Place): void {
    if (isGlob(path)) {
      for (const each of this.#glob(path, place)) this.#read(each, place);
      return;
    }
    const found = this.#find(path, (candidate) => this.#files.kindOf(candidate) !== "none");
    if (found === undefined) refuse(place, `the file "${path}" does not exist${this.#elsewhere()}`);
    if (this.#files.kindOf(found) !== "folder") {
      this.#read(found, place);
      return;
    }
    for (const name of this.#namesIn(found, place)) {
      const file = below(found, name);
      if (this.#files.kindOf(file) === "file") this.#read(file, place);
    }
  }

  #find(path: string, isWanted: (candidate: string) => boolean): string | undefined {
    if (isWanted(path)) return path;
    const elsewhere = this.#home === undefined ? undefined : below(this.#home, path);
    return elsewhere !== undefined && isWanted(elsewhere) ? elsewhere : undefined;
  }

  #elsewhere(): string {
    return this.#home === undefined ? "" : `, nor below "${this.#home}"`;
  }

  #glob(pattern: string, place: Place): string[] {
    try {
      const found = globFiles(pattern, this.#files);
      const home = this.#home;
      if (found.length > 0 || home === undefined) return found;
      const hasFolder = this.#files.kindOf(below(home, folderOf(pattern))) === "folder";
      return hasFolder ? globFiles(below(home, pattern), this.#files) : [];
    } catch (error) {
      if (!(error instanceof GlobError)) throw error;
      return refuse(place, `the pattern "${pattern}": ${error.message}`, error);
    }
  }

  #namesIn(folder: string, place: Place): string[] {
    try {
      return [...this.#files.namesIn(folder)].sort(compareBytes);
    } catch (error) {
      return refuse(place, `cannot read the folder "${folder}": ${reasonOf(error)}`, error);
    }
  }

  #read(path: string, place: Place): void {
    const before = this.#included.get(path);
    if (before !== undefined) {
      const how = this.#open.includes(path) ? "includes itself" : "is included again";
      this.warn(place, `"${path}" ${how}: it was read from ${describePlace(before)} on`);
      return;
    }
    if (this.#included.size >= CONFIG_FILES_MAX) {
      refuse(place, `more than ${CONFIG_FILES_MAX} files are included`);
    }
    if (this.#open.length >= INCLUDE_DEPTH_MAX) {
      refuse(place, `more than ${INCLUDE_DEPTH_MAX} files include each other, one in the other`);
    }
    this.#included.set(path, place);
    this.#open.push(path);
    readLines(this.#textOf(path, place), path, this);
    this.#open.pop();
  }

  #textOf(path: string, place: Place): string {
    const bytes = this.#bytesOf(path, place);
    if (bytes.length > CONFIG_FILE_BYTES_MAX) {
      refuse(place, `"${path}" is larger than ${CONFIG_FILE_BYTES_MAX} bytes`);
    }
    this.#totalBytes += bytes.length;
    if (this.#totalBytes > CONFIG_TOTAL_BYTES_MAX) {
      refuse(place, `all files together are larger than ${CONFIG_TOTAL_BYTES_MAX} bytes`);
    }
    const zero = bytes.indexOf(0);
    if (zero >= 0) refuse(placeOf(path, bytes, zero), "a NUL byte: this is no text");
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (error) {
      return refuse(placeOf(path, bytes, firstNotUtf8(bytes)), "this is not in UTF-8", error);
    }
  }

  #bytesOf(path: string, place: Place): Uint8Array {
    try {
      return this.#files.read(path, CONFIG_FILE_BYTES_MAX + 1);
    } catch (error) {
      return refuse(place, `cannot read "${path}": ${reasonOf(error)}`, error);
    }
  }
}

function placeOf(file: string, bytes: Uint8Array, offset: number): Place {
  let line = 1;
  for (let at = bytes.indexOf(0x0a); at >= 0 && at < offset; at = bytes.indexOf(0x0a, at + 1)) {
    line += 1;
  }
  return { file, line };
}

/** The length of what can be decoded: a decoder replaces the first byte that it cannot read with a mark that is none. */
function firstNotUtf8(bytes: Uint8Array): number {
  const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
  let offset = 0;
  for (const line of lenient.decode(bytes).split("\n")) {
    const length = Buffer.byteLength(line);
    const same = Buffer.compare(Buffer.from(line), bytes.subarray(offset, offset + length)) === 0;
    if (!same) return offset;
    offset += length + 1;
  }
  return offset;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
