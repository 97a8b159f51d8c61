import { assert } from "../util/assert.ts";
import { getUint8 } from "../util/bytes.ts";
import { Access, type Command } from "./command.ts";
import { findCommand, isKnownOperationCode } from "./command-table.ts";
import type { LogicalUnit } from "./logical-unit.ts";
import { cdbField, Sense } from "./sense.ts";
import type { Task } from "./task.ts";

/** Left-most bit of the run of reserved bits that one of the wrong bits lies in: the start of that field. */
function leftmostReservedBit(reserved: number, wrong: number): number {
  let bit = 31 - Math.clz32(wrong);
  while (bit < 7 && (reserved & (1 << (bit + 1))) !== 0) bit += 1;
  return bit;
}

/** Refuses a command whose CDB is too short or sets bits that it does not define. True: the CDB is well formed. */
export function checkCdb(command: Command, task: Task): boolean {
  const { cdb } = task;
  const { reserved } = command;
  if (task.cdbBytes < reserved.length) {
    task.fail(Sense.invalidFieldInCdb, cdbField(task.cdbBytes));
    return false;
  }
  for (let index = 1; index < reserved.length; index++) {
    const wrong = getUint8(cdb, index) & getUint8(reserved, index);
    if (wrong === 0) continue;
    const bit = leftmostReservedBit(getUint8(reserved, index), wrong);
    task.fail(Sense.invalidFieldInCdb, cdbField(index, bit));
    return false;
  }
  return true;
}

/** Refuses what the state of the unit does not allow. True: the handler may go on. */
function checkAccess(command: Command, unit: LogicalUnit, task: Task): boolean {
  if (command.access === Access.none) return true;
  const { notReady } = unit;
  if (notReady !== -1) {
    task.fail(notReady);
    return false;
  }
  if (command.access === Access.write && unit.writeProtected) {
    task.fail(unit.readOnly ? Sense.writeProtected : Sense.logicalUnitSoftwareWriteProtected);
    return false;
  }
  return true;
}

/** Ends a task whose operation code, or service action, the unit does not have (SPC-4 4.3.1). */
function failUnknownCommand(unit: LogicalUnit, task: Task): void {
  if (isKnownOperationCode(unit, getUint8(task.cdb, 0))) {
    task.fail(Sense.invalidFieldInCdb, cdbField(1, 4));
  } else {
    task.fail(Sense.invalidCommandOperationCode);
  }
}

/**
 * Runs a task that the task set has enabled: a waiting unit attention first, then what the table knows about its
 * command, then the handler.
 */
export function runTask(task: Task): void {
  const { unit, nexus } = task;
  assert(unit !== null && nexus !== null, "a task that runs has a unit and a nexus");
  const command = findCommand(task.cdb);
  if (nexus.attentionCount !== 0 && (command === null || !command.allowedWithUnitAttention)) {
    const code = nexus.takeAttention(unit);
    if (code !== -1) {
      task.fail(code);
      return;
    }
  }
  if (command === null || (command.diskOnly && !unit.isDisk)) {
    failUnknownCommand(unit, task);
    return;
  }
  if (!checkCdb(command, task) || !checkAccess(command, unit, task)) return;
  task.writes = command.access === Access.write;
  command.handler(unit, task);
}
