import { assert } from "../../util/assert.ts";
import { getUint8 } from "../../util/bytes.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { encodeSense, Sense, SENSE_BYTES_MAX, type SenseCode } from "../sense.ts";
import type { Task } from "../task.ts";

const DESC = 0x01;

const scratch = new Uint8Array(SENSE_BYTES_MAX);

/** Sends sense data as parameter data, in the format that DESC asks for. */
export function returnSense(task: Task, code: SenseCode): void {
  const descriptorFormat = (getUint8(task.cdb, 1) & DESC) !== 0;
  const lengthBytes = encodeSense(scratch, code, descriptorFormat, -1, -1);
  task.returnData(scratch, Math.min(lengthBytes, getUint8(task.cdb, 4)));
}

/** REQUEST SENSE, SPC-4 6.39: reports and clears a unit attention, otherwise tells the state of the unit. */
export function requestSense(unit: LogicalUnit, task: Task): void {
  assert(task.nexus !== null, "a task that runs has a nexus");
  const attention = task.nexus.takeAttention(unit);
  const { notReady } = unit;
  if (attention !== -1) returnSense(task, attention);
  else if (notReady !== -1) returnSense(task, notReady);
  else returnSense(task, Sense.noAdditionalSenseInformation);
}
