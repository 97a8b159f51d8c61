/** How every command ends: the one mapping from what happened to the status that a script sees. */
export const ExitCode = {
  success: 0,
  /** The command was understood, and did not succeed. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** yargs throws these for command lines that it refuses. */
const USAGE_ERROR_NAMES = new Set(["YError", "UsageError"]);

/** A command line that parses, and makes no sense nevertheless. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function exitCodeOf(error: unknown): ExitCode {
  const isUsage = error instanceof Error && USAGE_ERROR_NAMES.has(error.name);
  return isUsage ? ExitCode.usage : ExitCode.failed;
}
