import { getUint16BE, getUint24BE, getUint32BE, getUint64BE, getUint8 } from "../../util/bytes.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { Status } from "../status.ts";
import type { Task } from "../task.ts";
import { checkTransfer } from "./block-range.ts";
import { FORCE_UNIT_ACCESS, SIX_BYTE_LBA_MASK, SIX_BYTE_ZERO_BLOCKS } from "./read.ts";

function write(unit: LogicalUnit, task: Task, lba: number, blocks: number, fua: boolean): void {
  if (!checkTransfer(unit, task, lba, blocks)) return;
  const { blockBytes } = unit;
  if (blocks === 0) task.complete(Status.good);
  else task.transferOut(unit.volume, lba * blockBytes, blocks * blockBytes, fua);
}

function forcesUnitAccess(task: Task): boolean {
  return (getUint8(task.cdb, 1) & FORCE_UNIT_ACCESS) !== 0;
}

/** WRITE (6), SBC-3 5.28. */
export function write6(unit: LogicalUnit, task: Task): void {
  const { cdb } = task;
  const blocks = getUint8(cdb, 4);
  const lba = getUint24BE(cdb, 1) & SIX_BYTE_LBA_MASK;
  write(unit, task, lba, blocks === 0 ? SIX_BYTE_ZERO_BLOCKS : blocks, false);
}

/** WRITE (10), SBC-3 5.29. */
export function write10(unit: LogicalUnit, task: Task): void {
  const { cdb } = task;
  write(unit, task, getUint32BE(cdb, 2), getUint16BE(cdb, 7), forcesUnitAccess(task));
}

/** WRITE (12), SBC-3 5.30. */
export function write12(unit: LogicalUnit, task: Task): void {
  const { cdb } = task;
  write(unit, task, getUint32BE(cdb, 2), getUint32BE(cdb, 6), forcesUnitAccess(task));
}

/** WRITE (16), SBC-3 5.31. */
export function write16(unit: LogicalUnit, task: Task): void {
  const { cdb } = task;
  write(unit, task, getUint64BE(cdb, 2), getUint32BE(cdb, 10), forcesUnitAccess(task));
}
