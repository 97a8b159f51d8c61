import { OperationError } from "../control/protocol.ts";
import { SizeError } from "../util/units.ts";

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

/** Of the kinds of an operation's errors, "invalid" is what was asked for, and everything else what happened. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError || error instanceof SizeError) return ExitCode.usage;
  if (error instanceof OperationError && error.kind === "invalid") return ExitCode.usage;
  return ExitCode.failed;
}
