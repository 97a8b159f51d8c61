import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

interface Answer {
  readonly stdout: string;
  readonly stderr: string;
}

/** The first line of what a program says of itself, whatever its exit status; or that it is not there. */
export async function findProgram(
  program: string,
  args: readonly string[],
): Promise<{ readonly version: string } | { readonly absent: string }> {
  const answer = await execute(program, args).catch((error: unknown) => error as Answer & Error);
  const isMissing = "code" in answer && (answer.code === "ENOENT" || answer.code === "EACCES");
  if (isMissing) return { absent: `${program} is not installed` };
  const [version = ""] = `${answer.stdout ?? ""}${answer.stderr ?? ""}`.trim().split("\n");
  return { version: version.trim() };
}
