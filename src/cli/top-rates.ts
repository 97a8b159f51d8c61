import type { LunStatistics, ReplyOf } from "../control/protocol.ts";

/** What was counted at one moment. */
export type Counted = ReplyOf<"lun/stat">;

/** What one initiator did on one LUN in the time between two moments. */
export interface LunRates {
  readonly target: string;
  readonly lun: number;
  readonly initiator: string;
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
  readonly readBytesPerSecond: number;
  readonly writtenBytesPerSecond: number;
  /** The mean of the answers in this time; null: there were none. */
  readonly latencyMs: number | null;
  readonly errors: number;
  readonly running: number;
}

const MS_PER_SECOND = 1000;

function keyOf({ target, lun, initiator }: LunStatistics): string {
  return JSON.stringify([target, lun, initiator]);
}

function answersOf({ reads, writes, others }: LunStatistics): number {
  return reads + writes + others;
}

/** What changed between two moments, busiest first. Where a LUN is another one meanwhile, its counters began anew. */
export function ratesOf(before: Counted, after: Counted): readonly LunRates[] {
  const seconds = Math.max(after.atMs - before.atMs, 1) / MS_PER_SECOND;
  const known = new Map(before.luns.map((one) => [keyOf(one), one]));
  const rates = after.luns.map((now): LunRates => {
    const old = known.get(keyOf(now));
    const isSame = old !== undefined && answersOf(old) <= answersOf(now);
    const since = (value: (one: LunStatistics) => number): number =>
      Math.max(value(now) - (isSame ? value(old) : 0), 0);
    const answers = since(answersOf);
    return {
      target: now.target,
      lun: now.lun,
      initiator: now.initiator,
      readsPerSecond: since(({ reads }) => reads) / seconds,
      writesPerSecond: since(({ writes }) => writes) / seconds,
      readBytesPerSecond: since(({ readBytes }) => readBytes) / seconds,
      writtenBytesPerSecond: since(({ writtenBytes }) => writtenBytes) / seconds,
      latencyMs: answers === 0 ? null : since(({ latencyMs }) => latencyMs) / answers,
      errors: since(({ errors }) => errors),
      running: now.running,
    };
  });
  const busy = ({ readsPerSecond, writesPerSecond }: LunRates): number =>
    readsPerSecond + writesPerSecond;
  return rates.toSorted((one, other) => busy(other) - busy(one));
}

/** Without those whose initiators are gone, and who have done nothing in this time: what was counted of them is kept for long. */
export function liveRates(
  rates: readonly LunRates[],
  sessions: readonly { readonly target: string; readonly initiator: string }[],
): readonly LunRates[] {
  const live = new Set(
    sessions.map(({ target, initiator }) => JSON.stringify([target, initiator])),
  );
  return rates.filter(
    ({ target, initiator, latencyMs, running }) =>
      latencyMs !== null || running > 0 || live.has(JSON.stringify([target, initiator])),
  );
}
