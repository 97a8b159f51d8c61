import { besideCheckpoints, besideMarks } from "./beside.ts";
import { crashOf } from "./crash-plan.ts";
import { SeededRandom } from "../../src/util/random.ts";
import type { Fault, FaultKind } from "./faults.ts";
import { faultOf, fullDiskOf } from "./faults.ts";
import type { Profile } from "./profiles.ts";

/** One request. All choices are made among what exists then, so that a history can be cut anywhere. */
export interface Operation {
  readonly kind: OperationKind;
  /** Milliseconds after the start of the round. */
  readonly delayMs: number;
  readonly volume: number;
  readonly other: number;
  /** Draws for a place and a length. */
  readonly place: number;
  readonly length: number;
  /** A draw for whatever else is to be chosen. */
  readonly choice: number;
}

export type CrashKind = "kill" | "power" | "reboot";

export interface CrashPlan {
  /** Moments of the devices before it; past the end of the round: when nothing runs. */
  readonly after: number;
  readonly kind: CrashKind;
  /** Crashes of the recovery. */
  readonly again: readonly CrashPlan[];
}

/** Requests that overlap, and what ends them. Its own seed keeps a round what it is when others are cut out. */
export interface Round {
  readonly seed: number;
  readonly operations: readonly Operation[];
  readonly faults: readonly Fault[];
  /** Time that passes with nothing to do, in milliseconds. */
  readonly idleMs: number;
  /** Writes of a checkpoint's pages take up to so many milliseconds; 0: what others take. */
  readonly pagesMs: number;
  readonly crash: CrashPlan | undefined;
  /** The pool is closed in good order and opened again. */
  readonly isClosed: boolean;
}

export interface History {
  readonly seed: number;
  readonly profile: Profile;
  readonly rounds: readonly Round[];
}

const WEIGHT = {
  write: 38,
  writeLarge: 5,
  writeFua: 5,
  unmap: 8,
  writeZeroes: 4,
  read: 8,
  flush: 8,
  snapshot: 4,
  clone: 2,
  group: 3,
  remove: 5,
  rollback: 3,
  resize: 3,
  create: 2,
  attributes: 1,
  rename: 1,
  checkpoint: 3,
  sync: 1,
  addDevice: 1,
  growDevice: 1,
  // Only where a history heads for something.
  unmapLarge: 0,
  /** Only where a profile asks for it. */
  fence: 0,
} as const;

export type OperationKind = keyof typeof WEIGHT;

const KINDS: readonly OperationKind[] = Object.entries(WEIGHT).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind as OperationKind),
);

/** Extents that are freed and used again while others still look at them. */
const CHURN: readonly OperationKind[] = [
  "writeLarge",
  "write",
  "write",
  "write",
  "write",
  "read",
  "unmap",
  "unmap",
  "flush",
  "remove",
  "group",
  "clone",
];

const OPERATIONS_MAX = 8;
const HOT_SPOT_CHANCE = 0.4;
const IN_HOT_SPOT_CHANCE = 0.6;
const CRASH_CHANCE = 0.3;
const CLOSE_CHANCE = 0.03;
const FAULT_CHANCE = 0.2;
const FULL_DISK_CHANCE = 0.4;
const UINT32_RANGE = 2 ** 32;

/** Kinds of honest faults: the device says that something is wrong. */
const HONEST: readonly FaultKind[] = [
  "readError",
  "writeError",
  "flushError",
  "cacheLost",
  "noSpace",
  "stuck",
];
const LIES: readonly FaultKind[] = ["lostWrite", "misdirectedWrite", "bitFlip"];

/** The history of a seed. */
export function historyOf(seed: number, profile: Profile): History {
  const random = new SeededRandom(seed);
  if (profile.virginSteps !== null) return { seed, profile, rounds: besideMarks(random, profile) };
  if (profile.besideCheckpoints)
    return { seed, profile, rounds: besideCheckpoints(random, profile) };
  const count = random.between(2, profile.rounds);
  const rounds = Array.from({ length: count }, () => roundOf(random, profile));
  return { seed, profile, rounds };
}

function roundOf(random: SeededRandom, profile: Profile): Round {
  const lies = profile.lies && random.chance(0.3);
  const faults: Fault[] = [];
  if (lies) faults.push(faultOf(random, LIES, profile.devices));
  while (profile.faults && random.chance(FAULT_CHANCE)) {
    faults.push(faultOf(random, HONEST, profile.devices));
  }
  if (profile.fullDisks && random.chance(FULL_DISK_CHANCE)) {
    faults.push(fullDiskOf(random, profile.devices));
  }
  return {
    seed: random.below(UINT32_RANGE),
    operations: operationsOf(random, profile),
    faults,
    idleMs: random.pick([0, 0, 0, 0, 30, 300, 1500, 5000, 70_000]),
    pagesMs: profile.pagesMs,
    crash: random.chance(CRASH_CHANCE) ? crashOf(random, 0) : undefined,
    isClosed: random.chance(CLOSE_CHANCE),
  };
}

function operationsOf(random: SeededRandom, profile: Profile): Operation[] {
  const isChurn = random.chance(profile.churn);
  const attraction = isChurn || random.chance(HOT_SPOT_CHANCE) ? IN_HOT_SPOT_CHANCE : 0;
  const hot = { volume: random.uint32(), place: random.uint32() };
  const pull = (place: number): number => (random.chance(attraction) ? place : random.uint32());
  const short = 1 + Math.min(random.below(OPERATIONS_MAX), random.below(OPERATIONS_MAX));
  const count = isChurn ? OPERATIONS_MAX : short;
  const spreadMs = random.pick([0, 0, 1, 10]);
  const all = isChurn ? CHURN : [...KINDS, ...profile.favoured];
  const kinds = all.filter((kind) => !profile.without.includes(kind));
  return Array.from({ length: count }, () => ({
    kind: random.pick(kinds),
    delayMs: spreadMs === 0 ? 0 : random.below(spreadMs * 100) / 100,
    volume: pull(hot.volume),
    other: random.uint32(),
    place: pull(hot.place),
    length: random.uint32(),
    choice: random.uint32(),
  }));
}

/** One line a round, for people. */
export function inWords({ seed, profile, rounds }: History): string {
  const lines = rounds.map(({ operations, faults, idleMs, pagesMs, crash, isClosed }) => {
    const parts = [operations.map(operationInWords).join(" | ") || "nothing"];
    for (const { kind, device, after, count } of faults) {
      parts.push(`with ${kind} on device ${device} after ${after}, ${count} times`);
    }
    if (pagesMs > 0) parts.push(`pages take ${pagesMs} ms`);
    if (idleMs > 0) parts.push(`idle ${idleMs} ms`);
    if (crash !== undefined) parts.push(crashInWords(crash));
    else if (isClosed) parts.push("closed and opened");
    return `  ${parts.join(", ")}`;
  });
  return [`  profile ${profile.name}, seed ${seed}`, ...lines].join("\n");
}

function operationInWords({ kind, volume, place, length }: Operation): string {
  return `${kind}(${volume % 97},${place % 997},${length % 997})`;
}

function crashInWords({ after, kind, again }: CrashPlan): string {
  const names = { kill: "KILL", power: "POWER LOSS", reboot: "KILL AND REBOOT" };
  const first = `${names[kind]} after ${after} moments`;
  return [first, ...again.map((next) => `then ${crashInWords(next)}`)].join(", ");
}
