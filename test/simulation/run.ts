/**
 * Lets the engine live through histories on made-up disks:
 * `THINLUN_SEED=S npx tsx test/simulation/run.ts [--histories N] [--seconds N] [--seed S] [--profile NAME] [--exhaustive LENGTH]
 * [--mutation NAME|all]`. Exit status 1: a promise is broken.
 */
import { parseArgs } from "node:util";
import { chooseSeed } from "../../src/util/random.ts";
import { engineDriver } from "./engine.ts";
import { exhaust } from "./exhaustion.ts";
import type { Bounds, Exploration } from "./explorer.ts";
import { explore } from "./explorer.ts";
import { inWords } from "./history.ts";
import type { Mutation } from "./mutations.ts";
import { isMutation, MUTATIONS, noteOf } from "./mutations.ts";
import type { Profile } from "./profiles.ts";
import { profileNamed, PROFILES } from "./profiles.ts";

const SECONDS = 600;
const SHRINK_RUNS = 600;

export interface Plan {
  readonly bounds: Bounds;
  readonly seed: number;
  readonly profiles: readonly Profile[];
  /** 0: random histories. */
  readonly exhaustiveLength: number;
  readonly mutations: readonly (Mutation | undefined)[];
}

/** Throws a RangeError for what is no number, profile or mutation. */
export function planOf(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      histories: { type: "string" },
      seconds: { type: "string" },
      seed: { type: "string" },
      profile: { type: "string" },
      exhaustive: { type: "string" },
      mutation: { type: "string" },
    },
  });
  const { profile, mutation, seed } = values;
  const seconds = values.seconds ?? environment["THINLUN_SIMULATION_SECONDS"];
  return {
    bounds: {
      histories: numberOf("--histories", values.histories, Number.MAX_SAFE_INTEGER),
      seconds: numberOf("--seconds", seconds, SECONDS),
      shrinkRuns: SHRINK_RUNS,
    },
    seed: chooseSeed(seed === undefined ? environment : { ...environment, THINLUN_SEED: seed }),
    profiles: profile === undefined ? PROFILES : [profileNamed(profile)],
    exhaustiveLength: numberOf("--exhaustive", values.exhaustive, 0),
    mutations: mutationsOf(mutation),
  };
}

function numberOf(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined || text === "") return otherwise;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`${option} is a number`);
  return number;
}

function mutationsOf(name: string | undefined): readonly (Mutation | undefined)[] {
  if (name === undefined) return [undefined];
  if (name === "all") return MUTATIONS;
  if (!isMutation(name)) throw new RangeError(`no mutation is called ${name}`);
  return [name];
}

/** The result in words: the counts, and the history where there is one. */
export function report({ total, finding }: Exploration, seconds: number): string {
  const { kill, power, reboot } = total.crashes;
  const faults = [...total.faults].map(([kind, count]) => `${count} ${kind}`).join(", ");
  const counts = [
    `${total.histories} histories`,
    `${total.operations} operations`,
    `${kill + power + reboot} crashes (${power} power losses, ${kill} kills, ${reboot} reboots)`,
    `${total.recoveries} recoveries, ${total.recoveriesCrashed} more crashed themselves`,
    `${total.refusals} incomplete pools refused`,
    `${total.sectorsVerified} sectors verified`,
    `faults: ${faults === "" ? "none" : faults}; ${total.detected} lies detected`,
    `${seconds.toFixed(1)} s`,
  ].join(", ");
  if (finding === undefined) return `no violation in ${counts}`;
  return `seed ${finding.seed}: ${finding.violation}, after ${counts}\n${inWords(finding.history)}`;
}

export async function carryOut(plan: Plan, mutation?: Mutation): Promise<Exploration> {
  if (mutation === undefined) {
    if (plan.exhaustiveLength > 0) return exhaust(plan.seed, plan.exhaustiveLength, plan.bounds);
    return explore(plan.seed, plan.profiles, plan.bounds);
  }
  const note = noteOf(mutation);
  const profile = profileNamed(note.profile);
  // Its first disks are made while all is well.
  await engineDriver.media(profile);
  const mend = note.apply();
  try {
    return await explore(plan.seed, [profile], plan.bounds, note.history);
  } finally {
    mend();
  }
}

async function main(): Promise<void> {
  const plan = planOf(process.argv.slice(2), process.env);
  for (const mutation of plan.mutations) {
    const begun = performance.now();
    const exploration = await carryOut(plan, mutation);
    const seconds = (performance.now() - begun) / 1000;
    console.log(
      `${mutation ?? "the engine"}, from seed ${plan.seed}: ${report(exploration, seconds)}`,
    );
    if ((exploration.finding === undefined) === (mutation !== undefined)) process.exitCode = 1;
  }
}

if (process.argv[1] === import.meta.filename) await main();
