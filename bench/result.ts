/**
 * The JSON of `npm run bench -- --json FILE`: what the harness writes, and what the report and `--compare` read. Times are in the
 * unit of their names, rates are for each second, sizes are in bytes. A figure that is not known is null, never 0 and never left out.
 */

/** Grows when something here changes its meaning; readers refuse others. */
export const RESULT_VERSION = 2;

/** Which machine it was: results of others are not compared. */
export interface Machine {
  readonly cpuModel: string;
  readonly cpuCount: number;
  /** Of the operating system, as in "Linux 6.1.0-18-amd64". */
  readonly kernel: string;
  readonly architecture: string;
  /** As in "v20.20.2". */
  readonly node: string;
  readonly memoryBytes: number;
}

export interface RunOptions {
  readonly rounds: number;
  readonly secondsPerSample: number;
  /** Fewer loads and shorter ones: says that everything runs, and nothing about speed. */
  readonly isQuick: boolean;
  /** Loads, groups and peers that were asked for; empty: all. */
  readonly only: readonly string[];
}

export type Protocol = "iscsi" | "nbd" | "file" | "tcp";

/** "target": is compared; "bound": what the machine gives without a target, beside which the others are read. */
export type PeerRole = "target" | "bound";

export interface PeerState {
  /** As in rows: "thinlun", "tgtd", "istgt", "spdk", "qemu-nbd", "nbdkit", "tcp-echo", "raw-file". */
  readonly name: string;
  readonly role: PeerRole;
  readonly protocol: Protocol;
  /** In its own words; null where it is absent or does not tell. */
  readonly version: string | null;
  /** "absent": not installed; "failed": installed, but did not start or broke. */
  readonly state: "measured" | "absent" | "failed";
  /** Why it was not measured, or null. */
  readonly reason: string | null;
}

/** Programs of others that put the same loads on the iSCSI targets that our own initiator has been on. */
export const SECOND_GENERATORS = ["iscsi-perf", "qemu-img", "fio-libiscsi"] as const;
export type SecondGenerator = (typeof SECOND_GENERATORS)[number];

/** One that was asked for, or that might have been there. */
export interface GeneratorState {
  readonly name: SecondGenerator;
  readonly version: string | null;
  /** Why it was not used, or null. */
  readonly absent: string | null;
}

/** What a load does, in data: enough to make a heading and an axis of it. */
export interface LoadShape {
  /** Stable from run to run, as in "4k-random-read-d32". */
  readonly id: string;
  /** For people, as in "4 KiB random read, depth 32". */
  readonly title: string;
  /** Loads that belong into one table or plot. */
  readonly group: LoadGroup;
  readonly kind: "read" | "write" | "mixed" | "unmap";
  readonly pattern: "random" | "sequential";
  readonly operationBytes: number;
  /** In flight in each session. */
  readonly queueDepth: number;
  readonly sessions: number;
  readonly luns: number;
  readonly digests: boolean;
  /** A SYNCHRONIZE CACHE after so many commands of each session; 0: none. */
  readonly flushEvery: number;
  /** Backing data are dropped from the page cache before each sample, on a loop device. */
  readonly isCold: boolean;
}

export const LOAD_GROUPS = [
  "random",
  "sequential",
  "flush",
  "unmap",
  "sessions",
  "luns",
  "digests",
  "cold",
] as const;
export type LoadGroup = (typeof LOAD_GROUPS)[number];

/** "free": the scheduler decides; "pinned": generator and target each on a CPU of their own. */
export type Placement = "free" | "pinned";

/** Upper ends of buckets of a twentieth of an octave; microseconds. */
export interface Latency {
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

/** One peer under one load in one round. */
export interface Sample {
  /** From 0 on. Samples of the same round were taken one after the other. */
  readonly round: number;
  readonly operations: number;
  readonly operationsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Null where the generator does not tell. */
  readonly latency: Latency | null;
  /** Of the target's processes, user and system; null for bounds, whose two sides cannot be told apart. */
  readonly cpuUsPerOperation: number | null;
  /** Seconds of CPU of the target for each second. */
  readonly cpuShare: number | null;
  /** The same of the load generator: near 1, it was the generator that was measured. */
  readonly generatorCpuShare: number | null;
  /** Resident memory of the target at the end of the sample. */
  readonly residentBytes: number | null;
}

/** Medians over the rounds. */
export interface RowMedians {
  readonly operationsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly latency: Latency | null;
  readonly cpuUsPerOperation: number | null;
  readonly generatorCpuShare: number | null;
  readonly residentBytes: number | null;
}

/** One peer under one load, over all rounds. */
export interface ResultRow {
  /** `id` of a load in `loads`. */
  readonly load: string;
  readonly peer: string;
  readonly placement: Placement;
  /**
   * What drove it: "thinlun" is our own initiator; "nbd", "echo" and "fio" drive what is not iSCSI; the second generators have rows of
   * their own beside it, under the same load.
   */
  readonly generator: string;
  /** By round; empty where `failure` says why. */
  readonly samples: readonly Sample[];
  /** Null without samples. */
  readonly medians: RowMedians | null;
  /** Why there is no sample, as in "UNMAP is not supported"; null where all went well. */
  readonly failure: string | null;
}

/** Of the ratios of the rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Our figures by another peer's, round by round: above 1 is more, which is better for rates and worse for the others. */
export interface Comparison {
  readonly load: string;
  readonly placement: Placement;
  /** Of our row. That of the other is the same where it is a second generator, and else whatever drives that peer. */
  readonly generator: string;
  /** Always "thinlun". */
  readonly ours: string;
  readonly theirs: string;
  readonly rate: Spread;
  readonly cpuPerOperation: Spread | null;
  readonly p99: Spread | null;
  readonly p999: Spread | null;
}

/** What of a comparison a bar asks for. */
export type BarFigure = "rate" | "cpuPerOperation" | "p999";

/** By our own generator. */
export interface BarResult {
  readonly load: string;
  readonly placement: Placement;
  readonly figure: BarFigure;
  /** The peer that the ratio is to. */
  readonly theirs: string;
  /** "atLeast" for rates, "atMost" for what should be small. */
  readonly bound: "atLeast" | "atMost";
  readonly asked: number;
  /** What SPDK's iSCSI target reached against the same peer on such a machine; null where it was not measured. */
  readonly reachFor: number | null;
  readonly reached: Spread | null;
  /** By the median. "unmeasured": one of both was absent, failed, or was not asked for. */
  readonly state: "met" | "missed" | "unmeasured";
}

/** The ratio of this run's median to that of an earlier one, of the same peer under the same load. */
export interface EarlierRow {
  readonly load: string;
  readonly peer: string;
  readonly placement: Placement;
  readonly generator: string;
  readonly rate: number;
  readonly cpuPerOperation: number | null;
  readonly p99: number | null;
}

export interface Earlier {
  /** `when` of that run. */
  readonly when: string;
  readonly rows: readonly EarlierRow[];
}

export interface BenchResult {
  readonly version: typeof RESULT_VERSION;
  readonly machine: Machine;
  /** When the run began, ISO 8601 in UTC. */
  readonly when: string;
  /** How long it took in all. */
  readonly elapsedSeconds: number;
  /** Load averages over a minute before and after: what others did meanwhile. */
  readonly loadAverage: readonly [before: number, after: number];
  /** True when it was interrupted: what was measured until then is there. */
  readonly isPartial: boolean;
  readonly rounds: number;
  readonly options: RunOptions;
  readonly peers: readonly PeerState[];
  /** The second ones; empty where only our own was asked for. */
  readonly generators: readonly GeneratorState[];
  /** In the order in which they ran. */
  readonly loads: readonly LoadShape[];
  readonly rows: readonly ResultRow[];
  readonly comparisons: readonly Comparison[];
  readonly bars: readonly BarResult[];
  /** With `--compare`. */
  readonly earlier: Earlier | null;
}
