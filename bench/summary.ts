import {
  type Comparison,
  type Latency,
  type ResultRow,
  type RowMedians,
  type Sample,
  SECOND_GENERATORS,
  type Spread,
} from "./result.ts";
import { median } from "./support/statistics.ts";

type Figure = (sample: Sample) => number | null;

/** Null where one sample has none: a median of the rest would be of other rounds than its neighbours. */
function medianOf(samples: readonly Sample[], figure: Figure): number | null {
  const values = samples.map(figure).filter((value) => value !== null);
  return values.length === samples.length ? median(values) : null;
}

function latencyOf(samples: readonly Sample[]): Latency | null {
  if (samples.some(({ latency }) => latency === null)) return null;
  const of = (key: keyof Latency): number =>
    median(samples.map(({ latency }) => latency?.[key] ?? Number.NaN));
  return { meanUs: of("meanUs"), p50Us: of("p50Us"), p99Us: of("p99Us"), p999Us: of("p999Us") };
}

export function mediansOf(samples: readonly Sample[]): RowMedians | null {
  if (samples.length === 0) return null;
  return {
    operationsPerSecond: median(samples.map((sample) => sample.operationsPerSecond)),
    bytesPerSecond: median(samples.map((sample) => sample.bytesPerSecond)),
    latency: latencyOf(samples),
    cpuUsPerOperation: medianOf(samples, (sample) => sample.cpuUsPerOperation),
    generatorCpuShare: medianOf(samples, (sample) => sample.generatorCpuShare),
    residentBytes: medianOf(samples, (sample) => sample.residentBytes),
  };
}

/** Of the ratios of rounds in which both were measured; null where a figure is not known in one of them. */
export function spreadOf(
  ours: readonly Sample[],
  theirs: readonly Sample[],
  figure: Figure,
): Spread | null {
  const ratios: number[] = [];
  for (const sample of ours) {
    const other = theirs.find(({ round }) => round === sample.round);
    if (other === undefined) continue;
    const above = figure(sample);
    const below = figure(other);
    // No CPU time at all is too short a sample, not an infinite gain.
    if (above === null || below === null || below === 0) return null;
    ratios.push(above / below);
  }
  if (ratios.length === 0) return null;
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

export function isSecond(generator: string): boolean {
  const seconds: readonly string[] = SECOND_GENERATORS;
  return seconds.includes(generator);
}

/** Rates that different programs have driven say something of the programs, unless a protocol has one of its own. */
function isAsDriven(ours: string, theirs: string): boolean {
  return ours === theirs || (!isSecond(ours) && !isSecond(theirs));
}

/** The comparison that belongs to a row of another peer. */
export function comparisonOfRow(
  comparisons: readonly Comparison[],
  row: ResultRow,
): Comparison | undefined {
  return comparisons.find(
    ({ load, placement, generator, theirs }) =>
      load === row.load &&
      placement === row.placement &&
      theirs === row.peer &&
      isAsDriven(generator, row.generator),
  );
}

/** Why none of these rows has a sample, where it is the same for all. */
export function commonFailure(rows: readonly ResultRow[]): string | null {
  const failure = rows[0]?.failure ?? null;
  return rows.every((row) => row.failure === failure) ? failure : null;
}

/** Ours beside each other peer, load by load and generator by generator. */
export function compareRows(rows: readonly ResultRow[], ours: string): Comparison[] {
  return rows
    .filter(({ peer }) => peer === ours)
    .flatMap((row) =>
      rows
        .filter(
          ({ peer, load, placement, generator }) =>
            peer !== ours &&
            load === row.load &&
            placement === row.placement &&
            isAsDriven(row.generator, generator),
        )
        .flatMap((other) => comparisonOf(row, other)),
    );
}

function comparisonOf(row: ResultRow, other: ResultRow): Comparison[] {
  const spread = (figure: Figure): Spread | null => spreadOf(row.samples, other.samples, figure);
  const rate = spread((sample) => sample.operationsPerSecond);
  if (rate === null) return [];
  return [
    {
      load: row.load,
      placement: row.placement,
      generator: row.generator,
      ours: row.peer,
      theirs: other.peer,
      rate,
      cpuPerOperation: spread((sample) => sample.cpuUsPerOperation),
      p99: spread(({ latency }) => latency?.p99Us ?? null),
      p999: spread(({ latency }) => latency?.p999Us ?? null),
    },
  ];
}
