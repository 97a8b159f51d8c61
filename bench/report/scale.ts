import { isFigure } from "./figures.ts";

/** From figures to places, and the figures at which an axis has its marks. */
export interface Scale {
  /** Values outside are put at its ends. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** Where the values of an axis lie on the paper. */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

/** Marks at 1, 2 and 5 of each power of ten; fewer over many of them. */
const STEPS = [1, 2, 5];
const FEW_DECADES = 3;
const LINEAR_TICKS_MAX = 6;
/** Times are not shorter and rates not larger than these on paper: a broken file makes no endless axis. */
const LEAST = 1e-3;
const MOST = 1e12;

/** From 0 on. */
export function linearScale(values: readonly number[], paper: Extent): Scale {
  const most = Math.min(MOST, Math.max(LEAST, ...values.filter(isFigure)));
  const step = firstStepAtLeast(most / (LINEAR_TICKS_MAX - 1));
  const end = Math.ceil(most / step) * step;
  const ticks: number[] = [];
  for (let index = 0; index * step <= end * (1 + Number.EPSILON); index += 1) {
    ticks.push(index * step);
  }
  const place = (value: number): number => value / end;
  return { at: (value) => onPaper(place(value), paper), ticks };
}

/** By powers, around all values. */
export function logScale(values: readonly number[], paper: Extent): Scale {
  const known = values.filter((value) => isFigure(value) && value > 0);
  const least = Math.max(LEAST, Math.min(MOST, ...known));
  const most = Math.min(MOST, Math.max(least, ...known));
  const from = lastStepAtMost(least);
  const to = firstStepAtLeast(Math.max(most, from * 2));
  const decades = Math.log10(to / from);
  const steps = decades > FEW_DECADES ? [1] : STEPS;
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power += 1) {
    for (const step of steps) {
      const value = step * 10 ** power;
      if (value >= from * 0.999 && value <= to * 1.001) ticks.push(value);
    }
  }
  const place = (value: number): number =>
    value > 0 ? Math.log10(value / from) / decades : Number.NEGATIVE_INFINITY;
  return { at: (value) => onPaper(place(value), paper), ticks };
}

function onPaper(share: number, { from, to }: Extent): number {
  const inside = Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share));
  return from + (to - from) * inside;
}

function firstStepAtLeast(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [...STEPS, 10].find((each) => each * power >= value * 0.999);
  return (step ?? 10) * power;
}

function lastStepAtMost(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = STEPS.toReversed().find((each) => each * power <= value * 1.001);
  return (step ?? 1) * power;
}
