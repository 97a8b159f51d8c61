import { describe, expect, it } from "vitest";
import { historyOf, inWords } from "./history.ts";
import { MUTATIONS } from "./mutations.ts";
import { PROFILES, profileNamed } from "./profiles.ts";
import { planOf, report } from "./run.ts";
import { newOutcome } from "./walk.ts";

describe("the command line of the simulation", () => {
  it("takes histories, seconds, seed, profile and mutation", () => {
    const args = ["--histories", "50", "--seconds", "9", "--seed", "4", "--profile", "full"];
    expect(planOf([...args, "--mutation", "flushNothing"], {})).toMatchObject({
      bounds: { histories: 50, seconds: 9 },
      seed: 4,
      profiles: [profileNamed("full")],
      mutations: ["flushNothing"],
    });
    expect(planOf(["--mutation", "all"], {}).mutations).toEqual(MUTATIONS);
    expect(planOf(["--exhaustive", "4"], {}).exhaustiveLength).toBe(4);
  });

  it("takes its time and its seed from the environment, too", () => {
    const plan = planOf([], { THINLUN_SEED: "3", THINLUN_SIMULATION_SECONDS: "77" });
    expect(plan).toMatchObject({ seed: 3, bounds: { seconds: 77 }, profiles: PROFILES });
  });

  it.each([
    ["--histories", "none"],
    ["--seconds", "0"],
    ["--profile", "huge"],
    ["--mutation", "gravity"],
    ["--seed", "-"],
  ])("refuses %s %s", (...args) => {
    expect(() => planOf(args, {})).toThrow(RangeError);
  });

  it("reports the counts, and the seed and history of a finding", () => {
    const total = newOutcome();
    expect(report({ total, finding: undefined }, 2)).toMatch(
      /^no violation in 0 histories, .*2\.0 s$/,
    );
    const history = historyOf(5, profileNamed("small"));
    const finding = { seed: 5, violation: "lost", history };
    expect(report({ total, finding }, 2)).toBe(
      `seed 5: lost, after ${report({ total, finding: undefined }, 2).slice("no violation in ".length)}\n${inWords(history)}`,
    );
  });
});
