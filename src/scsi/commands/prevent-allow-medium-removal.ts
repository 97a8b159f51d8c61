import { assert } from "../../util/assert.ts";
import { getUint8 } from "../../util/bytes.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { Status } from "../status.ts";
import type { Task } from "../task.ts";

const PREVENT = 0x01;

/**
 * PREVENT ALLOW MEDIUM REMOVAL, SBC-3 5.15: the medium may be taken away when no nexus prevents it any more. Fixed disks have
 * it, too: it tells the administrator who would take the unit offline that somebody uses it.
 */
export function preventAllowMediumRemoval(unit: LogicalUnit, task: Task): void {
  assert(task.nexus !== null, "a task that runs has a nexus");
  if ((getUint8(task.cdb, 4) & PREVENT) !== 0) unit.preventingRemoval.add(task.nexus);
  else unit.preventingRemoval.delete(task.nexus);
  task.complete(Status.good);
}
