import type { BarFigure, BarResult, Comparison, Spread } from "./result.ts";
import { isSecond } from "./summary.ts";

/** What is asked of one load: a ratio of ours to another peer's. */
export interface Bar {
  readonly load: string;
  readonly figure: BarFigure;
  readonly bound: "atLeast" | "atMost";
  readonly asked: number;
  /** What SPDK's iSCSI target, which keeps a core busy, reached beside the same peer on a machine with two CPUs. */
  readonly reachFor: number | null;
}

/** Debian's tgtd, on the same kind of backing file, under the same load, in the same run. */
export const BAR_PEER = "tgtd";

function rate(load: string, asked: number, reachFor: number | null): Bar {
  return { load, figure: "rate", bound: "atLeast", asked, reachFor };
}

function cpu(load: string, asked: number, reachFor: number): Bar {
  return { load, figure: "cpuPerOperation", bound: "atMost", asked, reachFor };
}

function tail(load: string): Bar {
  return { load, figure: "p999", bound: "atMost", asked: 1, reachFor: null };
}

export const BARS: readonly Bar[] = [
  rate("4k-random-read-d1", 1.1, 1.47),
  rate("4k-random-write-d1", 1.1, 1.4),
  rate("4k-random-read-d32", 4, 5.5),
  rate("4k-random-write-d32", 3, 3.3),
  rate("4k-random-read-d4-s32", 3, null),
  rate("4k-random-write-d4-s32", 2.5, null),
  rate("128k-sequential-read-d16", 1.8, 2.3),
  rate("128k-sequential-write-d16", 1.6, 2.3),
  rate("1m-sequential-read-d8", 1.6, 2.9),
  rate("1m-sequential-write-d8", 1.6, 2.8),
  rate("4k-random-read-d32-digests", 2.5, null),
  rate("4k-random-write-d32-digests", 2, null),
  cpu("4k-random-read-d32", 0.4, 0.16),
  cpu("4k-random-write-d32", 0.5, 0.28),
  tail("4k-random-read-d32"),
  tail("4k-random-write-d32"),
];

function isMet({ bound, asked }: Bar, reached: number): boolean {
  return bound === "atLeast" ? reached >= asked : reached <= asked;
}

/** By our own generator. Each bar once for each placement that its load was measured in; once as unmeasured where it was in none. */
export function judge(
  comparisons: readonly Comparison[],
  bars: readonly Bar[] = BARS,
): BarResult[] {
  return bars.flatMap((bar) => {
    const { load, figure, bound, asked, reachFor } = bar;
    const result = (placement: BarResult["placement"], reached: Spread | null): BarResult => ({
      load,
      placement,
      figure,
      theirs: BAR_PEER,
      bound,
      asked,
      reachFor,
      reached,
      state: reached === null ? "unmeasured" : isMet(bar, reached.median) ? "met" : "missed",
    });
    const measured = comparisons.filter(
      ({ load: of, theirs, generator }) =>
        of === load && theirs === BAR_PEER && !isSecond(generator),
    );
    if (measured.length === 0) return [result("free", null)];
    return measured.map((comparison) => result(comparison.placement, comparison[figure]));
  });
}
