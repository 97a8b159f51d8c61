import type {
  BarResult,
  BenchResult,
  Comparison,
  LoadShape,
  GeneratorState,
  PeerState,
  Placement,
  ResultRow,
  Spread,
} from "./result.ts";
import { commonFailure, comparisonOfRow, isSecond } from "./summary.ts";

/** The results of one load as lines of text. */
export interface LoadResults {
  readonly load: LoadShape;
  readonly placement: Placement;
  readonly rows: readonly ResultRow[];
  readonly comparisons: readonly Comparison[];
  readonly bars: readonly BarResult[];
}

const COLUMNS: readonly (readonly [heading: string, width: number])[] = [
  ["", 12],
  ["ops/s", 9],
  ["MB/s", 7],
  ["p50 us", 8],
  ["p99", 8],
  ["p99.9", 9],
  ["CPU us/op", 10],
  ["MiB", 7],
  ["ours is (least-most)", 22],
];

function line(cells: readonly string[]): string {
  return cells
    .map((cell, index) => {
      const width = COLUMNS[index]?.[1] ?? 0;
      return index === 0 ? cell.padEnd(width) : cell.padStart(width);
    })
    .join(" ")
    .trimEnd();
}

function number(value: number | null | undefined, digits = 0): string {
  return value === null || value === undefined ? "-" : value.toFixed(digits);
}

export function spreadText({ median, least, most }: Spread): string {
  return `${median.toFixed(2)} (${least.toFixed(2)}-${most.toFixed(2)})`;
}

function rowText(row: ResultRow, comparisons: readonly Comparison[]): string {
  const { medians } = row;
  const comparison = comparisonOfRow(comparisons, row);
  if (medians === null) return `  ${row.peer.padEnd(12)} ${row.failure ?? "not measured"}`;
  const cells = [
    row.peer,
    number(medians.operationsPerSecond),
    number(medians.bytesPerSecond / 1e6),
    number(medians.latency?.p50Us),
    number(medians.latency?.p99Us),
    number(medians.latency?.p999Us),
    number(medians.cpuUsPerOperation, 1),
    number(medians.residentBytes === null ? null : medians.residentBytes / 2 ** 20),
    comparison === undefined ? "" : spreadText(comparison.rate),
  ];
  const isBusy = (medians.generatorCpuShare ?? 0) > 0.95;
  return `  ${line(cells)}${isBusy ? "  the generator was busy" : ""}`;
}

const FIGURE: Readonly<Record<BarResult["figure"], string>> = {
  rate: "rate",
  cpuPerOperation: "CPU/op",
  p999: "p99.9",
};

export function barText(bar: BarResult): string {
  const bound = bar.bound === "atLeast" ? ">=" : "<=";
  const reached = bar.reached === null ? "not measured" : spreadText(bar.reached);
  const spdk = bar.reachFor === null ? "" : `, SPDK ${bar.reachFor}`;
  const verdict = bar.state === "missed" ? "MISSED" : bar.state;
  return `${FIGURE[bar.figure]} ${bound} ${bar.asked} x ${bar.theirs}'s${spdk}: ${reached} ${verdict}`;
}

/** What a second generator has measured; in one line where there is nothing, for the same reason. */
function secondText(generator: string, results: LoadResults): string[] {
  const rows = results.rows.filter((row) => row.generator === generator);
  const failure = commonFailure(rows);
  if (failure !== null) return [`  by ${generator}: ${failure}`];
  return [`  by ${generator}:`, ...rows.map((row) => rowText(row, results.comparisons))];
}

/** A heading, a line for each peer, one for each bar, and what other generators say. */
export function loadText(results: LoadResults): string {
  const { load, placement, rows, comparisons, bars } = results;
  const seconds = new Set(rows.map(({ generator }) => generator).filter(isSecond));
  const heading = placement === "pinned" ? `${load.title}, pinned` : load.title;
  const lines = [
    heading,
    `  ${line(COLUMNS.map(([text]) => text))}`,
    ...rows.filter(({ generator }) => !isSecond(generator)).map((row) => rowText(row, comparisons)),
    ...bars.map((bar) => `  bar: ${barText(bar)}`),
    ...Array.from(seconds).flatMap((generator) => secondText(generator, results)),
  ];
  return `${lines.join("\n")}\n`;
}

/** None is left out: what is not measured says why. */
export function peersText(peers: readonly PeerState[]): string {
  const lines = peers.map(({ name, version, state, reason }) => {
    const what = state === "measured" ? (version ?? "") : `${state}: ${reason ?? "?"}`;
    return `  ${name.padEnd(12)} ${what}`;
  });
  return `${lines.join("\n")}\n`;
}

/** Also of those that are not there. */
export function generatorsText(generators: readonly GeneratorState[]): string {
  if (generators.length === 0) return "";
  const lines = generators.map(
    ({ name, version, absent }) =>
      `  ${name.padEnd(12)} ${absent === null ? (version ?? "") : `absent: ${absent}`}`,
  );
  return `besides our own generator\n${lines.join("\n")}\n`;
}

/** What comes last: bars counted, and what has changed since the earlier run. */
export function closingText(result: BenchResult): string {
  const count = (state: BarResult["state"]): number =>
    result.bars.filter((bar) => bar.state === state).length;
  const lines = [
    `bars: ${count("met")} met, ${count("missed")} missed, ${count("unmeasured")} not measured`,
  ];
  if (result.earlier !== null) {
    lines.push(`beside the run of ${result.earlier.when}: rate, CPU per operation, p99`);
    for (const row of result.earlier.rows) {
      const what = `${row.load}${row.placement === "pinned" ? ", pinned" : ""}`;
      const figures = [row.rate, row.cpuPerOperation, row.p99].map((value) => number(value, 2));
      const by = isSecond(row.generator) ? `  by ${row.generator}` : "";
      lines.push(`  ${what.padEnd(36)} ${row.peer.padEnd(12)} ${figures.join("  ")}${by}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
