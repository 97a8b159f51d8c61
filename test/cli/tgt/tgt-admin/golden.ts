import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Seen } from "./stage.ts";

const TRANSCRIPTS = join(import.meta.dirname, "golden", "transcripts.json");

/** What the script of tgt 1.0.85 did in each play, in one order. */
export function goldenTranscripts(): Readonly<Record<string, Seen>> {
  return JSON.parse(readFileSync(TRANSCRIPTS, "utf8")) as Record<string, Seen>;
}

export function recordTranscripts(transcripts: Readonly<Record<string, Seen>>): void {
  writeFileSync(TRANSCRIPTS, `${JSON.stringify(transcripts, undefined, 2)}\n`);
}
