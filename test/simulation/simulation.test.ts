import { describe, expect, it } from "vitest";
import { exhaust } from "./exhaustion.ts";
import { explore } from "./explorer.ts";
import { historyOf } from "./history.ts";
import { PROFILES, profileNamed } from "./profiles.ts";
import { planOf, report } from "./run.ts";
import { engineDriver } from "./engine.ts";
import { runHistory } from "./walk.ts";

/** Enough for every run; `test/simulation/run.ts` lives through as many as it is told to. */
const SECONDS = 8;
const EXHAUSTIVE_SECONDS = 4;
const EXHAUSTIVE_LENGTH = 3;

const FIXED_SEED = 1;

const wanted = process.env["THINLUN_SIMULATION_SECONDS"];
const plan = planOf(["--seconds", wanted ?? String(SECONDS)], {
  THINLUN_SEED: process.env["THINLUN_SEED"] ?? String(FIXED_SEED),
});

describe(`the engine on disks that fail (THINLUN_SEED=${plan.seed})`, () => {
  it("keeps every promise in random histories", { timeout: 0 }, async () => {
    const exploration = await explore(plan.seed, PROFILES, plan.bounds);
    expect(exploration.finding, report(exploration, 0)).toBeUndefined();
    console.log(report(exploration, plan.bounds.seconds));
  });

  it(
    "keeps every promise when it is cut off at any moment of a small history",
    { timeout: 0 },
    async () => {
      const seconds = wanted === undefined ? EXHAUSTIVE_SECONDS : Number(wanted) / 2;
      const bounds = { ...plan.bounds, seconds };
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
