import { readFileSync } from "node:fs";
import { differencesOf } from "./machine.ts";
import {
  RESULT_VERSION,
  type BenchResult,
  type Earlier,
  type Machine,
  type ResultRow,
} from "./result.ts";

/** Results that cannot be compared with: of another machine, of another version, or no results at all. */
export class EarlierError extends Error {}

/** The results of an earlier run on this machine. Throws `EarlierError`. */
export function readEarlier(file: string, machine: Machine): BenchResult {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new EarlierError(`${file} cannot be read: ${(error as Error).message}`);
  }
  return parseEarlier(text, file, machine);
}

/** As {@link readEarlier}, of what the file says. */
export function parseEarlier(text: string, file: string, machine: Machine): BenchResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new EarlierError(`${file} is no JSON`);
  }
  const result = value as Partial<BenchResult> | null;
  if (typeof result !== "object" || result === null || result.version !== RESULT_VERSION) {
    throw new EarlierError(`${file} is no result of version ${RESULT_VERSION} of this benchmark`);
  }
  if (!Array.isArray(result.rows) || result.machine === undefined) {
    throw new EarlierError(`${file} has no rows, or does not say which machine it is of`);
  }
  const differences = differencesOf(machine, result.machine);
  if (differences.length > 0) {
    throw new EarlierError(`${file} is of another machine: ${differences.join("; ")}`);
  }
  return result as BenchResult;
}

function isSame(one: ResultRow, other: ResultRow): boolean {
  return (
    one.load === other.load &&
    one.peer === other.peer &&
    one.placement === other.placement &&
    one.generator === other.generator
  );
}

function ratio(now: number | null | undefined, then: number | null | undefined): number | null {
  return typeof now === "number" && typeof then === "number" && then !== 0 ? now / then : null;
}

/** What was measured both times, as ratios of now to then. */
export function compareEarlier(rows: readonly ResultRow[], earlier: BenchResult): Earlier {
  return {
    when: earlier.when,
    rows: rows.flatMap((row) => {
      const then = earlier.rows.find((other) => isSame(row, other))?.medians;
      const now = row.medians;
      const rate = ratio(now?.operationsPerSecond, then?.operationsPerSecond);
      if (rate === null) return [];
      const { load, peer, placement, generator } = row;
      return [
        {
          load,
          peer,
          placement,
          generator,
          rate,
          cpuPerOperation: ratio(now?.cpuUsPerOperation, then?.cpuUsPerOperation),
          p99: ratio(now?.latency?.p99Us, then?.latency?.p99Us),
        },
      ];
    }),
  };
}
