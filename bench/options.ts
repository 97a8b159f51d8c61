import { parseArgs } from "node:util";
import { GENERATORS } from "./generators/all.ts";
import type { Generator } from "./generators/generator.ts";
import { LOADS, type NamedLoad } from "./loads.ts";
import { PEERS } from "./peers/all.ts";
import type { Peer } from "./peers/peer.ts";
import { LOAD_GROUPS } from "./result.ts";

/** A command line that nothing can be made of. */
export class UsageError extends Error {}

export interface BenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly isQuick: boolean;
  readonly only: readonly string[];
  readonly loads: readonly NamedLoad[];
  readonly peers: readonly Peer[];
  /** Besides our own. */
  readonly generators: readonly Generator[];
  /** They were asked for, and are put on all loads that they can. */
  readonly checksAll: boolean;
  readonly jsonFile: string | null;
  readonly htmlFile: string | null;
  readonly compareFile: string | null;
  /** Where files go that must not be in memory. */
  readonly folder: string | null;
}

export const HELP = `npm run bench -- [options]          this target beside all others that are installed
npm run bench -- engine [options]   thin volumes beside raw files
npm run bench -- micro [NAME...]    single parts of it: checksums, framing, codecs, maps, journal
npm run bench -- report FILE        with --html: the report of results that were written down

  --only NAME[,NAME]  loads, groups of loads and peers; see --list
  --generators NAME[,NAME]
                      what puts the loads on: own, and others beside it on all loads that
                      they can; all of them on a few loads where it is left out
  --rounds N          so many samples of each, in turn (5)
  --seconds S         each so long (2)
  --quick             fewer loads, 1 round, 0.3 s: whether all of it runs
  --json FILE         the results, for the report and for --compare
  --html FILE         the report, with plots, for a browser
  --compare FILE      beside results of an earlier run on this machine
  --folder FOLDER     for data that must lie on a disk (the folder of temporary files)
  --list              what --only takes
`;

const QUICK_SECONDS = 0.3;

function positive(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`--${name} takes a number above 0, not ${text}`);
}

/** Names of peers take peers, all others loads; of each that is not named at all, all are taken. */
function select(
  only: readonly string[],
  isQuick: boolean,
): { readonly loads: readonly NamedLoad[]; readonly peers: readonly Peer[] } {
  const groups: readonly string[] = LOAD_GROUPS;
  for (const name of only) {
    const isKnown =
      groups.includes(name) ||
      PEERS.some((peer) => peer.name === name) ||
      LOADS.some(({ id }) => id === name);
    if (!isKnown) throw new UsageError(`--only knows no ${name}; --list says what it knows`);
  }
  const peers = PEERS.filter(({ name }) => only.includes(name));
  const loads = LOADS.filter(({ id, group }) => only.includes(id) || only.includes(group));
  // What is named one by one is wanted, quick or not.
  const unnamed = LOADS.filter((load) => !isQuick || load.isQuick);
  const named = loads.filter((load) => !isQuick || load.isQuick || only.includes(load.id));
  return {
    peers: peers.length === 0 ? PEERS : peers,
    loads: loads.length === 0 ? unnamed : named,
  };
}

const OWN = "own";

/** Bars and ratios are of our own generator, so that it is never left out. */
function selectGenerators(
  text: string | undefined,
): Pick<BenchOptions, "generators" | "checksAll"> {
  if (text === undefined) return { generators: GENERATORS, checksAll: false };
  const names = text.split(",").filter(Boolean);
  for (const name of names) {
    if (name === OWN || GENERATORS.some((generator) => generator.name === name)) continue;
    throw new UsageError(`--generators knows no ${name}; --list says what it knows`);
  }
  if (!names.includes(OWN)) throw new UsageError(`--generators takes others beside ${OWN} only`);
  return { generators: GENERATORS.filter(({ name }) => names.includes(name)), checksAll: true };
}

/** "help" and "list" where these are asked for. Throws `UsageError`. */
export function parseOptions(args: readonly string[]): BenchOptions | "help" | "list" {
  const parsed = parse(args);
  if (parsed.help === true) return "help";
  if (parsed.list === true) return "list";
  const isQuick = parsed.quick ?? false;
  const only = (parsed.only ?? []).flatMap((names) => names.split(",")).filter(Boolean);
  const rounds = positive("rounds", parsed.rounds, isQuick ? 1 : 5);
  if (!Number.isInteger(rounds)) throw new UsageError("--rounds takes a whole number");
  return {
    rounds,
    seconds: positive("seconds", parsed.seconds, isQuick ? QUICK_SECONDS : 2),
    isQuick,
    only,
    ...select(only, isQuick),
    ...selectGenerators(parsed.generators),
    jsonFile: parsed.json ?? null,
    htmlFile: parsed.html ?? null,
    compareFile: parsed.compare ?? null,
    folder: parsed.folder ?? null,
  };
}

interface Parsed {
  readonly help?: boolean;
  readonly list?: boolean;
  readonly quick?: boolean;
  readonly only?: string[];
  readonly generators?: string;
  readonly rounds?: string;
  readonly seconds?: string;
  readonly json?: string;
  readonly html?: string;
  readonly compare?: string;
  readonly folder?: string;
}

function parse(args: readonly string[]): Parsed {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: flag,
        list: flag,
        quick: flag,
        rounds: text,
        seconds: text,
        generators: text,
        json: text,
        html: text,
        compare: text,
        folder: text,
        only: { type: "string", multiple: true },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export function listText(): string {
  const lines = [
    `groups: ${LOAD_GROUPS.join(", ")}`,
    `peers: ${PEERS.map(({ name }) => name).join(", ")}`,
    `generators: ${[OWN, ...GENERATORS.map(({ name }) => name)].join(", ")}`,
    "loads:",
    ...LOADS.map(({ id, title }) => `  ${id.padEnd(34)} ${title}`),
  ];
  return `${lines.join("\n")}\n`;
}
