import type { History } from "./history.ts";
import { historyOf } from "./history.ts";
import type { Mutation } from "./mutations.ts";
import { shrink } from "./shrink.ts";
import type { Outcome } from "./walk.ts";
import { crashStates, runHistory } from "./walk.ts";

const UINT32_RANGE = 2 ** 32;

/** A history that breaks a promise, as short as it gets. */
export interface Finding {
  readonly seed: number;
  readonly violation: string;
  readonly history: History;
}

export interface Exploration {
  readonly total: Outcome;
  readonly finding: Finding | undefined;
}

/** Walks histories, seed by seed, until so many crash states are checked or a promise is broken. */
export function explore(
  seed: number,
  states: number,
  mutation: Mutation | undefined,
  progress?: (total: Outcome) => void,
): Exploration {
  const total: Outcome = { powerLosses: 0, kills: 0, damages: 0, rounds: 0, violation: undefined };
  for (let current = seed; crashStates(total) < states; current = (current + 1) % UINT32_RANGE) {
    const history = historyOf(current);
    const outcome = runHistory(history, mutation);
    total.powerLosses += outcome.powerLosses;
    total.kills += outcome.kills;
    total.damages += outcome.damages;
    total.rounds += outcome.rounds;
    if (outcome.violation !== undefined) {
      const shortest = shrink(history, mutation);
      const { violation } = runHistory(shortest, mutation);
      total.violation = violation ?? outcome.violation;
      return {
        total,
        finding: { seed: current, violation: total.violation, history: shortest },
      };
    }
    progress?.(total);
  }
  return { total, finding: undefined };
}
