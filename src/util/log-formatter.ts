import { makeVisible } from "./visible-text.ts";

/** Fields that have their own place in the line, or none. */
const PLACED = new Set(["level", "time", "msg", "error"]);

const LEVEL_WIDTH = 5;

/** Turns the lines of the log for machines (JSON) into lines for people who watch. */
export class LogFormatter {
  /** `line` is one JSON object; what is none is passed on as it is. The result ends in a line feed. */
  format(line: string): string {
    let entry: unknown;
    try {
      entry = JSON.parse(line);
    } catch {
      return line;
    }
    if (typeof entry !== "object" || entry === null) return line;
    const fields = new Map<string, unknown>(Object.entries(entry));
    const time = textOf(fields.get("time")).slice(
      "2026-01-01T".length,
      "2026-01-01T00:00:00".length,
    );
    const level = textOf(fields.get("level")).padEnd(LEVEL_WIDTH);
    const details = [...fields]
      .filter(([key]) => !PLACED.has(key))
      .map(([key, value]) => `${key}=${textOf(value)}`);
    const parts = [time, level, textOf(fields.get("msg")), ...details];
    return `${parts.join(" ")}\n${errorLines(fields.get("error"))}`;
  }
}

/** What a terminal obeys or hides in a name that came over the network, or from a disk, must not reach it. */
function textOf(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return makeVisible(text).replaceAll("\n", "\\u000a");
}

function errorLines(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const stack = "stack" in error ? error.stack : "message" in error ? error.message : undefined;
  if (typeof stack !== "string") return "";
  return stack
    .split("\n")
    .map((line) => `    ${textOf(line)}\n`)
    .join("");
}
