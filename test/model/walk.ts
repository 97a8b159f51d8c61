import { SeededRandom } from "../../src/util/random.ts";
import { Disk } from "./disk.ts";
import { EXTENTS_PER_VOLUME } from "./geometry.ts";
import type { CrashPlan, History, Round } from "./history.ts";
import { checkInvariants } from "./invariants.ts";
import type { Mutation } from "./mutations.ts";
import { Oracle } from "./oracle.ts";
import type { Pool, Steps } from "./pool.ts";
import { newPool } from "./pool.ts";
import { finishOrphans, orphanedCells } from "./punch.ts";
import { checkFallback, expendableCell, format, recover } from "./recovery.ts";
import type { Context } from "./requests.ts";
import { requestOf } from "./requests.ts";
import { runTasks } from "./scheduler.ts";
import { Violation } from "./violation.ts";

/** What a pool that has failed comes to. */
const FAILED = { after: 0, isDamaged: false, again: [] };

const FIRST_VOLUMES = [0, 1];

/** A round longer than this is a livelock. */
const STEPS_MAX = 5_000;

/** What became of one history, or of many. */
export interface Outcome {
  /** Crashes that were recovered from, those of recoveries among them. */
  powerLosses: number;
  kills: number;
  /** Of these, how many met a newest checkpoint that was damaged. */
  damages: number;
  rounds: number;
  violation: string | undefined;
}

export function crashStates({ powerLosses, kills }: Outcome): number {
  return powerLosses + kills;
}

/** Lives through one history on a fresh disk. */
export function runHistory(history: History, mutation: Mutation | undefined): Outcome {
  const walk = new Walk(mutation);
  try {
    walk.format();
    for (const round of history) walk.runRound(round);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    walk.outcome.violation = error.message;
  }
  return walk.outcome;
}

class Walk {
  readonly outcome: Outcome = {
    powerLosses: 0,
    kills: 0,
    damages: 0,
    rounds: 0,
    violation: undefined,
  };
  readonly #mutation: Mutation | undefined;
  readonly #disk = new Disk(new SeededRandom(0));
  readonly #oracle = new Oracle(FIRST_VOLUMES, EXTENTS_PER_VOLUME);
  #pool: Pool;
  #lastId = Math.max(...FIRST_VOLUMES);
  /** What was lost with the last crash: until a recovery has come to its end, there is nothing else to fall back to. */
  #damaged: number | undefined;
  /** Cells that a helper of a killed daemon goes on zeroing: only a mutation leaves any. */
  #orphans: readonly number[] = [];

  constructor(mutation: Mutation | undefined) {
    this.#mutation = mutation;
    this.#pool = newPool(this.#disk, new SeededRandom(0), mutation);
  }

  format(): void {
    runTasks([format(this.#pool, FIRST_VOLUMES)], this.#pool.random, STEPS_MAX);
  }

  runRound(round: Round): void {
    this.outcome.rounds += 1;
    const random = new SeededRandom(round.seed);
    this.#disk.random = random;
    this.#pool.random = random;
    this.#pool.flushFailures = round.flushFailures;
    const end = runTasks(this.#tasksOf(round), random, round.crash?.after ?? STEPS_MAX);
    if (end === "crashed" && round.crash === undefined) throw new Violation("a round does not end");
    // A flush that failed leaves pages that read well and are not on the media: the machine must start anew.
    const isReopened = this.#mutation === "reopenAfterFailure";
    if (end === "failed") this.#crash({ ...FAILED, isPowerLoss: !isReopened }, random);
    else if (round.crash !== undefined) {
      this.#crash(round.crash, random);
    } else {
      this.#oracle.checkLive(this.#pool);
    }
    checkInvariants(this.#pool);
  }

  #tasksOf(round: Round): Steps[] {
    const context: Context = {
      pool: this.#pool,
      oracle: this.#oracle,
      newId: () => (this.#lastId += 1),
      expected: this.#oracle.volumes.length,
    };
    const orphans = finishOrphans(this.#disk, this.#orphans);
    this.#orphans = [];
    return [
      orphans,
      ...round.operations.flatMap((operation) => requestOf(context, operation) ?? []),
    ];
  }

  /** The crash, then recoveries until one is not crashed itself, then the check of what it found. */
  #crash(crash: CrashPlan, random: SeededRandom): void {
    this.#lose(crash, random);
    let hasLostPower = crash.isPowerLoss;
    for (const plan of crash.again) {
      const pool = newPool(this.#disk, random, this.#mutation);
      if (runTasks([recover(pool)], random, plan.after) === "complete") break;
      this.#pool = pool;
      this.#lose(plan, random);
      hasLostPower ||= plan.isPowerLoss;
    }
    this.#pool = newPool(this.#disk, random, this.#mutation);
    runTasks([recover(this.#pool)], random, STEPS_MAX);
    this.#damaged = undefined;
    this.#oracle.checkRecovered(this.#pool, hasLostPower);
  }

  #lose({ isPowerLoss, isDamaged }: CrashPlan, random: SeededRandom): void {
    if (isPowerLoss) {
      this.outcome.powerLosses += 1;
      this.#orphans = [];
      this.#disk.powerCut();
    } else {
      this.outcome.kills += 1;
      this.#leaveOrphans(random);
    }
    if (this.#damaged === undefined) checkFallback(this.#disk);
    const cell = isDamaged ? expendableCell(this.#disk, random) : undefined;
    if (cell === undefined) return;
    this.outcome.damages += 1;
    this.#disk.damage(cell);
    this.#damaged = cell;
  }

  #leaveOrphans(random: SeededRandom): void {
    const cells = orphanedCells(this.#pool);
    if (this.#mutation === "orphanPunch") this.#orphans = cells;
    // The restart waits for the helper, which ends its work or is killed with it.
    else for (const cell of cells) if (random.chance(0.5)) this.#disk.write(cell, 0);
  }
}
