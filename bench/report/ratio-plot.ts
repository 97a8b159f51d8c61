import type { BarResult, BenchResult, Comparison } from "../result.ts";
import { isFigure, times } from "./figures.ts";
import { markup, type Markup } from "./markup.ts";
import {
  diamond,
  dot,
  drawPlot,
  level,
  LINE_HEIGHT,
  PAPER,
  type PlotLine,
  type PlotRow,
  ring,
  upright,
} from "./plot.ts";
import { logScale, type Scale } from "./scale.ts";
import { colourOf, generatorNote, OUR_NAME, placementNote, titleOfLoad } from "./series.ts";

const HALF_BAR = LINE_HEIGHT / 2 - 1;
const HALF_END = 4;

/** Our rate by another's, load by load: the median, the least and the most of the rounds, and what is asked for. */
export function ratioPlot(result: BenchResult, theirs: string): Markup | null {
  const comparisons = result.comparisons.filter(
    (one) => one.theirs === theirs && isFigure(one.rate.median) && one.rate.median > 0,
  );
  if (comparisons.length === 0) return null;
  const asked = comparisons.map((one) => rateBar(result, one));
  const values = comparisons.flatMap(({ rate }) => [rate.least, rate.median, rate.most]);
  const bars = asked.flatMap((bar) => (bar === undefined ? [] : [bar.asked, bar.reachFor ?? 1]));
  const scale = logScale([1, ...values, ...bars], PAPER);
  const rows = new Map<string, PlotLine[]>();
  for (const [index, one] of comparisons.entries()) {
    const label = titleOfLoad(result, one.load);
    const lines = rows.get(label) ?? [];
    lines.push(lineOf(result, { one, bar: asked[index], scale }));
    rows.set(label, lines);
  }
  return drawPlot({
    title: `Rate of ${OUR_NAME} by that of ${theirs}, for each load: median, least and most of the rounds`,
    unit: `rate of ${OUR_NAME} \u00f7 rate of ${theirs}; right of the line is faster`,
    scale,
    tickText: (value) => String(Number(value.toPrecision(3))),
    reference: 1,
    rows: Array.from(rows, ([label, lines]): PlotRow => ({ label, lines })),
  });
}

export function rateBar(result: BenchResult, one: Comparison): BarResult | undefined {
  return result.bars.find(
    ({ figure, load, placement, theirs }) =>
      figure === "rate" &&
      load === one.load &&
      placement === one.placement &&
      theirs === one.theirs &&
      one.generator === OUR_NAME,
  );
}

function lineOf(
  result: BenchResult,
  parts: { readonly one: Comparison; readonly bar: BarResult | undefined; readonly scale: Scale },
): PlotLine {
  const { one, bar, scale } = parts;
  const { least, median, most } = one.rate;
  const className = colourOf(result, OUR_NAME);
  const isFree = one.placement === "free";
  return {
    className,
    value: `${times(median)}${placementNote(one.placement)}${generatorNote(one.generator)}`,
    marks: (y) => {
      const x = scale.at(median);
      const ends = [least, most].filter(isFigure).map((value) => scale.at(value));
      const spread = ends.length === 2 ? ends : [x, x];
      return markup`${barMarks(bar, scale, y)}${level(y, spread[0] ?? x, spread[1] ?? x, `spread ${className}`)}${spread.map((end) => upright(end, y - HALF_END, y + HALF_END, `spread ${className}`))}${isFree ? dot(x, y, className) : ring(x, y, className)}\n`;
    },
  };
}

function barMarks(bar: BarResult | undefined, scale: Scale, y: number): Markup | null {
  if (bar === undefined) return null;
  const { asked, reachFor } = bar;
  return markup`${isFigure(asked) ? upright(scale.at(asked), y - HALF_BAR, y + HALF_BAR, "asked") : null}${isFigure(reachFor) ? diamond(scale.at(reachFor), y, "reach") : null}`;
}
