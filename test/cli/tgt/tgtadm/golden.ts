import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "golden");
const LINES = join(folder, "command-lines.txt");
const ENDINGS = join(folder, "endings.json");

/** How a command line ended, and which requests it sent, in hexadecimal. */
export interface Seen {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly requests: readonly string[];
}

/** Refusing keeps those who tell the daemon to end from waiting for that. */
export const GOLDEN_ANSWER = { error: 17, text: "" } as const;

/** Command lines, without the program; words have single blanks between them. */
export function goldenLines(): string[] {
  return readFileSync(LINES, "utf8").trimEnd().split("\n");
}

/** What tgtadm 1.0.85 did for each line, where the daemon refused everything. */
export function goldenEndings(): Readonly<Record<string, Seen>> {
  return JSON.parse(readFileSync(ENDINGS, "utf8")) as Record<string, Seen>;
}

export function recordEndings(endings: Readonly<Record<string, Seen>>): void {
  writeFileSync(ENDINGS, `${JSON.stringify(endings, undefined, 2)}\n`);
}
