import { assert } from "../util/assert.ts";
import type { LogicalUnit } from "./logical-unit.ts";
import type { Nexus } from "./nexus.ts";
import { Sense, type SenseCode } from "./sense.ts";
import type { Task } from "./task.ts";

/** Task management functions by their codes in RFC 7143 11.5.1 and RFC 7144 6.2.1. */
export const TaskManagementFunction = {
  abortTask: 1,
  abortTaskSet: 2,
  clearAca: 3,
  clearTaskSet: 4,
  logicalUnitReset: 5,
  targetWarmReset: 6,
  /** The transport ends the sessions of the target afterwards. */
  targetColdReset: 7,
  taskReassign: 8,
  queryTask: 9,
  queryTaskSet: 10,
  /** I_T NEXUS RESET of RFC 7144; also what a lost session does to its tasks. */
  nexusLoss: 11,
  queryAsynchronousEvent: 12,
} as const;
/** Any number may come in; those of the table are known. */
export type TaskManagementFunction = number;

/** Responses by their codes in RFC 7143 11.6.1 and RFC 7144 6.3.1. */
export const TaskManagementResponse = {
  functionComplete: 0,
  taskDoesNotExist: 1,
  lunDoesNotExist: 2,
  taskReassignNotSupported: 4,
  functionNotSupported: 5,
  functionSucceeded: 7,
  functionRejected: 255,
} as const;
export type TaskManagementResponse =
  (typeof TaskManagementResponse)[keyof typeof TaskManagementResponse];

/** What an initiator asks for. */
export interface TaskManagementRequest {
  readonly nexus: Nexus;
  readonly function: TaskManagementFunction;
  /** As `decodeLun` returned it; of no meaning for the functions on the target or the nexus. */
  readonly lun: number;
  /** The task that ABORT TASK and QUERY TASK mean. */
  readonly tag: number;
}

type Done = (response: TaskManagementResponse) => void;

/** What one function aborts on one unit, and whom it tells. */
interface Scope {
  readonly unit: LogicalUnit;
  readonly tasks: readonly Task[];
}

/** Aborts in several units and answers when the last task has left. */
function abortAll(scopes: readonly Scope[], done: Done): void {
  let waiting = 1;
  const arrive = (): void => {
    waiting -= 1;
    if (waiting === 0) done(TaskManagementResponse.functionComplete);
  };
  for (const { unit, tasks } of scopes) {
    waiting += 1;
    unit.taskSet.abort(tasks, arrive);
  }
  arrive();
}

/**
 * ABORT TASK, SAM-5 7.2. A task that was aborted before and has I/O running is waited for once more: whoever heard that it
 * is gone would write anew, and the old data could land on the newer.
 */
function abortTask(unit: LogicalUnit, request: TaskManagementRequest, done: Done): void {
  const tasks = unit.taskSet.tasksOf(request.nexus);
  const task = tasks.find(({ tag }) => tag === request.tag);
  if (task === undefined) done(TaskManagementResponse.taskDoesNotExist);
  else abortAll([{ unit, tasks: [task] }], done);
}

/** CLEAR TASK SET, SAM-5 7.5: with TAS = 0, the other initiators learn of it from a unit attention. */
function clearTaskSet(unit: LogicalUnit, nexus: Nexus, done: Done): void {
  const tasks = unit.taskSet.tasksOf(null);
  const others = new Set(tasks.map((task) => task.nexus));
  for (const other of others) {
    if (other === null || other === nexus || !unit.nexuses.has(other)) continue;
    other.raise(unit, Sense.commandsClearedByAnotherInitiator);
  }
  abortAll([{ unit, tasks }], done);
}

/** A reset of units, SAM-5 6.3: all tasks end, state is as after power on, and every nexus hears of it. */
function reset(units: readonly LogicalUnit[], attention: SenseCode, done: Done): void {
  for (const unit of units) {
    unit.reset();
    unit.raise(attention);
  }
  abortAll(
    units.map((unit) => ({ unit, tasks: unit.taskSet.tasksOf(null) })),
    done,
  );
}

/** I_T NEXUS LOSS, SAM-5 6.3.4. */
function loseNexus(units: readonly LogicalUnit[], nexus: Nexus, done: Done): void {
  for (const unit of units) {
    unit.preventingRemoval.delete(nexus);
    if (unit.nexuses.has(nexus)) nexus.raise(unit, Sense.nexusLossOccurred);
  }
  abortAll(
    units.map((unit) => ({ unit, tasks: unit.taskSet.tasksOf(nexus) })),
    done,
  );
}

function manageUnit(unit: LogicalUnit, request: TaskManagementRequest, done: Done): void {
  const { nexus } = request;
  switch (request.function) {
    case TaskManagementFunction.abortTask:
      abortTask(unit, request, done);
      break;
    case TaskManagementFunction.abortTaskSet:
      abortAll([{ unit, tasks: unit.taskSet.tasksOf(nexus) }], done);
      break;
    case TaskManagementFunction.clearTaskSet:
      clearTaskSet(unit, nexus, done);
      break;
    case TaskManagementFunction.logicalUnitReset:
      reset([unit], Sense.busDeviceResetFunctionOccurred, done);
      break;
    case TaskManagementFunction.queryTask:
      done(queryResponse(unit.taskSet.find(nexus, request.tag) !== undefined));
      break;
    case TaskManagementFunction.queryTaskSet:
      done(queryResponse(unit.taskSet.hasTasksOf(nexus)));
      break;
    case TaskManagementFunction.clearAca:
      // NACA is refused in every CDB, so there is never an ACA condition to clear.
      done(TaskManagementResponse.functionRejected);
      break;
    default:
      done(TaskManagementResponse.functionNotSupported);
  }
}

function queryResponse(present: boolean): TaskManagementResponse {
  return present
    ? TaskManagementResponse.functionSucceeded
    : TaskManagementResponse.functionComplete;
}

/** Whether a function ends a task of a unit that was taken away, or waits for one that another function ended: its I/O is running. */
function endsExpelled(request: TaskManagementRequest, task: Task): boolean {
  const { nexus } = request;
  if (!task.cancelled || task.nexus === null || task.nexus.device !== nexus.device) return false;
  const isOfNexus = task.nexus === nexus;
  const isOfLun = task.lun === request.lun;
  switch (request.function) {
    case TaskManagementFunction.abortTask:
      return isOfNexus && isOfLun && task.tag === request.tag;
    case TaskManagementFunction.abortTaskSet:
      return isOfNexus && isOfLun;
    case TaskManagementFunction.clearTaskSet:
    case TaskManagementFunction.logicalUnitReset:
      return isOfLun;
    case TaskManagementFunction.targetWarmReset:
    case TaskManagementFunction.targetColdReset:
      return true;
    case TaskManagementFunction.nexusLoss:
      return isOfNexus;
    default:
      return false;
  }
}

/** What a function ends in units that were taken away, where writes are still waited for. */
function expelledScopes(leaving: Iterable<LogicalUnit>, request: TaskManagementRequest): Scope[] {
  return [...new Set(leaving)].flatMap((unit) => {
    const tasks = unit.taskSet.tasksOf(null).filter((task) => endsExpelled(request, task));
    return tasks.length === 0 ? [] : [{ unit, tasks }];
  });
}

/**
 * Performs a function on the units of a target; see `TargetDevice.manage`. In those that are `leaving` it ends the tasks
 * that it means, so that no answer of theirs comes after its own.
 */
export function manageTasks(
  units: ReadonlyMap<number, LogicalUnit>,
  leaving: Iterable<LogicalUnit>,
  request: TaskManagementRequest,
  done: Done,
): void {
  assert(request.nexus !== null, "a request comes over a nexus");
  const scopes = expelledScopes(leaving, request);
  if (scopes.length === 0) {
    manageReachable(units, request, done);
    return;
  }
  // Who asks does not wait for their answers any more: from here on they are as any other tasks that are aborted. Those of others are
  // answered: no unit attention can tell of a unit that is not there.
  for (const task of scopes.flatMap(({ tasks }) => tasks)) {
    if (task.nexus === request.nexus) task.expelled = false;
  }
  let response: TaskManagementResponse = TaskManagementResponse.functionComplete;
  let waiting = 2;
  const arrive = (): void => {
    waiting -= 1;
    if (waiting === 0) done(response);
  };
  abortAll(scopes, arrive);
  const isOfTask = request.function === TaskManagementFunction.abortTask;
  const isOfUnit = request.function <= TaskManagementFunction.logicalUnitReset;
  if (isOfTask || (isOfUnit && !units.has(request.lun))) {
    // That the LUN is not there any more says nothing against it: all that was to end has ended.
    arrive();
  } else {
    manageReachable(units, request, (reached) => {
      response = reached;
      arrive();
    });
  }
}

function manageReachable(
  units: ReadonlyMap<number, LogicalUnit>,
  request: TaskManagementRequest,
  done: Done,
): void {
  switch (request.function) {
    case TaskManagementFunction.targetWarmReset:
      reset([...units.values()], Sense.busDeviceResetFunctionOccurred, done);
      return;
    case TaskManagementFunction.targetColdReset:
      reset([...units.values()], Sense.powerOnOccurred, done);
      return;
    case TaskManagementFunction.nexusLoss:
      loseNexus([...units.values()], request.nexus, done);
      return;
    case TaskManagementFunction.taskReassign:
      done(TaskManagementResponse.taskReassignNotSupported);
      return;
    case TaskManagementFunction.queryAsynchronousEvent:
      done(TaskManagementResponse.functionNotSupported);
      return;
    default:
  }
  const unit = units.get(request.lun);
  if (unit === undefined) done(TaskManagementResponse.lunDoesNotExist);
  else manageUnit(unit, request, done);
}
