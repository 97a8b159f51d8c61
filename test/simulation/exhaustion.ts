import { SeededRandom } from "../../src/util/random.ts";
import { engineDriver } from "./engine.ts";
import type { Bounds, Exploration } from "./explorer.ts";
import { found } from "./explorer.ts";
import type { CrashKind, History, Operation, OperationKind, Round } from "./history.ts";
import type { Profile } from "./profiles.ts";
import { profileNamed } from "./profiles.ts";
import { addOutcome, newOutcome, runHistory } from "./walk.ts";

/** What small histories are made of: two volumes of three extents, all that changes something. */
const ALPHABET: readonly Partial<Operation>[] = [
  { kind: "write", place: 0, choice: 3 },
  { kind: "write", place: 40, choice: 0, length: 7 },
  { kind: "write", place: 0, choice: 4 },
  { kind: "writeFua", place: 8, choice: 1 },
  { kind: "unmap", place: 0, choice: 5, length: 1 },
  { kind: "flush" },
  { kind: "snapshot" },
  { kind: "group", choice: 0 },
  { kind: "rollback", volume: 0, other: 1 },
  { kind: "rollback", volume: 1, other: 0 },
  { kind: "remove", volume: 1 },
  { kind: "remove" },
  { kind: "resize", length: 3 },
  { kind: "checkpoint" },
];

const RACE_CHANCE = 0.4;

const CRASHES: readonly CrashKind[] = ["kill", "power", "power", "reboot"];

const TINY: Profile = { ...profileNamed("small"), name: "small", volumeExtents: 6 };

function operationOf(part: Partial<Operation>): Operation {
  const kind: OperationKind = part.kind ?? "write";
  return { kind, delayMs: 0, volume: 0, other: 0, place: 0, length: 0, choice: 0, ...part };
}

/** One operation, or two at the same time. */
function roundOf(random: SeededRandom): Round {
  const count = random.chance(RACE_CHANCE) ? 2 : 1;
  const operations = Array.from({ length: count }, () => operationOf(random.pick(ALPHABET)));
  const calm = { faults: [], idleMs: 0, pagesMs: 0, crash: undefined, isClosed: false };
  return { seed: random.uint32(), operations, ...calm };
}

/**
 * Crashes in every moment of the last of up to `length` rounds of an operation or two, for as many sequences of them as the bounds allow:
 * in random order, so that a short time sees something of everything.
 */
export async function exhaust(seed: number, length: number, bounds: Bounds): Promise<Exploration> {
  const total = newOutcome();
  const random = new SeededRandom(seed);
  const endMs = performance.now() + bounds.seconds * 1000;
  const isOver = (): boolean => total.histories >= bounds.histories || performance.now() >= endMs;
  while (!isOver()) {
    const count = random.between(1, length);
    const rounds = Array.from({ length: count }, () => roundOf(random));
    const calm: History = { seed, profile: TINY, rounds };
    for (const history of crashesOf(calm, (await momentsOf(calm)) ?? 0)) {
      if (isOver()) break;
      const outcome = await runHistory(history, engineDriver);
      addOutcome(total, outcome);
      if (outcome.violation === undefined) continue;
      const finding = await found(history, outcome.violation, bounds.shrinkRuns);
      total.violation = finding.violation;
      return { total, finding };
    }
  }
  return { total, finding: undefined };
}

async function momentsOf(history: History): Promise<number | undefined> {
  return (await runHistory(history, engineDriver)).moments.at(-1);
}

function* crashesOf(calm: History, moments: number): Generator<History> {
  const last = calm.rounds.length - 1;
  const round = calm.rounds[last];
  if (round === undefined) return;
  for (let after = 0; after <= moments; after += 1) {
    for (const kind of CRASHES) {
      const crash = { after, kind, again: [] };
      yield { ...calm, rounds: calm.rounds.with(last, { ...round, crash }) };
    }
  }
}
