/** A column: its heading, and whether its values are numbers. */
export interface Column {
  readonly heading: string;
  readonly isNumber?: boolean;
}

const GAP = "  ";

/** A text column is not made narrower than this. */
const NARROWEST = 8;

/** What stands for the part that was cut off. */
export const CUT = "~";

/** Where there is no terminal, nothing is cut. */
export function terminalColumns(): number {
  return process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
}

/** Rows under headings, as wide as needed, and no wider than the terminal as long as texts can be cut. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  widthMax: number = terminalColumns(),
): string {
  const widths = columns.map(({ heading }, index) =>
    Math.max(heading.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  narrow(columns, widths, widthMax);
  const line = (cells: readonly string[]): string => {
    const padded = columns.map(({ isNumber = false }, index) => {
      const width = widths[index] ?? 0;
      const cell = cut(cells[index] ?? "", width);
      return isNumber ? cell.padStart(width) : cell.padEnd(width);
    });
    return `${padded.join(GAP).trimEnd()}\n`;
  };
  return [columns.map(({ heading }) => heading), ...rows].map(line).join("");
}

/** Takes from the widest texts until it fits, or nothing more can be taken. */
function narrow(columns: readonly Column[], widths: number[], widthMax: number): void {
  const total = (): number =>
    widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  while (total() > widthMax) {
    let widest = -1;
    for (const [index, { isNumber = false }] of columns.entries()) {
      const width = widths[index] ?? 0;
      if (!isNumber && width > NARROWEST && width > (widths[widest] ?? 0)) widest = index;
    }
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}${CUT}`;
}
