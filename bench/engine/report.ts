import { median, ratios } from "../support/statistics.ts";

/** One line of the report, with what it was made from. */
export interface Row {
  readonly group: string;
  readonly name: string;
  readonly figures: string;
  /** What the issue or the design asks for, in words; none where the line is for comparison. */
  readonly bar?: string;
  /** Null: nothing is asked. */
  readonly isMet: boolean | null;
  readonly values: Readonly<Record<string, unknown>>;
}

const NAME_COLUMNS = 50;

/** Prints lines as they come and keeps them for the file. */
export class Report {
  readonly rows: Row[] = [];

  heading(text: string): void {
    process.stdout.write(`\n${text}\n`);
  }

  add(row: Row): void {
    this.rows.push(row);
    const verdict = row.isMet === null ? "" : row.isMet ? "  met" : "  MISSED";
    const bar = row.bar === undefined ? "" : `  [${row.bar}]${verdict}`;
    process.stdout.write(`  ${row.name.padEnd(NAME_COLUMNS)} ${row.figures}${bar}\n`);
  }
}

/** What is compared of a measurement. */
export interface Measured {
  readonly commandsPerSecond: number;
  /** Of the target; not known of all of them. */
  readonly cpuUsPerCommand?: number;
}

/** Samples by name and round; the first round is not kept. */
export class Series {
  readonly #values = new Map<string, Measured[]>();

  add(name: string, round: number, sample: Measured): void {
    if (round === 0) return;
    const values = this.#values.get(name) ?? [];
    values.push(sample);
    this.#values.set(name, values);
  }

  of(name: string): readonly Measured[] {
    return this.#values.get(name) ?? [];
  }
}

export interface Comparison {
  readonly group: string;
  readonly name: string;
  /** By round. */
  readonly ours: readonly Measured[];
  readonly theirs: readonly Measured[];
  readonly oursName: string;
  readonly theirsName: string;
  /** The least ratio of medians that is asked for. */
  readonly ratioMin?: number;
}

/** Medians side by side, and the median of the rounds' ratios with the least and the greatest. */
export function comparisonRow(comparison: Comparison): Row {
  const { group, name, ours, theirs, oursName, theirsName, ratioMin } = comparison;
  const all = ratios(ratesOf(ours), ratesOf(theirs));
  const ratio = median(all);
  const spread = `${percent(Math.min(...all))} to ${percent(Math.max(...all))}`;
  const rate = (samples: readonly Measured[]): string =>
    median(ratesOf(samples)).toFixed(0).padStart(6);
  const cpuOurs = median(cpuOf(ours));
  const cpuTheirs = median(cpuOf(theirs));
  const cpu = Number.isNaN(cpuOurs)
    ? ""
    : `; CPU ${cpuTheirs.toFixed(1)}, ${cpuOurs.toFixed(1)} us: ${percent(cpuTheirs / cpuOurs)}`;
  const figures = `${theirsName} ${rate(theirs)}, ${oursName} ${rate(ours)} /s: ${percent(ratio)} (${spread})${cpu}`;
  const values = { ours, theirs, ratio, cpuRatio: cpuTheirs / cpuOurs };
  if (ratioMin === undefined) return { group, name, figures, isMet: null, values };
  const isMet = ratio >= ratioMin;
  return { group, name, figures, bar: `>= ${percent(ratioMin)}`, isMet, values };
}

function ratesOf(samples: readonly Measured[]): number[] {
  return samples.map(({ commandsPerSecond }) => commandsPerSecond);
}

function cpuOf(samples: readonly Measured[]): number[] {
  return samples.map(({ cpuUsPerCommand }) => cpuUsPerCommand ?? Number.NaN);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
