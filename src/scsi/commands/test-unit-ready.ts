import type { LogicalUnit } from "../logical-unit.ts";
import { Status } from "../status.ts";
import type { Task } from "../task.ts";

/** TEST UNIT READY, SPC-4 6.47: the dispatcher has refused a unit that is not ready. */
export function testUnitReady(_unit: LogicalUnit, task: Task): void {
  task.complete(Status.good);
}
