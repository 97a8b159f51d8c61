import type { Spread } from "../result.ts";

/** For what is not known. */
export const NOTHING = "\u2013";
const TIMES = "\u00d7";
const THIN_SPACE = "\u2009";

const MIB = 1024 * 1024;

/** A file can say anything: what is no number is not known. */
export function isFigure(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** With commas between thousands, and about three digits where it is small. */
export function figure(value: number | null | undefined): string {
  if (!isFigure(value)) return NOTHING;
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  if (Math.abs(value) >= 10) return value.toFixed(1);
  return value.toFixed(2);
}

/** "2.82 x", with the sign for it. */
export function times(value: number | null | undefined): string {
  return isFigure(value) ? `${ratio(value)}${THIN_SPACE}${TIMES}` : NOTHING;
}

/** Two digits behind the point, or three where two would leave one digit in all. */
export function ratio(value: number): string {
  return value < 0.1 ? value.toFixed(3) : value.toFixed(2);
}

/** "2.65 to 2.89" */
export function rangeOf(spread: Spread): string {
  const isKnown = isFigure(spread.least) && isFigure(spread.most);
  return isKnown ? `${ratio(spread.least)} to ${ratio(spread.most)}` : NOTHING;
}

export function megabytesPerSecond(bytesPerSecond: number | null | undefined): string {
  return isFigure(bytesPerSecond) ? figure(bytesPerSecond / 1e6) : NOTHING;
}

export function mebibytes(bytes: number | null | undefined): string {
  return isFigure(bytes) ? figure(bytes / MIB) : NOTHING;
}

export function percent(share: number | null | undefined): string {
  return isFigure(share) ? `${Math.round(share * 100)}%` : NOTHING;
}
