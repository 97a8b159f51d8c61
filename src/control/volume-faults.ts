import type { IoErrorReport } from "../scsi/logical-unit.ts";
import type { Clock } from "../util/clock.ts";
import type { IoErrorKind } from "../util/io-error.ts";
import type { Log } from "../util/log.ts";

/** What goes on for longer than this without a new refusal for want of space is over: the next one is news. */
export const SPACE_QUIET_MS: number = 60_000;

/** A volume that is refused space: how, since when nothing more was heard, and how often it was not said. */
interface Shortage {
  readonly kind: IoErrorKind;
  readonly heardAtMs: number;
  readonly unsaidCount: number;
}

/** Says in the log what goes wrong with I/O on volumes. */
export class VolumeFaults {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #shortages = new Map<string, Shortage>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  report(report: IoErrorReport): void {
    const { kind } = report.error;
    if (kind === "space" || kind === "space-pending") this.#reportShortage(report);
    else this.#log.error({ ...fieldsOf(report), error: report.error }, "I/O error on a volume");
  }

  /** Initiators that find no space come back each second, for as long as it lasts: only how it begins and changes is said. */
  #reportShortage(report: IoErrorReport): void {
    const { name } = report.unit.volume;
    const { kind, message, cause } = report.error;
    const reason = cause instanceof Error ? `${message} (${cause.message})` : message;
    const heardAtMs = this.#clock.nowMs();
    const before = this.#shortages.get(name);
    const unsaidCount = (before?.unsaidCount ?? 0) + report.suppressedCount;
    if (before?.kind === kind && heardAtMs - before.heardAtMs < SPACE_QUIET_MS) {
      this.#shortages.set(name, { kind, heardAtMs, unsaidCount: unsaidCount + 1 });
      return;
    }
    this.#shortages.set(name, { kind, heardAtMs, unsaidCount: 0 });
    const fields = { ...fieldsOf(report), suppressedCount: unsaidCount, reason };
    if (kind === "space-pending") this.#log.warn(fields, "a volume has no space for now");
    else this.#log.error(fields, "I/O error on a volume");
  }
}

function fieldsOf({
  unit,
  error,
  operationCode,
  suppressedCount,
}: IoErrorReport): Record<string, unknown> {
  // A flush in the background belongs to no command any more.
  const operation =
    operationCode === -1 ? null : `0x${operationCode.toString(16).padStart(2, "0")}`;
  const { kind, offsetBytes } = error;
  return { volume: unit.volume.name, kind, offsetBytes, operation, suppressedCount };
}
