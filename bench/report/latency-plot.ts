import type { BenchResult, LoadShape, ResultRow } from "../result.ts";
import { figure, isFigure } from "./figures.ts";
import { markup, type Markup } from "./markup.ts";
import { dot, drawPlot, level, PAPER, type PlotLine, type PlotRow, ring, upright } from "./plot.ts";
import { logScale, type Scale } from "./scale.ts";
import { colourOf, nameOfRow, rowsOfLoad } from "./series.ts";

const HALF_END = 5;

/** How long operations took, load by load and peer by peer: half of them, 99 % of them, and all but one in a thousand. */
export function latencyPlot(
  result: BenchResult,
  name: string,
  loads: readonly LoadShape[],
): Markup | null {
  const measured = (load: LoadShape): ResultRow[] =>
    rowsOfLoad(result, load.id).filter(({ medians }) => isFigure(medians?.latency?.p50Us));
  const values = loads.flatMap((load) =>
    measured(load).flatMap(({ medians }) => {
      const latency = medians?.latency;
      return [latency?.p50Us, latency?.p99Us, latency?.p999Us].filter(isFigure);
    }),
  );
  if (values.length === 0) return null;
  const scale = logScale(values, PAPER);
  const rows = loads.map((load): PlotRow => ({
    label: load.title,
    lines: measured(load).map((row) => lineOf(result, row, scale)),
  }));
  return drawPlot({
    title: `Latency of the loads "${name}" in microseconds: median, 99th and 99.9th percentile`,
    unit: "microseconds: dot, median; ring, 99 %; end, 99.9 %; left is better",
    scale,
    tickText: (value) => Number(value.toPrecision(3)).toLocaleString("en-US"),
    reference: null,
    rows: rows.filter(({ lines }) => lines.length > 0),
  });
}

function lineOf(result: BenchResult, row: ResultRow, scale: Scale): PlotLine {
  const { p50Us = NaN, p99Us = NaN, p999Us = NaN } = row.medians?.latency ?? {};
  const className = colourOf(result, row.peer);
  return {
    className,
    value: nameOfRow(row),
    marks: (y) => {
      const from = scale.at(p50Us);
      const ends = [p99Us, p999Us].filter(isFigure).map((value) => scale.at(value));
      const tail = isFigure(p999Us)
        ? upright(scale.at(p999Us), y - HALF_END, y + HALF_END, `spread ${className}`)
        : null;
      const p99 = isFigure(p99Us) ? ring(scale.at(p99Us), y, className) : null;
      const all = `${nameOfRow(row)}: ${[p50Us, p99Us, p999Us].map(figure).join(", ")} \u00b5s`;
      return markup`<g><title>${all}</title>${level(y, from, Math.max(from, ...ends), `spread ${className}`)}${tail}${p99}${dot(from, y, className)}</g>\n`;
    },
  };
}
