import { expect, it } from "vitest";
import { MUTATIONS, noteOf } from "./mutations.ts";
import { carryOut, planOf } from "./run.ts";

/** No mutation may hide for longer. */
const HISTORIES_UNTIL_CAUGHT = 400;

/** They are looked for from here always, so that the bound is a fact and no chance. */
const FIXED_SEED = "1";

/** A minute is plenty on a machine that does nothing else. */
const TIMEOUT_MS = 300_000;

const mutations = MUTATIONS.map((mutation) => ({ mutation, ...noteOf(mutation) }));

it.each(mutations)(
  "the simulation notices $mutation (rule $rule)",
  { timeout: TIMEOUT_MS },
  async ({ mutation }) => {
    const bounds = { histories: HISTORIES_UNTIL_CAUGHT, seconds: 300, shrinkRuns: 0 };
    const plan = planOf([], { THINLUN_SEED: FIXED_SEED });
    const { finding } = await carryOut({ ...plan, bounds }, mutation);
    expect(finding?.violation).toEqual(expect.any(String));
  },
);
