import type { History } from "./history.ts";
import { engineDriver } from "./engine.ts";
import { historyOf } from "./history.ts";
import type { Profile } from "./profiles.ts";
import { shrink } from "./shrink.ts";
import type { Outcome } from "./walk.ts";
import { addOutcome, newOutcome, runHistory } from "./walk.ts";

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

/** Makes the history of a seed. */
export type HistoryMaker = (seed: number, profile: Profile) => History;

/** How much is explored: whichever bound comes first. */
export interface Bounds {
  readonly histories: number;
  readonly seconds: number;
  /** Runs that the shrinking of a finding may take; 0: it is shown as it was found. */
  readonly shrinkRuns: number;
}

/** Lives through histories, seed by seed and profile by profile, until a bound is reached or a promise is broken. */
export async function explore(
  seed: number,
  profiles: readonly Profile[],
  bounds: Bounds,
  make: HistoryMaker = historyOf,
): Promise<Exploration> {
  const total = newOutcome();
  const endMs = performance.now() + bounds.seconds * 1000;
  for (let index = 0; index < bounds.histories && performance.now() < endMs; index += 1) {
    const current = (seed + index) % UINT32_RANGE;
    const profile = profiles[current % profiles.length];
    if (profile === undefined) break;
    const history = make(current, profile);
    const outcome = await runHistory(history, engineDriver);
    addOutcome(total, outcome);
    if (outcome.violation === undefined) continue;
    const finding = await found(history, outcome.violation, bounds.shrinkRuns);
    total.violation = finding.violation;
    return { total, finding };
  }
  return { total, finding: undefined };
}

export async function found(
  history: History,
  violation: string,
  shrinkRuns: number,
): Promise<Finding> {
  if (shrinkRuns === 0) return { seed: history.seed, violation, history };
  const shortest = await shrink(history, engineDriver, shrinkRuns);
  const again = await runHistory(shortest, engineDriver);
  return { seed: history.seed, violation: again.violation ?? violation, history: shortest };
}
