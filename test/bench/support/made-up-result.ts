import {
  type BarResult,
  type BenchResult,
  type Comparison,
  type LoadShape,
  type PeerState,
  type Placement,
  RESULT_VERSION,
  type ResultRow,
  type Sample,
  type Spread,
} from "../../../bench/result.ts";

/** A result that nobody has measured: every figure follows from a few, so that tests can say what has to come out. */

const ROUNDS = 5;
const MIB = 1024 * 1024;
/** By round: the third is the median. */
const WAVE: readonly number[] = [0.9, 1.1, 1, 0.95, 1.05];

function peer(name: string, part: Partial<PeerState> = {}): PeerState {
  return {
    name,
    role: "target",
    protocol: "iscsi",
    version: `${name} 1.0`,
    state: "measured",
    reason: null,
    ...part,
  };
}

export function loadOf(id: string, title: string, part: Partial<LoadShape> = {}): LoadShape {
  return {
    id,
    title,
    group: "random",
    kind: "read",
    pattern: "random",
    operationBytes: 4096,
    queueDepth: 32,
    sessions: 1,
    luns: 1,
    digests: false,
    flushEvery: 0,
    isCold: false,
    ...part,
  };
}

const LOADS: readonly LoadShape[] = [
  loadOf("4k-random-read-d1", "4 KiB random read, depth 1", { queueDepth: 1 }),
  loadOf("4k-random-write-d1", "4 KiB random write, depth 1", { kind: "write", queueDepth: 1 }),
  loadOf("4k-random-read-d32", "4 KiB random read, depth 32"),
  loadOf("4k-random-write-d32", "4 KiB random write, depth 32", { kind: "write" }),
  loadOf("128k-sequential-read-d16", "128 KiB sequential read, depth 16", {
    group: "sequential",
    pattern: "sequential",
    operationBytes: 131_072,
    queueDepth: 16,
  }),
];

function sampleOf(load: LoadShape, round: number, rate: number, cpuUs: number | null): Sample {
  const wave = WAVE[round] ?? 1;
  const operationsPerSecond = rate * wave;
  const p50Us = (1e6 / operationsPerSecond) * load.queueDepth;
  return {
    round,
    operations: operationsPerSecond * 2,
    operationsPerSecond,
    bytesPerSecond: operationsPerSecond * load.operationBytes,
    latency: { meanUs: p50Us * 1.1, p50Us, p99Us: p50Us * 3, p999Us: p50Us * 9 },
    cpuUsPerOperation: cpuUs === null ? null : cpuUs / wave,
    cpuShare: cpuUs === null ? null : (cpuUs * operationsPerSecond) / 1e6,
    generatorCpuShare: 0.6,
    residentBytes: 80 * MIB,
  };
}

export function rowOf(
  load: LoadShape,
  name: string,
  figures: {
    readonly rate: number;
    readonly cpuUs: number | null;
    readonly placement?: Placement;
    readonly generator?: string;
  },
): ResultRow {
  const { rate, cpuUs, placement = "free", generator = "thinlun" } = figures;
  const samples = WAVE.map((_, round) => sampleOf(load, round, rate, cpuUs));
  const median = samples[2]!;
  return {
    load: load.id,
    peer: name,
    placement,
    generator,
    samples,
    medians: median,
    failure: null,
  };
}

export function spreadOf(median: number): Spread {
  return { median, least: median * 0.9, most: median * 1.1 };
}

const THINLUN_RATES = [50_000, 21_000, 215_000, 160_000, 16_000];
const TGTD_RATES = [42_000, 20_000, 53_000, 42_600, 6100];
const ISTGT_RATES = [15_000, 11_000, 61_000, 50_000, 4000];

function comparisonOf(load: LoadShape, theirs: string, rate: number, cpu: number): Comparison {
  return {
    load: load.id,
    placement: "free",
    generator: "thinlun",
    ours: "thinlun",
    theirs,
    rate: spreadOf(rate),
    cpuPerOperation: spreadOf(cpu),
    p99: spreadOf(1 / rate),
    p999: null,
  };
}

const BARS: readonly BarResult[] = [
  bar("4k-random-read-d1", { asked: 1.1, reachFor: 1.47, reached: spreadOf(1.19), state: "met" }),
  bar("4k-random-write-d1", {
    asked: 1.1,
    reachFor: 1.4,
    reached: spreadOf(1.05),
    state: "missed",
  }),
  bar("4k-random-read-d32", { asked: 4, reachFor: 5.5, reached: spreadOf(4.06), state: "met" }),
  bar("4k-random-read-d32", {
    figure: "cpuPerOperation",
    bound: "atMost",
    asked: 0.4,
    reachFor: 0.16,
    reached: spreadOf(0.22),
    state: "met",
  }),
  bar("1m-sequential-read-d8", { asked: 1.6, reachFor: null, reached: null, state: "unmeasured" }),
];

export function bar(
  load: string,
  part: Pick<BarResult, "asked" | "reachFor" | "reached" | "state"> & Partial<BarResult>,
): BarResult {
  return { load, placement: "free", figure: "rate", theirs: "tgtd", bound: "atLeast", ...part };
}

export function madeUpResult(part: Partial<BenchResult> = {}): BenchResult {
  const rows = LOADS.flatMap((load, index): ResultRow[] => [
    rowOf(load, "thinlun", { rate: THINLUN_RATES[index]!, cpuUs: 4 }),
    rowOf(load, "tgtd", { rate: TGTD_RATES[index]!, cpuUs: 18 }),
    rowOf(load, "istgt", { rate: ISTGT_RATES[index]!, cpuUs: 21 }),
    rowOf(load, "tcp-echo", { rate: 260_000, cpuUs: null, generator: "echo" }),
  ]);
  return {
    version: RESULT_VERSION,
    machine: {
      cpuModel: "Made-up CPU",
      cpuCount: 2,
      kernel: "Linux 6.1.0-18-amd64",
      architecture: "x64",
      node: "v20.20.2",
      memoryBytes: 8192 * MIB,
    },
    when: "2026-11-20T10:00:00.000Z",
    elapsedSeconds: 754.2,
    loadAverage: [0.1, 1.9],
    isPartial: false,
    rounds: ROUNDS,
    options: { rounds: ROUNDS, secondsPerSample: 2, isQuick: false, only: [] },
    peers: [
      peer("thinlun"),
      peer("tgtd"),
      peer("istgt"),
      peer("spdk", { version: null, state: "absent", reason: "iscsi_tgt is not there" }),
      peer("tcp-echo", { role: "bound", protocol: "tcp", version: null }),
    ],
    generators: [],
    loads: LOADS,
    rows,
    comparisons: LOADS.flatMap((load, index) => [
      comparisonOf(load, "tgtd", THINLUN_RATES[index]! / TGTD_RATES[index]!, 4 / 18),
      comparisonOf(load, "istgt", THINLUN_RATES[index]! / ISTGT_RATES[index]!, 4 / 21),
    ]),
    bars: BARS,
    earlier: null,
    ...part,
  };
}
