import { SeededRandom } from "../../src/util/random.ts";

/** One request. Volumes are chosen among those that exist then, so that a history can be cut anywhere. */
export interface Operation {
  readonly kind: OperationKind;
  readonly volume: number;
  readonly other: number;
  readonly block: number;
  readonly value: number;
}

export interface CrashPlan {
  /** Steps of the round before it. */
  readonly after: number;
  readonly isPowerLoss: boolean;
  /** A block of the newest checkpoint is lost with it. */
  readonly isDamaged: boolean;
  /** Crashes of the recovery: after how many of its steps each. */
  readonly again: readonly CrashPlan[];
}

/** Requests that overlap, and what ends them. Its own seed keeps a round what it is when others are cut out. */
export interface Round {
  readonly seed: number;
  readonly operations: readonly Operation[];
  readonly crash: CrashPlan | undefined;
  readonly flushFailures: number;
}

export type History = readonly Round[];

/** Out of a hundred. */
const WEIGHT = {
  write: 42,
  unmap: 8,
  read: 8,
  flush: 10,
  snapshot: 4,
  groupSnapshot: 3,
  remove: 5,
  rollback: 3,
  resize: 2,
  grow: 2,
  fill: 4,
  discard: 4,
  advance: 3,
  checkpoint: 5,
} as const;

export type OperationKind = keyof typeof WEIGHT;

const KINDS: readonly OperationKind[] = Object.entries(WEIGHT).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind as OperationKind),
);

/** What a round of churn consists of: extents that are freed and used again while others still look at them. */
const CHURN: readonly OperationKind[] = [
  "write",
  "write",
  "write",
  "write",
  "read",
  "read",
  "unmap",
  "flush",
  "remove",
  "groupSnapshot",
];
const CHURN_CHANCE = 0.2;

const ROUNDS = 40;
const OPERATIONS_MAX = 7;

/** How often the requests of a round meet in one place, and how many of them do then. */
const HOT_SPOT_CHANCE = 0.3;
const IN_HOT_SPOT_CHANCE = 0.6;
const CRASH_CHANCE = 0.35;
const CRASH_STEPS_MAX = 45;
const POWER_LOSS_CHANCE = 0.6;
const DAMAGE_CHANCE = 0.3;
const CRASH_AGAIN_CHANCE = 0.5;
const RECOVERY_STEPS_MAX = 12;
const FAILING_ROUND_CHANCE = 0.03;
const FLUSH_FAILURES = 0.3;
const CHOICES = 60;
const UINT32_RANGE = 2 ** 32;

/** The history of a seed. */
export function historyOf(seed: number): History {
  const random = new SeededRandom(seed);
  return Array.from({ length: ROUNDS }, (_, round) => ({
    seed: random.below(UINT32_RANGE),
    operations: operationsOf(random, round * OPERATIONS_MAX),
    crash: random.chance(CRASH_CHANCE) ? crashOf(random, CRASH_STEPS_MAX) : undefined,
    flushFailures: random.chance(FAILING_ROUND_CHANCE) ? FLUSH_FAILURES : 0,
  }));
}

function operationsOf(random: SeededRandom, valuesUsed: number): Operation[] {
  const isChurn = random.chance(CHURN_CHANCE);
  const attraction = isChurn || random.chance(HOT_SPOT_CHANCE) ? IN_HOT_SPOT_CHANCE : 0;
  const hot = { volume: random.below(CHOICES), block: random.below(CHOICES) };
  const pull = (place: number): number =>
    random.chance(attraction) ? place : random.below(CHOICES);
  // Of two draws the smaller: most rounds are short, because a history lives as long as its rounds.
  const short = 1 + Math.min(random.below(OPERATIONS_MAX), random.below(OPERATIONS_MAX));
  const count = isChurn ? OPERATIONS_MAX : short;
  return Array.from({ length: count }, (_, index) => ({
    kind: random.pick(isChurn ? CHURN : KINDS),
    volume: pull(hot.volume),
    other: random.below(CHOICES),
    block: pull(hot.block),
    value: valuesUsed + index + 1,
  }));
}

function crashOf(random: SeededRandom, stepsMax: number): CrashPlan {
  const again: CrashPlan[] = [];
  const isFirst = stepsMax === CRASH_STEPS_MAX;
  while (isFirst && random.chance(CRASH_AGAIN_CHANCE)) {
    again.push(crashOf(random, RECOVERY_STEPS_MAX));
  }
  return {
    after: random.below(stepsMax),
    isPowerLoss: random.chance(POWER_LOSS_CHANCE),
    isDamaged: random.chance(DAMAGE_CHANCE),
    again,
  };
}

/** One line a round, for people. */
export function inWords(history: History): string {
  return history
    .map(({ operations, crash, flushFailures }) => {
      const requests = operations.map(
        ({ kind, volume, other, block, value }) => `${kind}(${volume},${other},${block},${value})`,
      );
      const end = crash === undefined ? "" : ` ${crashInWords(crash)}`;
      return `  ${requests.join(" | ")}${end}${flushFailures > 0 ? " with failing flushes" : ""}`;
    })
    .join("\n");
}

function crashInWords({ after, isPowerLoss, isDamaged, again }: CrashPlan): string {
  const damage = isDamaged ? " with damage" : "";
  const first = `${isPowerLoss ? "POWER LOSS" : "KILL"}${damage} after ${after} steps`;
  return [first, ...again.map((next) => `then ${crashInWords(next)}`)].join(", ");
}
