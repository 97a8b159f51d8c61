import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { explore } from "./explorer.ts";
import { historyOf, inWords } from "./history.ts";
import { MUTATIONS, noteOf } from "./mutations.ts";
import { planOf, report } from "./run.ts";
import { crashStates, runHistory } from "./walk.ts";

/** Few enough for every run; `test/model/run.ts` walks as many as it is told to. */
const STATES = 100_000;

/** No mutation may hide for longer. */
const STATES_UNTIL_CAUGHT = 50_000;

/** Mutations are looked for from here always, so that the bound is a fact and no chance. */
const FIXED_SEED = 1;

const plan = planOf([], {
  THINLUN_MODEL_STATES: process.env["THINLUN_MODEL_STATES"] ?? String(STATES),
  THINLUN_SEED: process.env["THINLUN_SEED"] ?? String(FIXED_SEED),
});

describe(`the ordering rules (THINLUN_SEED=${plan.seed})`, () => {
  it(`keep every promise in ${plan.states} crash states`, { timeout: 0 }, () => {
    const exploration = explore(plan.seed, plan.states, undefined);
    expect(exploration.finding, report(exploration, 0)).toBeUndefined();
    expect(crashStates(exploration.total)).toBeGreaterThanOrEqual(plan.states);
  });

  it("are walked the same way for the same seed", () => {
    expect(explore(7, 500, undefined)).toEqual(explore(7, 500, undefined));
  });
});

describe("docs/ordering-rules.md", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/ordering-rules.md"), "utf8");

  it.each(MUTATIONS.map((mutation) => ({ mutation, ...noteOf(mutation) })))(
    "states rule $rule and what $mutation does to it",
    ({ mutation, rule, breaks }) => {
      expect(page).toMatch(new RegExp(`^\\*\\*${rule}, `, "m"));
      const cells = page
        .split("\n")
        .find((line) => line.startsWith("|") && line.includes(`\`${mutation}\``));
      expect(cells?.split("|").map((cell) => cell.trim())).toEqual(
        expect.arrayContaining([rule, breaks]),
      );
    },
  );
});

describe("the checker", () => {
  it.each(MUTATIONS.map((mutation) => ({ mutation, ...noteOf(mutation) })))(
    "catches $mutation (rule $rule)",
    ({ mutation }) => {
      const { finding } = explore(FIXED_SEED, STATES_UNTIL_CAUGHT, mutation);
      expect(finding?.violation).toEqual(expect.any(String));
    },
  );

  it("shrinks what it finds to a history that still fails, and only under the mutation", () => {
    const { finding } = explore(FIXED_SEED, STATES_UNTIL_CAUGHT, "snapshotWithoutDrain");
    if (finding === undefined) throw new Error("nothing was found");
    expect(finding.history.length).toBeLessThan(historyOf(finding.seed).length / 4);
    expect(runHistory(finding.history, "snapshotWithoutDrain").violation).toBe(finding.violation);
    expect(runHistory(finding.history, undefined).violation).toBeUndefined();
    expect(inWords(finding.history)).toMatch(/snapshot\(/i);
  });
});
