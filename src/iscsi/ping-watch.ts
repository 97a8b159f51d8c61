import { PING_COUNT, PING_INTERVAL_SECONDS } from "./limits.ts";

/** How an initiator that says nothing is asked whether it lives (NOP-In, RFC 7143 11.19). */
export interface PingSettings {
  /** It is asked after so long without a word from it, and again each time as long; 0: never. */
  readonly intervalSeconds: number;
  /** So many questions in a row without a word from it, and one more interval: its connection is dropped. */
  readonly count: number;
}

export const DEFAULT_PINGS: PingSettings = {
  intervalSeconds: PING_INTERVAL_SECONDS,
  count: PING_COUNT,
};

/** What an operator may set: up to a day, and a count that is a decision. */
export const PING_RANGES: Readonly<
  Record<keyof PingSettings, readonly [low: number, high: number]>
> = {
  intervalSeconds: [0, 86_400],
  count: [1, 1000],
};

/** What is wrong with settings, a sentence each that begins with the name of the setting; empty when they hold. */
export function pingProblems(pings: Partial<PingSettings>): readonly string[] {
  return (Object.keys(PING_RANGES) as (keyof PingSettings)[]).flatMap((name) => {
    const [low, high] = PING_RANGES[name];
    const value = pings[name] ?? low;
    if (Number.isSafeInteger(value) && value >= low && value <= high) return [];
    return [`${name} of pings must be a whole number from ${low} to ${high}, not ${value}`];
  });
}

const MS_PER_SECOND = 1000;

/** What is to be done about a peer: nothing, ask it whether it lives, or drop it. */
export type PingStep = "wait" | "ask" | "drop";

/** How long one peer has been silent, and how often it was asked since. Times are milliseconds of one clock. */
export class PingWatch {
  #intervalMs: number;
  #count: number;
  /** When it was heard or asked last. */
  #sinceMs: number;
  #askedCount = 0;

  constructor({ intervalSeconds, count }: PingSettings, nowMs: number) {
    this.#intervalMs = intervalSeconds * MS_PER_SECOND;
    this.#count = count;
    this.#sinceMs = nowMs;
  }

  /** From here on by other settings; what it has said and been asked so far counts. */
  configure({ intervalSeconds, count }: PingSettings): void {
    this.#intervalMs = intervalSeconds * MS_PER_SECOND;
    this.#count = count;
  }

  /** It said something, whatever that was: whoever speaks lives. */
  heard(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#askedCount = 0;
  }

  /** Looks at the peer; `ask` counts as a question asked. */
  step(nowMs: number): PingStep {
    if (this.#intervalMs === 0 || nowMs - this.#sinceMs < this.#intervalMs) return "wait";
    if (this.#askedCount >= this.#count) return "drop";
    this.#askedCount += 1;
    this.#sinceMs = nowMs;
    return "ask";
  }
}
