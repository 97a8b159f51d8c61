import { describe, expect, it } from "vitest";
import { exhaust } from "./exhaustion.ts";
import type { Bounds } from "./explorer.ts";
import { explore } from "./explorer.ts";
import { historyOf } from "./history.ts";
import { PROFILES, profileNamed } from "./profiles.ts";
import { planOf, report } from "./run.ts";
import { engineDriver } from "./engine.ts";
import { runHistory } from "./walk.ts";

/**
 * Enough for every run, and as much on a slow machine as on a quick one; `test/simulation/run.ts` and THINLUN_SIMULATION_SECONDS live
 * through as many as there is time for.
 */
const HISTORIES: number = 3 * PROFILES.length;
const EXHAUSTIVE_HISTORIES = 400;
const EXHAUSTIVE_LENGTH = 3;

const FIXED_SEED = "1";

const wanted = process.env["THINLUN_SIMULATION_SECONDS"];
const plan = planOf([], { THINLUN_SEED: FIXED_SEED, ...process.env });

/** Either the time that there is, or so many histories. */
function boundsOf(share: number, histories: number): Bounds {
  if (wanted === undefined) return { ...plan.bounds, seconds: Number.POSITIVE_INFINITY, histories };
  return { ...plan.bounds, seconds: plan.bounds.seconds * share };
}

describe(`the engine on disks that fail (THINLUN_SEED=${plan.seed})`, () => {
  it("keeps every promise in random histories", { timeout: 0 }, async () => {
    const begun = performance.now();
    const exploration = await explore(plan.seed, PROFILES, boundsOf(1, HISTORIES));
    expect(exploration.finding, report(exploration, 0)).toBeUndefined();
    console.log(report(exploration, (performance.now() - begun) / 1000));
  });

  it(
    "keeps every promise when it is cut off at any moment of a small history",
    { timeout: 0 },
    async () => {
      const bounds = boundsOf(0.5, EXHAUSTIVE_HISTORIES);
      const exploration = await exhaust(plan.seed, EXHAUSTIVE_LENGTH, bounds);
      expect(exploration.finding, report(exploration, 0)).toBeUndefined();
    },
  );

  it("does the same for the same seed", async () => {
    const history = historyOf(7, profileNamed("several"));
    expect(await runHistory(history, engineDriver)).toEqual(
      await runHistory(history, engineDriver),
    );
  });
});
