import type { Driver } from "./driver.ts";
import type { History, Round } from "./history.ts";
import { runHistory } from "./walk.ts";

/** Without a request the others meet differently: so many ways are tried before it is kept. */
const SCHEDULES_TRIED = 4;
const UINT32_RANGE = 2 ** 32;

type Fails = (history: History) => Promise<boolean>;

/** Drops rounds, crashes, faults and requests for as long as some promise is still broken, and `runsMax` allows. */
export async function shrink(history: History, driver: Driver, runsMax: number): Promise<History> {
  let runs = 0;
  const fails: Fails = async (candidate) => {
    runs += 1;
    if (runs > runsMax) return false;
    return (await runHistory(candidate, driver)).violation !== undefined;
  };
  let shortest = history;
  for (let size = 0; size !== sizeOf(shortest) && runs < runsMax;) {
    size = sizeOf(shortest);
    shortest = await dropRounds(shortest, fails);
    for (let index = shortest.rounds.length - 1; index >= 0; index -= 1) {
      shortest = await dropParts(shortest, index, fails);
    }
  }
  return shortest;
}

export function sizeOf({ rounds }: History): number {
  let size = rounds.length;
  for (const { operations, faults, crash, idleMs, pagesMs, isClosed } of rounds) {
    size += operations.length + faults.length + (isClosed ? 1 : 0);
    size += (idleMs > 0 ? 1 : 0) + (pagesMs > 0 ? 1 : 0);
    if (crash !== undefined) size += 1 + crash.again.length;
  }
  return size;
}

/** Runs of rounds, longest first. */
async function dropRounds(history: History, fails: Fails): Promise<History> {
  let shortest = history;
  for (let count = shortest.rounds.length >> 1; count > 0; count >>= 1) {
    for (let first = shortest.rounds.length - count; first >= 0; first -= count) {
      const candidate = { ...shortest, rounds: shortest.rounds.toSpliced(first, count) };
      if (await fails(candidate)) shortest = candidate;
    }
  }
  return shortest;
}

/** Simpler forms of a round, one step each. */
function simpler(round: Round): Round[] {
  const { operations, faults, crash, idleMs, pagesMs, isClosed } = round;
  const forms: Round[] = [];
  if (crash !== undefined) {
    forms.push({ ...round, crash: undefined });
    for (let index = 0; index < crash.again.length; index += 1) {
      forms.push({ ...round, crash: { ...crash, again: crash.again.toSpliced(index, 1) } });
    }
  }
  for (let index = 0; index < faults.length; index += 1) {
    forms.push({ ...round, faults: faults.toSpliced(index, 1) });
  }
  if (idleMs > 0) forms.push({ ...round, idleMs: 0 });
  if (pagesMs > 0) forms.push({ ...round, pagesMs: 0 });
  if (isClosed) forms.push({ ...round, isClosed: false });
  for (let index = operations.length - 1; index >= 0; index -= 1) {
    forms.push({ ...round, operations: operations.toSpliced(index, 1) });
  }
  return forms;
}

async function dropParts(history: History, index: number, fails: Fails): Promise<History> {
  let shortest = history;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    const round = shortest.rounds[index];
    if (round === undefined) return shortest;
    for (const form of simpler(round)) {
      const found = await anySchedule(shortest, index, form, fails);
      if (found === undefined) continue;
      shortest = found;
      isSmaller = true;
      break;
    }
  }
  return shortest;
}

async function anySchedule(
  history: History,
  index: number,
  round: Round,
  fails: Fails,
): Promise<History | undefined> {
  for (let tried = 0; tried < SCHEDULES_TRIED; tried += 1) {
    const rescheduled = { ...round, seed: (round.seed + tried) % UINT32_RANGE };
    const candidate = { ...history, rounds: history.rounds.with(index, rescheduled) };
    if (await fails(candidate)) return candidate;
  }
  return undefined;
}
