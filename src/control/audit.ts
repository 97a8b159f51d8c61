import type { Log } from "../util/log.ts";
import type { ConfigValue } from "./config/document.ts";

/** One thing that is another one now. Secrets are hidden before they come here. */
export interface AuditedChange {
  readonly action: "create" | "change" | "delete";
  /** What it is: a target, a volume, ... */
  readonly kind: string;
  readonly name: string;
  /** What is different of a thing that stays; without `before` there was nothing, without `after` there is nothing any more. */
  readonly fields?: readonly AuditedField[];
  /** The whole of what came or went. */
  readonly thing?: unknown;
}

export interface AuditedField {
  readonly field: string;
  readonly before?: ConfigValue | undefined;
  readonly after?: ConfigValue | undefined;
}

/** What was done, and who has asked for it. */
export interface AuditEntry {
  /** A user of the socket, a token's name, a program, a signal. */
  readonly by: string;
  readonly operation: string;
  readonly changes: readonly AuditedChange[];
}

/** Whoever collects logs cuts lines that are too long: more changes than this, as a large document makes them, take several entries. */
const CHANGES_MAX = 100;

/** Tells of every change of state, in one entry for each operation that has changed anything. */
export class Audit {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  changed({ by, operation, changes }: AuditEntry): void {
    const { length } = changes;
    for (let from = 0; from < length; from += CHANGES_MAX) {
      const some = changes.slice(from, from + CHANGES_MAX);
      const place = length > CHANGES_MAX ? { from, of: length } : {};
      this.#log.info({ by, operation, ...place, changes: some }, "changed");
    }
  }
}

/** The fields that are different between two sets of values; a value that is undefined was not given, and is the one before. */
export function fieldChanges(
  before: Readonly<Record<string, ConfigValue | undefined>>,
  after: Readonly<Record<string, ConfigValue | undefined>>,
): readonly AuditedField[] {
  return Object.entries(after).flatMap(([field, value]) =>
    value === undefined ? [] : [{ field, before: before[field], after: value }],
  );
}
