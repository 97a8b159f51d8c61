/** The daemon cannot start or go on; the message tells an operator why, and what to do. */
export class StartError extends Error {
  override readonly name = "StartError";

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
  }
}

/** What to show of any error: its own words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code ("EADDRINUSE") of an error, or an empty text. */
export function codeOf(error: unknown): string {
  const hasCode = error instanceof Error && "code" in error && typeof error.code === "string";
  return hasCode ? String(error.code) : "";
}
