import { assert } from "../util/assert.ts";
import { TASK_SET_MAX } from "./limits.ts";
import type { Nexus } from "./nexus.ts";
import { TaskAttribute, type Task } from "./task.ts";

/** Tasks that have not left yet, and what to do when they have. */
interface Departure {
  readonly tasks: Set<Task>;
  /** It is not enough that a task has ended: I/O may still use its memory. */
  readonly awaitsIo: boolean;
  readonly done: () => void;
}

/**
 * The tasks of one logical unit, over all nexuses (SAM-5 8). A SIMPLE task costs an append and a swap; the rules for
 * ORDERED and HEAD OF QUEUE (SAM-5 8.6) work on the queue of dormant tasks, which is normally empty.
 */
export class TaskSet {
  readonly #start: (task: Task) => void;
  /** All tasks, dormant ones too, in no order: a removal moves the last one into the gap. */
  readonly #tasks: Task[] = [];
  /** Tasks that wait for others to end, oldest first. */
  readonly #dormant: Task[] = [];
  /** Enabled tasks that hold back SIMPLE ones: ORDERED and HEAD OF QUEUE. */
  #exclusiveCount = 0;
  #waking = false;
  readonly #departures: Set<Departure> = new Set();

  /** `start` runs a task that waited. */
  constructor(start: (task: Task) => void) {
    this.#start = start;
  }

  get size(): number {
    return this.#tasks.length;
  }

  get full(): boolean {
    return this.#tasks.length >= TASK_SET_MAX;
  }

  /**
   * Takes a task in. True: it is enabled and the caller runs it now. False: it is dormant and will be started. The
   * caller has seen that the set is not {@link full} and the attribute is not ACA.
   */
  add(task: Task): boolean {
    assert(task.taskSetIndex === -1, "a task is in one task set once");
    const { attribute } = task;
    task.taskSetIndex = this.#tasks.length;
    this.#tasks.push(task);
    if (attribute <= TaskAttribute.simple) {
      if (this.#dormant.length === 0 && this.#exclusiveCount === 0) return true;
    } else if (
      attribute === TaskAttribute.headOfQueue ||
      (this.#dormant.length === 0 && this.#tasks.length === 1)
    ) {
      this.#exclusiveCount += 1;
      return true;
    }
    task.dormant = true;
    this.#dormant.push(task);
    return false;
  }

  /** Lets a task go that ended. A task that never came in is left alone. */
  remove(task: Task): void {
    const index = task.taskSetIndex;
    if (index === -1) return;
    assert(this.#tasks[index] === task, "a task knows its place in the set");
    const last = this.#tasks.pop();
    if (last !== undefined && last !== task) {
      this.#tasks[index] = last;
      last.taskSetIndex = index;
    }
    task.taskSetIndex = -1;
    if (task.dormant) {
      task.dormant = false;
      this.#dormant.splice(this.#dormant.indexOf(task), 1);
    } else if (task.attribute > TaskAttribute.simple) {
      this.#exclusiveCount -= 1;
    }
    if (this.#dormant.length !== 0) this.#wake();
    if (this.#departures.size !== 0) this.#noticeDeparture(task, task.ioRunning);
  }

  /** The I/O of a task that was removed before has ended. */
  leave(task: Task): void {
    assert(task.taskSetIndex === -1 && !task.ioRunning, "a task ends before it leaves");
    this.#noticeDeparture(task, false);
  }

  /** Starts the dormant tasks that nothing holds back any more. */
  #wake(): void {
    // A started task may end at once and come back here: the outer loop goes on then.
    if (this.#waking) return;
    this.#waking = true;
    for (;;) {
      const next = this.#dormant[0];
      if (next === undefined || !this.#mayStart(next)) break;
      this.#dormant.shift();
      next.dormant = false;
      if (next.attribute > TaskAttribute.simple) this.#exclusiveCount += 1;
      this.#start(next);
    }
    this.#waking = false;
  }

  /** Everything enabled is older than the oldest dormant task, or HEAD OF QUEUE. A cancelled one is about to leave. */
  #mayStart(task: Task): boolean {
    if (task.cancelled) return false;
    if (task.attribute === TaskAttribute.ordered) {
      return this.#tasks.length === this.#dormant.length;
    }
    return this.#exclusiveCount === 0;
  }

  /** The task with this tag of this nexus, or undefined. */
  find(nexus: Nexus, tag: number): Task | undefined {
    return this.#tasks.find((task) => task.nexus === nexus && task.tag === tag && !task.cancelled);
  }

  /** True when the nexus has a task here that was neither aborted nor expelled. */
  hasTasksOf(nexus: Nexus): boolean {
    return this.#tasks.some((task) => task.nexus === nexus && !task.cancelled);
  }

  /** The tasks of one nexus; of all where it is null. A copy: aborting changes the set. */
  tasksOf(nexus: Nexus | null): Task[] {
    return this.#tasks.filter((task) => nexus === null || task.nexus === nexus);
  }

  /**
   * Aborts tasks of this set (SAM-5 5.6) and calls `done` when all of them have left: at once, unless I/O still uses
   * their buffers. Those that were expelled are waited for, and answered all the same.
   */
  abort(tasks: readonly Task[], done: () => void): void {
    const departure: Departure = { tasks: new Set(tasks), awaitsIo: false, done };
    this.#departures.add(departure);
    // All are marked before the first one stops: what its end sets free must not start one that is to go too.
    const fresh = tasks.filter((task) => !task.cancelled);
    for (const task of fresh) task.aborted = true;
    for (const task of fresh) task.stop();
    this.#settle(departure);
  }

  /**
   * Ends tasks of this set because their initiators have lost the logical unit: they are answered with LOGICAL UNIT NOT
   * SUPPORTED, unless they were aborted before. Calls `done` when no I/O uses their buffers any more.
   */
  expel(tasks: readonly Task[], done: () => void): void {
    const departure: Departure = { tasks: new Set(tasks), awaitsIo: true, done };
    this.#departures.add(departure);
    for (const task of tasks) task.expelled = true;
    for (const task of tasks) if (!task.ended) task.expel();
    this.#settle(departure);
  }

  /** Calls `done` when tasks of this set have left by themselves: at once where there are none. */
  await(tasks: readonly Task[], done: () => void): void {
    const departure: Departure = { tasks: new Set(tasks), awaitsIo: true, done };
    this.#departures.add(departure);
    this.#settle(departure);
  }

  #noticeDeparture(task: Task, ioRunning: boolean): void {
    for (const departure of this.#departures) {
      if (ioRunning && departure.awaitsIo) continue;
      if (departure.tasks.delete(task)) this.#settle(departure);
    }
  }

  #settle(departure: Departure): void {
    if (departure.tasks.size === 0 && this.#departures.delete(departure)) departure.done();
  }
}
