import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { judge } from "./bars.ts";
import { compareEarlier, readEarlier } from "./earlier.ts";
import { machineText, thisMachine } from "./machine.ts";
import { LOADS, type NamedLoad } from "./loads.ts";
import type { BenchOptions } from "./options.ts";
import { OURS } from "./peers/all.ts";
import { Progress } from "./progress.ts";
import { htmlReport } from "./report/page.ts";
import {
  RESULT_VERSION,
  type BenchResult,
  type LoadShape,
  type Machine,
  type Placement,
  type ResultRow,
} from "./result.ts";
import { lanesOf, Runner } from "./runner.ts";
import { compareRows } from "./summary.ts";
import { closingText, generatorsText, loadText, peersText } from "./table.ts";

/** A second interrupt does not wait. */
const INTERRUPTED_STATUS = 130;

/** All that is installed, side by side. Returns the exit status; throws `EarlierError` before anything is started. */
export async function runTargetBench(options: BenchOptions): Promise<number> {
  const machine = thisMachine();
  const earlier = options.compareFile === null ? null : readEarlier(options.compareFile, machine);
  const interrupt = new AbortController();
  const begun = { when: new Date(), atMs: performance.now(), load: loadavg()[0] ?? 0 };
  const progress = new Progress(process.stderr, samplesOf(options), begun.atMs);
  const runner = newRunner(options, progress, interrupt.signal);
  const onSignal = (): void => {
    if (interrupt.signal.aborted) {
      runner.removeFiles();
      process.exit(INTERRUPTED_STATUS);
    }
    progress.show("ending what runs");
    interrupt.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    await runner.find();
    const { rounds, seconds } = options;
    process.stdout.write(`${machineText(machine)}\n${rounds} rounds of ${seconds} s, A B A B\n`);
    process.stdout.write(`${peersText(runner.peers)}${generatorsText(runner.generators)}\n`);
    await runner.run();
  } finally {
    progress.clear();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
  const result = resultOf(options, machine, runner, begun, interrupt.signal.aborted);
  const compared =
    earlier === null ? result : { ...result, earlier: compareEarlier(result.rows, earlier) };
  process.stdout.write(closingText(compared));
  if (options.jsonFile !== null) {
    writeFileSync(options.jsonFile, `${JSON.stringify(compared, undefined, 2)}\n`);
  }
  if (options.htmlFile !== null) writeFileSync(options.htmlFile, htmlReport(compared));
  return result.isPartial ? INTERRUPTED_STATUS : 0;
}

function samplesOf(options: BenchOptions): number {
  const { loads, rounds } = options;
  const lanes = (load: NamedLoad): number => lanesOf(load, options).length;
  return loads.reduce((sum, load) => sum + load.placements.length * lanes(load) * rounds, 0);
}

function newRunner(options: BenchOptions, progress: Progress, signal: AbortSignal): Runner {
  return new Runner({
    ...options,
    signal,
    onSample: (what) => progress.show(what),
    onDone: (samples) => progress.advance(samples),
    onRows: (load: NamedLoad, placement: Placement, rows: readonly ResultRow[]) => {
      progress.clear();
      const comparisons = compareRows(rows, OURS);
      const bars = judge(comparisons).filter(
        (bar) => bar.load === load.id && bar.state !== "unmeasured",
      );
      process.stdout.write(`${loadText({ load, placement, rows, comparisons, bars })}\n`);
    },
  });
}

function shapeOf(load: NamedLoad): LoadShape {
  const { backing: _backing, placements: _placements, isQuick: _isQuick, ...rest } = load;
  const { isCheckedByOthers: _isCheckedByOthers, ...shape } = rest;
  return shape;
}

function resultOf(
  options: BenchOptions,
  machine: Machine,
  runner: Runner,
  begun: { readonly when: Date; readonly atMs: number; readonly load: number },
  isPartial: boolean,
): BenchResult {
  const { rounds, seconds, isQuick, only } = options;
  const comparisons = compareRows(runner.rows, OURS);
  const measured = new Set(runner.rows.map(({ load }) => load));
  return {
    version: RESULT_VERSION,
    machine,
    when: begun.when.toISOString(),
    elapsedSeconds: (performance.now() - begun.atMs) / 1000,
    loadAverage: [begun.load, loadavg()[0] ?? 0],
    isPartial,
    rounds,
    options: { rounds, secondsPerSample: seconds, isQuick, only },
    peers: runner.peers,
    generators: runner.generators,
    loads: LOADS.filter(({ id }) => measured.has(id)).map(shapeOf),
    rows: runner.rows,
    comparisons,
    bars: judge(comparisons),
    earlier: null,
  };
}
