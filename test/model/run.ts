/**
 * Walks as many crash states as it is told to:
 * `npx tsx test/model/run.ts [--states N] [--seed S] [--mutation NAME|all] [--json]`. Exit status 1: a promise is broken.
 */
import { parseArgs } from "node:util";
import { chooseSeed } from "../../src/util/random.ts";
import type { Exploration } from "./explorer.ts";
import { explore } from "./explorer.ts";
import { inWords } from "./history.ts";
import type { Mutation } from "./mutations.ts";
import { MUTATIONS, isMutation, noteOf } from "./mutations.ts";
import { crashStates } from "./walk.ts";

const STATES = 10_000_000;

/** Which crash states to walk. Throws a RangeError for what is no number or no mutation. */
export interface Plan {
  readonly states: number;
  readonly seed: number;
  readonly mutations: readonly (Mutation | undefined)[];
  /** Prints an exploration a line, for programs. */
  readonly isJson: boolean;
}

export function planOf(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      states: { type: "string" },
      seed: { type: "string" },
      mutation: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const states = Number(values.states ?? environment["THINLUN_MODEL_STATES"] ?? STATES);
  if (!Number.isSafeInteger(states) || states < 1) throw new RangeError("--states is a number");
  const seed = chooseSeed(
    values.seed === undefined ? environment : { ...environment, THINLUN_SEED: values.seed },
  );
  const { mutation, json: isJson } = values;
  if (mutation === undefined) return { states, seed, mutations: [undefined], isJson };
  if (mutation === "all") return { states, seed, mutations: MUTATIONS, isJson };
  if (!isMutation(mutation)) throw new RangeError(`no mutation is called ${mutation}`);
  return { states, seed, mutations: [mutation], isJson };
}

/** The result in words: the counts, and the history where there is one. */
export function report(exploration: Exploration, seconds: number): string {
  const { total, finding } = exploration;
  const states = crashStates(total);
  const counts =
    `${states} crash states (${total.powerLosses} power losses, ${total.kills} kills, ` +
    `${total.damages} of them with a damaged checkpoint), ` +
    `${total.rounds} rounds, ${seconds.toFixed(1)} s`;
  if (finding === undefined) return `no violation in ${counts}`;
  return `seed ${finding.seed}: ${finding.violation}, after ${counts}\n${inWords(finding.history)}`;
}

function main(): void {
  const { states, seed, mutations, isJson } = planOf(process.argv.slice(2), process.env);
  for (const mutation of mutations) {
    const begun = performance.now();
    const exploration = explore(seed, states, mutation);
    const seconds = (performance.now() - begun) / 1000;
    const name = mutation === undefined ? "the rules" : `${noteOf(mutation).rule} ${mutation}`;
    if (isJson) console.log(JSON.stringify(exploration));
    else console.log(`${name}, from seed ${seed}: ${report(exploration, seconds)}`);
    if ((exploration.finding === undefined) === (mutation !== undefined)) process.exitCode = 1;
  }
}

if (process.argv[1] === import.meta.filename) main();
