import { assert } from "../../util/assert.ts";
import { getUint32BE, getUint8 } from "../../util/bytes.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { encodeLun, LUN_BYTES, REPORT_LUNS_WELL_KNOWN_LUN } from "../lun.ts";
import { cdbField, Sense } from "../sense.ts";
import type { Task } from "../task.ts";
import { response } from "./response.ts";

const SelectReport = { logicalUnits: 0, wellKnown: 1, all: 2 } as const;
const ALLOCATION_BYTES_MIN = 16;

const entry = new Uint8Array(LUN_BYTES);

function appendLun(lun: number): void {
  encodeLun(entry, 0, lun);
  response.copy(entry);
}

/** REPORT LUNS, SPC-4 6.33, for a LUN with or without a unit; it clears REPORTED LUNS DATA HAS CHANGED. */
export function reportLunsOfTarget(task: Task): void {
  const { nexus, cdb } = task;
  assert(nexus !== null, "a task that runs has a nexus");
  const select = getUint8(cdb, 2);
  const allocationBytes = getUint32BE(cdb, 6);
  if (select > SelectReport.all) {
    task.fail(Sense.invalidFieldInCdb, cdbField(2));
    return;
  }
  if (allocationBytes < ALLOCATION_BYTES_MIN) {
    task.fail(Sense.invalidFieldInCdb, cdbField(6));
    return;
  }
  const luns =
    select === SelectReport.wellKnown
      ? []
      : [...nexus.device.units.keys()].toSorted((one, other) => one - other);
  const wellKnownCount = select === SelectReport.logicalUnits ? 0 : 1;
  response
    .start()
    .uint32((luns.length + wellKnownCount) * LUN_BYTES)
    .zeros(4);
  for (const lun of luns) appendLun(lun);
  if (wellKnownCount === 1) appendLun(REPORT_LUNS_WELL_KNOWN_LUN);
  nexus.clearAttention(Sense.reportedLunsDataHasChanged);
  response.send(task, allocationBytes);
}

/** REPORT LUNS sent to a logical unit. */
export function reportLuns(_unit: LogicalUnit, task: Task): void {
  reportLunsOfTarget(task);
}
