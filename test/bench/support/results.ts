import {
  type BenchResult,
  type Machine,
  RESULT_VERSION,
  type ResultRow,
  type Sample,
} from "../../../bench/result.ts";
import { mediansOf } from "../../../bench/summary.ts";

/** A sample with figures that no test depends on, but for those that it gives. */
export function sample(changes: Partial<Sample>): Sample {
  return {
    round: 0,
    operations: 1000,
    operationsPerSecond: 1000,
    bytesPerSecond: 4_096_000,
    latency: { meanUs: 10, p50Us: 9, p99Us: 20, p999Us: 40 },
    cpuUsPerOperation: 5,
    cpuShare: 0.5,
    generatorCpuShare: 0.5,
    residentBytes: 2 ** 20,
    ...changes,
  };
}

export function row(changes: Partial<Omit<ResultRow, "medians">>): ResultRow {
  const { samples = [sample({})] } = changes;
  return {
    load: "load",
    peer: "thinlun",
    placement: "free",
    generator: "thinlun",
    failure: null,
    ...changes,
    samples,
    medians: mediansOf(samples),
  };
}

export const MACHINE: Machine = {
  cpuModel: "A CPU",
  cpuCount: 2,
  kernel: "Linux 6.1.0",
  architecture: "x64",
  node: "v20.20.2",
  memoryBytes: 16e9,
};

export function result(changes: Partial<BenchResult>): BenchResult {
  return {
    version: RESULT_VERSION,
    machine: MACHINE,
    when: "2026-11-23T12:00:00.000Z",
    elapsedSeconds: 1,
    loadAverage: [0, 0],
    isPartial: false,
    rounds: 1,
    options: { rounds: 1, secondsPerSample: 1, isQuick: false, only: [] },
    peers: [],
    generators: [],
    loads: [],
    rows: [],
    comparisons: [],
    bars: [],
    earlier: null,
    ...changes,
  };
}
