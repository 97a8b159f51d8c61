import { type Document, isAlias, isNode, type LineCounter } from "yaml";

/** Something about the configuration, and where it is said. Lines and columns count from 1; 0: the whole file. */
export interface Finding {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The configuration cannot be used. The message lists all that is wrong with it, a line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly findings: readonly Finding[];

  constructor(fileName: string, findings: readonly Finding[], cause?: unknown) {
    const lines = findings.map((finding) => describeFinding(fileName, finding));
    super(lines.join("\n"), cause === undefined ? {} : { cause });
    this.findings = findings;
  }
}

/** "file:line:column: message", as compilers say it, so that editors can jump there. */
export function describeFinding(fileName: string, { line, column, message }: Finding): string {
  return line === 0 ? `${fileName}: ${message}` : `${fileName}:${line}:${column}: ${message}`;
}

/** A file that holds a secret. */
export interface SecretFile {
  readonly text: string;
  /** Others than its owner can read it. */
  readonly exposed: boolean;
}

/** Reads a file that the configuration names; throws the system's error. */
export type ReadSecretFile = (path: string) => SecretFile;

/** What a {@link Report} has to know to tell where and to reach other files. */
export interface ReportSource {
  readonly document: Document;
  readonly lines: LineCounter;
  /** Relative paths in the configuration start here. */
  readonly folder: string;
  readonly readSecretFile: ReadSecretFile;
}

/** Collects everything that is wrong, instead of stopping at the first: a file is corrected in one go. */
export class Report {
  readonly source: ReportSource;
  readonly problems: Finding[] = [];
  readonly warnings: Finding[] = [];
  /** Whether a secret is written in the configuration itself. */
  holdsSecrets = false;
  readonly #offsetOfPath = new Map<string, number>();
  readonly #pathOfValue = new WeakMap<object, string>();
  readonly #problemPaths = new Set<string>();
  readonly #namesAtPath = new Map<string, readonly string[]>();

  constructor(source: ReportSource) {
    this.source = source;
  }

  /** Follows an alias to what it stands for, and remembers where the value at `path` is written. */
  enter(node: unknown, path: string): unknown {
    const offset = isNode(node) ? node.range?.[0] : undefined;
    if (offset !== undefined) this.#offsetOfPath.set(path, offset);
    return isAlias(node) ? node.resolve(this.source.document) : node;
  }

  /** Remembers where a value was read, for checks that see several of them. */
  place(value: unknown, path: string): void {
    if (typeof value === "object" && value !== null) this.#pathOfValue.set(value, path);
  }

  placeOf(value: object): string {
    return this.#pathOfValue.get(value) ?? "";
  }

  /** Remembers the keys of a map of named things, those with problems included. */
  setNames(path: string, names: readonly string[]): void {
    this.#namesAtPath.set(path, names);
  }

  namesAt(path: string): readonly string[] {
    return this.#namesAtPath.get(path) ?? [];
  }

  /** A problem with the value at `path`, or with the nearest enclosing one that was read. */
  problem(path: string, message: string): void {
    this.problemAt(undefined, path, message);
  }

  /** Whether anything at or below `path` has a problem. */
  hasProblems(path: string): boolean {
    return [...this.#problemPaths].some((found) => `${found}.`.startsWith(`${path}.`));
  }

  /** A problem at a place of its own, such as a key. */
  problemAt(offset: number | undefined, path: string, message: string): void {
    this.#problemPaths.add(path);
    this.problems.push(this.#finding(offset ?? this.#offsetOf(path), path, message));
  }

  warning(path: string, message: string): void {
    this.warnings.push(this.#finding(this.#offsetOf(path), path, message));
  }

  /** "line 12", of the value at `path`. */
  lineOf(path: string): string {
    const { line } = this.#position(this.#offsetOf(path));
    return line === 0 ? "another place" : `line ${line}`;
  }

  #offsetOf(path: string): number | undefined {
    for (let known = path; ; known = known.replace(/(\.|^)[^.]*$/, "")) {
      const offset = this.#offsetOfPath.get(known);
      if (offset !== undefined || known === "") return offset;
    }
  }

  #position(offset: number | undefined): { line: number; column: number } {
    if (offset === undefined) return { line: 0, column: 0 };
    const { line, col } = this.source.lines.linePos(offset);
    return { line, column: col };
  }

  #finding(offset: number | undefined, path: string, message: string): Finding {
    return { ...this.#position(offset), message: path === "" ? message : `${path}: ${message}` };
  }
}

/** The path of an entry of a map. Dots separate; a name with a dot in it is quoted. */
export function pathOf(parent: string, key: string): string {
  const step = key.includes(".") ? `"${key}"` : key;
  return parent === "" ? step : `${parent}.${step}`;
}
