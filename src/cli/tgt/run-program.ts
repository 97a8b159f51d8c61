import { basename } from "node:path";
import { byteWords, bytesOf } from "./byte-words.ts";
import type { Ending, Surroundings } from "./ending.ts";

/**
 * Runs a program of tgt on the command line of this process and prints what it has to say.
 *
 * The kernel replaces what was typed for a script by its path, so that getopt's complaints begin with the name alone.
 */
export async function runProgram(
  program: (words: readonly string[], surroundings: Surroundings) => Promise<Ending>,
): Promise<void> {
  const [, script = "", ...words] = process.argv;
  const calledAs = basename(script).replace(/\.cjs$/, "");
  outliveReaders();
  const ending = await program(byteWords(words), { calledAs, variables: process.env });
  if (ending.stdout !== "") process.stdout.write(bytesOf(ending.stdout));
  if (ending.stderr !== "") process.stderr.write(bytesOf(ending.stderr));
  process.exitCode = ending.status;
}

/** Whoever reads the output may have enough of it, such as head(1): that is no failure, and nobody is left to tell. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}
