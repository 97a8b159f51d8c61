import type { BenchResult, LoadShape, ResultRow } from "../result.ts";
import { figure, isFigure } from "./figures.ts";
import { markup, type Markup } from "./markup.ts";
import { drawPlot, level, LINE_HEIGHT, PAPER, type PlotLine, px, upright } from "./plot.ts";
import { linearScale, type Scale } from "./scale.ts";
import { colourOf, nameOfRow, rowsOfLoad } from "./series.ts";

const BAR_HEIGHT = LINE_HEIGHT - 4;
const HALF_END = 4;

/** CPU time of the target for each operation: bars are medians, lines go from the least to the most of the rounds. */
export function cpuPlot(
  result: BenchResult,
  name: string,
  loads: readonly LoadShape[],
): Markup | null {
  const measured = (load: LoadShape): ResultRow[] =>
    rowsOfLoad(result, load.id).filter(({ medians }) => isFigure(medians?.cpuUsPerOperation));
  const values = loads.flatMap((load) => measured(load).flatMap(roundsOf));
  if (values.length === 0) return null;
  const scale = linearScale(values, PAPER);
  const rows = loads.map((load) => ({
    label: load.title,
    lines: measured(load).map((row) => lineOf(result, row, scale)),
  }));
  return drawPlot({
    title: `CPU time of the target for each operation of the loads "${name}", in microseconds`,
    unit: "microseconds of CPU of the target for each operation; shorter is better",
    scale,
    tickText: (value) => Number(value.toPrecision(3)).toLocaleString("en-US"),
    reference: null,
    rows: rows.filter(({ lines }) => lines.length > 0),
  });
}

/** The median among them: it is what is drawn where a file has no samples. */
function roundsOf({ medians, samples }: ResultRow): number[] {
  const rounds = samples.map(({ cpuUsPerOperation }) => cpuUsPerOperation);
  return [medians?.cpuUsPerOperation, ...rounds].filter(isFigure);
}

function lineOf(result: BenchResult, row: ResultRow, scale: Scale): PlotLine {
  const median = row.medians?.cpuUsPerOperation ?? NaN;
  const className = colourOf(result, row.peer);
  const rounds = roundsOf(row);
  const [least, most] = [Math.min(...rounds), Math.max(...rounds)];
  return {
    className,
    value: `${figure(median)} ${nameOfRow(row)}`,
    marks: (y) => {
      const width = scale.at(median) - PAPER.from;
      const ends = [scale.at(least), scale.at(most)] as const;
      return markup`<rect class="${className}" x="${PAPER.from}" y="${px(y - BAR_HEIGHT / 2)}" width="${px(width)}" height="${BAR_HEIGHT}"/>${level(y, ...ends, "whisker")}${ends.map((end) => upright(end, y - HALF_END, y + HALF_END, "whisker"))}\n`;
    },
  };
}
