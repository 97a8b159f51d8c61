/** How every command ends: the one mapping from what happened to the status that a script sees. */
export const ExitCode = {
  success: 0,
  /** The command was understood, and did not succeed. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A command line that makes no sense. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof UsageError ? ExitCode.usage : ExitCode.failed;
}
