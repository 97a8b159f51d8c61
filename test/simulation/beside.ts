import type { SeededRandom } from "../../src/util/random.ts";
import { crashOf } from "./crash-plan.ts";
import type { Operation, OperationKind, Round } from "./history.ts";
import { SECTOR_BYTES } from "./media.ts";
import type { Profile } from "./profiles.ts";

const UINT32_RANGE = 2 ** 32;

/** Of a write that fills the pool: what {@link Operation} "writeLarge" writes at the most. */
const FILL_SECTORS = 1024;

/** Most of what goes wrong with a checkpoint shows when it is the newest one. */
const CRASH_CHANCE = 0.6;

/** What else goes on while extents are mapped, freed for good and taken again. */
const OTHERS: readonly OperationKind[] = ["write", "write", "group", "checkpoint", "sync", "read"];
/** Moments that no round has. */
const AT_THE_END = 10_000;
/** The first writes are through by then. */
const BEFORE_MS = 20;
const GROWTH: readonly OperationKind[] = ["addDevice", "growDevice"];

/**
 * A pool that is nearly full, and checkpoints of which the pages take their time: what has a page of a checkpoint in the end was mapped and
 * freed, or added to the pool, after the maps were captured.
 */
export function besideCheckpoints(random: SeededRandom, profile: Profile): Round[] {
  const rounds: Round[] = [fill(random, profile)];
  const count = random.between(2, profile.rounds);
  while (rounds.length < count) rounds.push(roundOf(random, profile));
  return rounds;
}

/** What a step of a mark is written with. */
const STEP_SECTORS = 1024;

/** What is written lasts for the first part of a checkpoint: its last pages come behind it. */
const STEPS_SHARE = 1 / 3;

/** Volumes are there by then. */
const CREATED_MS = 200;

/** Their records fill so many pages more. */
const CREATIONS_MAX = 24;

/**
 * A pool that has hardly been used, and checkpoints of which the pages take their time: meanwhile so much is written to new places that the
 * virgin marks move on, past those of the checkpoint. There are more and more volumes: the pages with their records, which come last, need new
 * places each time.
 */
export function besideMarks(random: SeededRandom, profile: Profile): Round[] {
  const rounds: Round[] = [];
  const count = random.between(2, profile.rounds);
  for (let next = 0; rounds.length < count;) {
    const pagesMs = random.pick([300, 1000]);
    const steps = random.between(4, 9);
    const operations = [
      ...Array.from({ length: random.below(CREATIONS_MAX + 1) }, () =>
        operationOf(random, { kind: "create", length: random.below(2), choice: 1 }),
      ),
      ...Array.from({ length: random.below(3) }, () => operationOf(random, {})),
      operationOf(random, { kind: "checkpoint", delayMs: CREATED_MS }),
      ...newPlaces(random, profile, { next, steps, forMs: pagesMs * STEPS_SHARE }),
    ];
    next += steps;
    const round = roundWith(random, operations, pagesMs);
    rounds.push(random.chance(CRASH_CHANCE) ? crashed(random, round) : round);
  }
  return rounds;
}

/** Writes to where nothing was written before, from the `next`th on, first in the first volume and then in the second. */
function newPlaces(
  random: SeededRandom,
  { volumeExtents, extentBytes }: Profile,
  { next, steps, forMs }: { next: number; steps: number; forMs: number },
): Operation[] {
  const sectors = (Math.ceil(volumeExtents / 2) * extentBytes) / SECTOR_BYTES;
  const places = Math.floor((sectors - 1) / STEP_SECTORS);
  return Array.from({ length: steps }, (_, step) => {
    const at = next + step;
    return operationOf(random, {
      kind: "writeLarge",
      volume: Math.floor(at / places) % 2,
      place: 1 + (at % places) * STEP_SECTORS,
      length: STEP_SECTORS - 1,
      delayMs: CREATED_MS + (forMs * step) / steps,
    });
  });
}

function operationOf(random: SeededRandom, part: Partial<Operation>): Operation {
  return {
    kind: "write",
    delayMs: 0,
    volume: random.uint32(),
    other: random.uint32(),
    place: random.uint32(),
    length: random.uint32(),
    choice: random.uint32(),
    ...part,
  };
}

/** Most of the first volume is written, and small ones are made: each has pages of its own. */
function fill(random: SeededRandom, profile: Profile): Round {
  const sectors = (Math.ceil(profile.volumeExtents / 2) * profile.extentBytes) / SECTOR_BYTES;
  const operations: Operation[] = [];
  for (let first = 1; first + FILL_SECTORS <= sectors; first += FILL_SECTORS) {
    const length = FILL_SECTORS - 1;
    operations.push(operationOf(random, { kind: "writeLarge", volume: 0, place: first, length }));
  }
  const small = random.between(0, profile.volumesMax);
  for (let count = 0; count < small; count += 1) {
    operations.push(operationOf(random, { kind: "create", length: random.below(8), choice: 1 }));
  }
  return roundWith(random, operations, 0);
}

function roundWith(random: SeededRandom, operations: readonly Operation[], pagesMs: number): Round {
  const calm = { faults: [], idleMs: 0, crash: undefined, isClosed: false };
  return { seed: random.below(UINT32_RANGE), operations, pagesMs, ...calm };
}

function roundOf(random: SeededRandom, profile: Profile): Round {
  const pagesMs = random.pick([100, 300, 1000]);
  const operations: Operation[] = [];
  for (let count = random.below(6); count > 0; count -= 1) operations.push(operationOf(random, {}));
  operations.push(operationOf(random, { kind: "checkpoint", delayMs: BEFORE_MS }));
  operations.push(...churn(random, pagesMs, random.between(2, 6)));
  const others = [...OTHERS, ...GROWTH, ...GROWTH].filter(
    (kind) => !profile.without.includes(kind),
  );
  for (let count = random.below(5); count > 0; count -= 1) {
    const delayMs = BEFORE_MS + random.below(pagesMs);
    operations.push(operationOf(random, { kind: random.pick(others), delayMs }));
  }
  const round = roundWith(random, operations, pagesMs);
  return random.chance(CRASH_CHANCE) ? crashed(random, round) : round;
}

function crashed(random: SeededRandom, round: Round): Round {
  const after = random.pick([random.below(200), AT_THE_END]);
  return { ...round, crash: { ...crashOf(random, 0), after } };
}

/** Extents of the second volume are mapped, and freed for good, again and again. */
function churn(random: SeededRandom, pagesMs: number, steps: number): Operation[] {
  return Array.from({ length: steps }, (_, step) => {
    const hot = { volume: 1, place: random.pick([0, random.uint32()]) };
    const delayMs = BEFORE_MS + (pagesMs * step) / steps;
    return [
      operationOf(random, { ...hot, kind: "writeLarge", delayMs }),
      operationOf(random, { ...hot, kind: "unmapLarge", delayMs: delayMs + 5 }),
      operationOf(random, { ...hot, kind: "flush", delayMs: delayMs + 10 }),
    ];
  }).flat();
}
