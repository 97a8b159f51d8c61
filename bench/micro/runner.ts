import Benchmark from "benchmark";

/** What is measured by itself, a few nanoseconds to some milliseconds long. */
interface CaseBase {
  readonly name: string;
  /** Operations that one call carries out; figures are for one of them. 1 where it is left out. */
  readonly operations?: number;
  /** Bytes that one operation goes through, for the figure in GB/s. */
  readonly bytes?: number;
  /** What each call has to come to: what is measured has to be the work, and not its refusal. */
  readonly expected?: number;
  /** Said beside the figures when they are there. */
  readonly note?: () => string;
}

/** One that is over when it returns, with a number that hangs on all of its work, so that none of it can be left out. */
export interface DirectCase extends CaseBase {
  readonly run: () => number;
}

/** One that ends later: it gives its number to `done`, once. */
export interface DeferredCase extends CaseBase {
  readonly start: (done: (value: number) => void, failed: (error: Error) => void) => void;
}

export type MicroCase = DirectCase | DeferredCase;

export interface PreparedBench {
  readonly cases: readonly MicroCase[];
  /** Gives back what was prepared. */
  readonly close?: () => Promise<void>;
}

export interface MicroBench {
  /** As on the command line. */
  readonly name: string;
  /** One line. */
  readonly about: string;
  /** `isBrief`: as little as shows that everything runs. */
  prepare(isBrief: boolean): Promise<PreparedBench> | PreparedBench;
}

/** One line of the table, and of the JSON. */
export interface MicroRow {
  readonly bench: string;
  readonly name: string;
  readonly operationsPerSecond: number;
  /** In the mean of the samples. */
  readonly nanoseconds: number;
  /** Of the quickest sample, which nothing else has disturbed. */
  readonly leastNanoseconds: number;
  /** Half the interval of 95 % around the mean, in percent of it; null where there are too few samples for one. */
  readonly marginPercent: number | null;
  readonly samples: number;
  /** Null where an operation has no length. */
  readonly gigabytesPerSecond: number | null;
  readonly note: string | null;
}

export interface MicroOptions {
  /** For each case, about. */
  readonly seconds: number;
  readonly isBrief: boolean;
}

/** Enough that every case is called some times. */
const BRIEF_SECONDS = 0.002;
/** A sample is as long as `benchmark` makes it by the resolution of its clock, but where nobody looks at the figures. */
const BRIEF_SAMPLE_SECONDS = 0.0005;
const SAMPLES_MIN = 5;
const BRIEF_SAMPLES_MIN = 2;

const NS_PER_SECOND = 1e9;

/** Where all results go: what nobody uses the optimizer may leave out. */
let sink = 0;

/** Runs the cases of one bench after the other; throws where one fails, or does not do what it should. */
export async function runBench(
  bench: MicroBench,
  options: MicroOptions,
  report: (row: MicroRow) => void = () => undefined,
): Promise<MicroRow[]> {
  const rows: MicroRow[] = [];
  const { cases, close } = await bench.prepare(options.isBrief);
  try {
    for (const one of cases) {
      await tryOnce(bench, one);
      const row = rowOf(bench, one, await measure(one, options));
      await tryOnce(bench, one);
      report(row);
      rows.push(row);
    }
  } finally {
    await close?.();
  }
  if (!Number.isFinite(sink)) throw new Error(`${bench.name}: a case gave no number`);
  return rows;
}

/** Before and after: a case that has used something up does nothing from then on, and very quickly. */
async function tryOnce(bench: MicroBench, one: MicroCase): Promise<void> {
  const value =
    "run" in one
      ? one.run()
      : await new Promise<number>((resolve, reject) => one.start(resolve, reject));
  sink += value;
  if (one.expected === undefined || value === one.expected) return;
  throw new Error(`${bench.name}, ${one.name}: came to ${value} instead of ${one.expected}`);
}

interface Measured {
  /** Seconds for each call, by sample. */
  readonly sample: readonly number[];
  readonly mean: number;
  readonly marginPercent: number;
}

function measure(one: MicroCase, { seconds, isBrief }: MicroOptions): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const measured = new Benchmark(one.name, {
      async: false,
      defer: !("run" in one),
      maxTime: isBrief ? BRIEF_SECONDS : seconds,
      minSamples: isBrief ? BRIEF_SAMPLES_MIN : SAMPLES_MIN,
      ...(isBrief ? { minTime: BRIEF_SAMPLE_SECONDS } : {}),
      fn: "run" in one ? directCall(one) : deferredCall(one, reject),
      // An error ends the run, and that is told in the same way as a good end.
      onComplete: () => {
        const { error, stats } = measured as { error?: Error } & Benchmark;
        if (error !== undefined) reject(error);
        else resolve({ sample: stats.sample, mean: stats.mean, marginPercent: stats.rme });
      },
    });
    measured.run();
  });
}

function directCall(one: DirectCase): () => void {
  const { run } = one;
  return () => {
    sink += run();
  };
}

function deferredCall(
  one: DeferredCase,
  failed: (error: Error) => void,
): (deferred: Benchmark.Deferred) => void {
  const { start } = one;
  return (deferred) => {
    start((value) => {
      sink += value;
      deferred.resolve();
    }, failed);
  };
}

function rowOf(bench: MicroBench, one: MicroCase, measured: Measured): MicroRow {
  const operations = one.operations ?? 1;
  const nanosecondsOf = (seconds: number): number => (seconds * NS_PER_SECOND) / operations;
  const nanoseconds = nanosecondsOf(measured.mean);
  const { marginPercent, sample } = measured;
  return {
    bench: bench.name,
    name: one.name,
    operationsPerSecond: NS_PER_SECOND / nanoseconds,
    nanoseconds,
    leastNanoseconds: nanosecondsOf(Math.min(...sample)),
    marginPercent: Number.isFinite(marginPercent) ? marginPercent : null,
    samples: sample.length,
    gigabytesPerSecond: one.bytes === undefined ? null : one.bytes / nanoseconds,
    note: one.note?.() ?? null,
  };
}
