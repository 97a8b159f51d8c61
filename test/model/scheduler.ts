import type { SeededRandom } from "../../src/util/random.ts";
import type { Steps } from "./pool.ts";
import { FlushFailed, Violation } from "./violation.ts";

export type RoundEnd = "complete" | "crashed" | "failed";

/**
 * How often a round runs by priorities: the first task that can go on does, until it is put last. That is how a task
 * gets stuck in the middle while others come to their end, which fair choices hardly ever make.
 */
const PRIORITIES_CHANCE = 0.6;
const DEMOTION_CHANCE = 0.1;

interface Task {
  readonly steps: Steps;
  isReady: (() => boolean) | undefined;
}

/** Runs tasks step by step in any order that their conditions allow, until all are done or `stepsMax` are. */
export function runTasks(
  tasks: readonly Steps[],
  random: SeededRandom,
  stepsMax: number,
): RoundEnd {
  const open: Task[] = inAnyOrder(tasks, random).map((steps) => ({ steps, isReady: undefined }));
  const hasPriorities = random.chance(PRIORITIES_CHANCE);
  for (let steps = 0; open.length > 0; steps += 1) {
    if (steps === stepsMax) return "crashed";
    const task = hasPriorities ? open.find(canGoOn) : anyOf(open.filter(canGoOn), random);
    if (task === undefined) throw new Violation("the tasks wait for each other");
    const step = next(task);
    if (step === "failed") return "failed";
    const isDemoted = hasPriorities && random.chance(DEMOTION_CHANCE);
    if (step === "done" || isDemoted) open.splice(open.indexOf(task), 1);
    if (step !== "done" && isDemoted) open.push(task);
  }
  return "complete";
}

function canGoOn({ isReady }: Task): boolean {
  return isReady === undefined || isReady();
}

function anyOf(tasks: readonly Task[], random: SeededRandom): Task | undefined {
  return tasks.length > 0 ? random.pick(tasks) : undefined;
}

function next(task: Task): "done" | "waiting" | "failed" {
  try {
    const step = task.steps.next();
    if (step.done === true) return "done";
    task.isReady = step.value;
    return "waiting";
  } catch (error) {
    if (error instanceof FlushFailed) return "failed";
    throw error;
  }
}

function inAnyOrder(tasks: readonly Steps[], random: SeededRandom): Steps[] {
  const left = [...tasks];
  return tasks.flatMap(() => left.splice(random.below(left.length), 1));
}
