import type { IoError } from "../../util/io-error.ts";
import type { JournalRecord } from "../format/records.ts";
import type { Barrier } from "./barrier.ts";
import type { Journal } from "./journal.ts";

/** Promise forms for management paths; the data path implements the waiters itself. */

/** Appends a record; resolves, with the number of its block, when it has taken effect. @throws {IoError} failed */
export function appendRecord(journal: Journal, record: JournalRecord): Promise<number> {
  return appendRecords(journal, [record]);
}

/** Appends several records as one step, in one block. @throws {IoError} failed */
export function appendRecords(
  journal: Journal,
  records: readonly JournalRecord[],
): Promise<number> {
  return new Promise((resolve, reject: (error: IoError) => void) => {
    journal.appendTogether(records, { appended: resolve, appendFailed: reject });
  });
}

/** Resolves when everything that was done before is on stable media. @throws {IoError} failed */
export function syncBarrier(barrier: Barrier): Promise<void> {
  return new Promise((resolve, reject: (error: IoError) => void) => {
    barrier.sync({
      done: (error) => {
        if (error === null) resolve();
        else reject(error);
      },
    });
  });
}
