import {
  type BenchResult,
  LOAD_GROUPS,
  type LoadGroup,
  type LoadShape,
  type ResultRow,
} from "../result.ts";
import { commonFailure, comparisonOfRow, isSecond } from "../summary.ts";
import { cpuPlot } from "./cpu-plot.ts";
import {
  figure,
  isFigure,
  mebibytes,
  megabytesPerSecond,
  NOTHING,
  percent,
  rangeOf,
  times,
} from "./figures.ts";
import { latencyPlot } from "./latency-plot.ts";
import { markup, type Markup } from "./markup.ts";
import { colourOf, nameOfRow, OUR_NAME, rowsOfLoad } from "./series.ts";

const TITLES: Readonly<Record<LoadGroup, string>> = {
  random: "Random",
  sequential: "Sequential",
  flush: "With flushes",
  unmap: "UNMAP",
  sessions: "Sessions",
  luns: "Many LUNs",
  digests: "Digests",
  cold: "Cold data",
};

const HEADS = [
  "ops/s",
  "least to most",
  "MB/s",
  "p50 \u00b5s",
  "p99 \u00b5s",
  "p99.9 \u00b5s",
  "CPU \u00b5s/op",
  "memory MiB",
  "generator CPU",
  `${OUR_NAME} by it`,
  "least to most",
];

/** The figures behind the ratios, a chapter for each group of loads. */
export function loadSections(result: BenchResult): Markup[] {
  const sections: Markup[] = [];
  for (const group of LOAD_GROUPS) {
    const loads = result.loads.filter((load) => load.group === group);
    if (loads.length > 0) sections.push(section(result, TITLES[group], loads));
  }
  return sections;
}

function section(result: BenchResult, title: string, loads: readonly LoadShape[]): Markup {
  const latency = latencyPlot(result, title, loads);
  const cpu = cpuPlot(result, title, loads);
  return markup`<h2>${title}</h2>
<div class="scroll"><table>
<thead><tr><th>Peer</th>${HEADS.map((head) => markup`<th class="n">${head}</th>`)}</tr></thead>
<tbody>${loads.map((load) => rowsOf(result, load))}</tbody></table></div>
${latency === null ? null : markup`<h3>Latency</h3>\n${latency}`}${cpu === null ? null : markup`<h3>CPU per operation</h3>\n${cpu}`}`;
}

function rowsOf(result: BenchResult, load: LoadShape): Markup {
  const rows = rowsOfLoad(result, load.id);
  const shown = rows.map((row) => {
    const same = isSecond(row.generator) ? rows.filter((other) => isByTheSame(row, other)) : [];
    // What a second generator cannot do is said once, and not for each peer.
    if (same.length > 0 && commonFailure(same) !== null) {
      if (same[0] !== row) return null;
      return markup`<tr><td class="peer">any peer (${row.generator})</td>${figuresOf(result, row)}</tr>\n`;
    }
    const key = markup`<span class="key ${colourOf(result, row.peer)}"></span>`;
    return markup`<tr><td class="peer">${key}${nameOfRow(row)}</td>${figuresOf(result, row)}</tr>\n`;
  });
  return markup`<tr><td class="load" colspan="${HEADS.length + 1}">${load.title}</td></tr>\n${shown}`;
}

function isByTheSame(row: ResultRow, other: ResultRow): boolean {
  return row.generator === other.generator && row.placement === other.placement;
}

function figuresOf(result: BenchResult, row: ResultRow): Markup {
  const { medians } = row;
  if (medians === null) {
    return markup`<td class="unmeasured" colspan="${HEADS.length}">${row.failure ?? "not measured"}</td>`;
  }
  const { latency } = medians;
  const ratio = comparisonOfRow(result.comparisons, row)?.rate;
  const cells = [
    figure(medians.operationsPerSecond),
    ratesOf(row),
    megabytesPerSecond(medians.bytesPerSecond),
    figure(latency?.p50Us),
    figure(latency?.p99Us),
    figure(latency?.p999Us),
    figure(medians.cpuUsPerOperation),
    mebibytes(medians.residentBytes),
    percent(medians.generatorCpuShare),
    ratio === undefined ? "" : times(ratio.median),
    ratio === undefined ? "" : rangeOf(ratio),
  ];
  return markup`${cells.map((cell) => markup`<td class="n">${cell}</td>`)}`;
}

function ratesOf({ samples }: ResultRow): string {
  const rates = samples.map(({ operationsPerSecond }) => operationsPerSecond).filter(isFigure);
  if (rates.length === 0) return NOTHING;
  return `${figure(Math.min(...rates))} to ${figure(Math.max(...rates))}`;
}
