import { describe, expect, it } from "vitest";
import { explore } from "./explorer.ts";
import { MUTATIONS } from "./mutations.ts";
import { planOf, report } from "./run.ts";

describe("the command line of the model", () => {
  it("takes states, seed and mutation", () => {
    const args = ["--states", "5000", "--seed", "9", "--mutation", "epochKept"];
    const plan = { states: 5000, seed: 9, mutations: ["epochKept"], isJson: false };
    expect(planOf(args, {})).toEqual(plan);
    expect(planOf([...args, "--json"], {})).toEqual({ ...plan, isJson: true });
    expect(planOf(["--mutation", "all"], {}).mutations).toEqual(MUTATIONS);
  });

  it("walks ten million states of the rules unless told otherwise", () => {
    const environment = { THINLUN_SEED: "3" };
    expect(planOf([], environment)).toEqual({
      states: 10_000_000,
      seed: 3,
      mutations: [undefined],
      isJson: false,
    });
  });

  it.each([
    ["--states", "none"],
    ["--states", "0"],
    ["--mutation", "gravity"],
    ["--seed", "-"],
  ])("refuses %s %s", (...args) => {
    expect(() => planOf(args, {})).toThrow(RangeError);
  });

  it("reports the counts, and the seed and history of a finding", () => {
    expect(report(explore(1, 100, undefined), 2)).toMatch(
      /^no violation in 1\d\d crash states \(\d+ power losses, \d+ kills, \d+ of them with a damaged checkpoint\), \d+ rounds, 2\.0 s$/,
    );
    expect(report(explore(1, 1000, "mapBeforeData"), 0)).toMatch(/^seed \d+: .+\n[^]*write\(/);
  });
});
