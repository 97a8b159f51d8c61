import { markup, type Markup } from "./markup.ts";
import type { Extent, Scale } from "./scale.ts";

/** All plots are tables of rows: what it is about at the left, an axis for all of them below. Lengths in pixels of the drawing. */
const WIDTH = 1000;
const LABELS_WIDTH = 300;
/** For what is said behind the marks. */
const VALUES_WIDTH = 215;
const TOP = 6;
const AXIS_HEIGHT = 42;
/** What fits into the place for labels. */
const LABEL_CHARACTERS_MAX = 46;

export const PAPER: Extent = { from: LABELS_WIDTH, to: WIDTH - VALUES_WIDTH };

/** One line of a row's marks, in the middle between its top and its end. */
export const LINE_HEIGHT = 15;
const ROW_GAP = 9;

export interface PlotLine {
  /** Drawn around this height. */
  marks(y: number): Markup;
  /** Said at the right end, in the colour of this class. */
  readonly value: string;
  readonly className: string;
}

export interface PlotRow {
  readonly label: string;
  readonly lines: readonly PlotLine[];
}

export interface Plot {
  /** What it shows, for those who do not see it. */
  readonly title: string;
  /** Below the axis. */
  readonly unit: string;
  readonly scale: Scale;
  readonly tickText: (value: number) => string;
  /** Drawn as a line through all rows, as for a ratio of 1; null: none. */
  readonly reference: number | null;
  readonly rows: readonly PlotRow[];
}

export function drawPlot(plot: Plot): Markup {
  const heights = plot.rows.map(({ lines }) => lines.length * LINE_HEIGHT + ROW_GAP);
  const bottom = TOP + heights.reduce((sum, height) => sum + height, 0);
  const height = bottom + AXIS_HEIGHT;
  let top = TOP;
  const rows = plot.rows.map((row, index) => {
    const drawn = drawRow(row, top, index % 2 === 1 ? heights[index] : undefined);
    top += heights[index] ?? 0;
    return drawn;
  });
  return markup`<div class="plot"><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${plot.title}</title>
${rows.map(({ back }) => back)}${axis(plot, bottom)}${rows.map(({ front }) => front)}</svg></div>
`;
}

/** Lines of the axis go over the stripes and under the marks. */
function drawRow(
  { label, lines }: PlotRow,
  top: number,
  stripeHeight: number | undefined,
): { readonly back: Markup; readonly front: Markup } {
  const middle = top + (lines.length * LINE_HEIGHT + ROW_GAP) / 2;
  const back =
    stripeHeight === undefined
      ? markup``
      : markup`<rect class="stripe" x="0" y="${px(top)}" width="${WIDTH}" height="${px(stripeHeight)}"/>\n`;
  const drawn = lines.map((line, index) => {
    const y = top + ROW_GAP / 2 + (index + 0.5) * LINE_HEIGHT;
    return markup`${line.marks(y)}<text class="value ${line.className}" x="${PAPER.to + 10}" y="${px(y + 4)}">${line.value}</text>\n`;
  });
  const front = markup`<text class="label" x="${LABELS_WIDTH - 12}" y="${px(middle + 4)}" text-anchor="end">${shortened(label)}</text>\n${drawn}`;
  return { back, front };
}

function axis({ scale, tickText, unit, reference }: Plot, bottom: number): Markup {
  const ticks = scale.ticks.map((value) => {
    const x = px(scale.at(value));
    return markup`<line class="grid" x1="${x}" y1="${TOP}" x2="${x}" y2="${px(bottom)}"/><text class="tick" x="${x}" y="${px(bottom + 16)}" text-anchor="middle">${tickText(value)}</text>\n`;
  });
  const middle = (PAPER.from + PAPER.to) / 2;
  return markup`${ticks}${reference === null ? null : upright(scale.at(reference), TOP, bottom, "reference")}<text class="unit" x="${middle}" y="${px(bottom + 34)}" text-anchor="middle">${unit}</text>\n`;
}

function shortened(label: string): string {
  // Never a half of a pair.
  const characters = Array.from(label);
  if (characters.length <= LABEL_CHARACTERS_MAX) return label;
  return `${characters.slice(0, LABEL_CHARACTERS_MAX - 1).join("")}\u2026`;
}

/** Tenths of a pixel are what an eye sees. */
export function px(value: number): number {
  return Math.round(value * 10) / 10;
}

export function upright(x: number, from: number, to: number, className: string): Markup {
  return markup`<line class="${className}" x1="${px(x)}" y1="${px(from)}" x2="${px(x)}" y2="${px(to)}"/>\n`;
}

/** From one place to another at the same height, with ends where `withEnds`. */
export function level(y: number, from: number, to: number, className: string): Markup {
  return markup`<line class="${className}" x1="${px(from)}" y1="${px(y)}" x2="${px(to)}" y2="${px(y)}"/>`;
}

export function dot(x: number, y: number, className: string): Markup {
  return markup`<circle class="${className}" cx="${px(x)}" cy="${px(y)}" r="4"/>`;
}

export function ring(x: number, y: number, className: string): Markup {
  return markup`<circle class="ring ${className}" cx="${px(x)}" cy="${px(y)}" r="3.5"/>`;
}

export function diamond(x: number, y: number, className: string): Markup {
  return markup`<path class="${className}" d="M${px(x)} ${px(y - 5)}l5 5l-5 5l-5 -5z"/>`;
}
