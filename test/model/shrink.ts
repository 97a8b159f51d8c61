import type { History, Round } from "./history.ts";
import type { Mutation } from "./mutations.ts";
import { runHistory } from "./walk.ts";

/** Without a request the others meet differently: so many ways are tried before it is kept. */
const SCHEDULES_TRIED = 40;

const UINT32_RANGE = 2 ** 32;

/** Drops rounds, crashes and requests for as long as some promise is still broken. */
export function shrink(history: History, mutation: Mutation | undefined): History {
  const fails = (candidate: History): boolean =>
    runHistory(candidate, mutation).violation !== undefined;
  let shortest = history;
  for (let length = 0; length !== sizeOf(shortest);) {
    length = sizeOf(shortest);
    shortest = dropRounds(shortest, fails);
    shortest = dropParts(shortest, fails);
  }
  return shortest;
}

type Fails = (history: History) => boolean;

function sizeOf(history: History): number {
  return history.reduce(
    (sum, { operations, crash }) => sum + 1 + operations.length + (crash === undefined ? 0 : 1),
    0,
  );
}

/** Runs of rounds, longest first. */
function dropRounds(history: History, fails: Fails): History {
  let shortest = history;
  for (let count = shortest.length >> 1; count > 0; count >>= 1) {
    for (let first = shortest.length - count; first >= 0; first -= count) {
      const candidate = shortest.toSpliced(first, count);
      if (fails(candidate)) shortest = candidate;
    }
  }
  return shortest;
}

/** Single requests, and crashes. */
function dropParts(history: History, fails: Fails): History {
  let shortest = history;
  for (const [index, round] of history.entries()) {
    let current = round;
    const attempt = (next: Round, schedules = 1): void => {
      for (let tried = 0; tried < schedules; tried += 1) {
        const rescheduled = { ...next, seed: (next.seed + tried) % UINT32_RANGE };
        const candidate = shortest.with(index, rescheduled);
        if (!fails(candidate)) continue;
        shortest = candidate;
        current = rescheduled;
        return;
      }
    };
    if (current.crash !== undefined) attempt({ ...current, crash: undefined });
    if (current.crash !== undefined)
      attempt({ ...current, crash: { ...current.crash, again: [] } });
    for (let request = current.operations.length - 1; request >= 0; request -= 1) {
      const operations = current.operations.toSpliced(request, 1);
      attempt({ ...current, operations }, SCHEDULES_TRIED);
    }
  }
  return shortest;
}
