/** `fail`: something does not work. `warn`: it works, and will be regretted. */
export const LEVELS = ["ok", "warn", "fail"] as const;
export type Level = (typeof LEVELS)[number];

/** What one look at the host has shown. */
export interface Finding {
  /** What was looked at, a word. */
  readonly check: string;
  readonly level: Level;
  /** One sentence, without its full stop. */
  readonly message: string;
  /** What to do, or null where nothing is to be done. May have several lines, to be put into a file. */
  readonly fix: string | null;
}

export function ok(check: string, message: string): Finding {
  return { check, level: "ok", message, fix: null };
}

export function warn(check: string, message: string, fix: string): Finding {
  return { check, level: "warn", message, fix };
}

export function fail(check: string, message: string, fix: string): Finding {
  return { check, level: "fail", message, fix };
}
