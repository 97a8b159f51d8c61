import { getUint16BE, getUint24BE, getUint32BE, getUint64BE, getUint8 } from "../../util/bytes.ts";
import { IoKind } from "../../util/io-request.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { Status } from "../status.ts";
import type { Task } from "../task.ts";
import { checkTransfer } from "./block-range.ts";

/** FUA of byte 1 in READ and WRITE of 10, 12 and 16 bytes. DPO, RARC and FUA_NV are hints that change nothing here. */
const FORCE_UNIT_ACCESS = 0x08;

/** In the six-byte commands a TRANSFER LENGTH of zero stands for this many blocks (SBC-3 5.7). */
const SIX_BYTE_ZERO_BLOCKS = 256;

/** LOGICAL BLOCK ADDRESS of the six-byte commands: 21 bits. */
const SIX_BYTE_LBA_MASK = 0x1f_ffff;

function read(unit: LogicalUnit, task: Task, lba: number, blocks: number): void {
  if (!checkTransfer(unit, task, lba, blocks)) return;
  if (blocks === 0) task.complete(Status.good);
  else task.transferIn(unit.volume, lba * unit.blockBytes, blocks * unit.blockBytes);
}

/** With FUA, what the volatile cache holds reaches the medium before it is read (SBC-3 4.15.2). */
function readFromMedium(unit: LogicalUnit, task: Task, lba: number, blocks: number): void {
  if (!checkTransfer(unit, task, lba, blocks)) return;
  task.stepOffsetBytes = lba * unit.blockBytes;
  task.stepLengthBytes = blocks * unit.blockBytes;
  task.runIo(IoKind.flush, 0, 0, false, transferFlushed);
}

function transferFlushed(unit: LogicalUnit, task: Task): void {
  if (task.stepLengthBytes === 0) task.complete(Status.good);
  else task.transferIn(unit.volume, task.stepOffsetBytes, task.stepLengthBytes);
}

/** READ (6), SBC-3 5.7. */
export function read6(unit: LogicalUnit, task: Task): void {
  const { cdb } = task;
  const blocks = getUint8(cdb, 4);
  const lba = getUint24BE(cdb, 1) & SIX_BYTE_LBA_MASK;
  read(unit, task, lba, blocks === 0 ? SIX_BYTE_ZERO_BLOCKS : blocks);
}

/** READ (10), SBC-3 5.8. */
export function read10(unit: LogicalUnit, task: Task): void {
  const { cdb } = task;
  const lba = getUint32BE(cdb, 2);
  const blocks = getUint16BE(cdb, 7);
  if ((getUint8(cdb, 1) & FORCE_UNIT_ACCESS) === 0) read(unit, task, lba, blocks);
  else readFromMedium(unit, task, lba, blocks);
}

/** READ (12), SBC-3 5.9. */
export function read12(unit: LogicalUnit, task: Task): void {
  const { cdb } = task;
  const lba = getUint32BE(cdb, 2);
  const blocks = getUint32BE(cdb, 6);
  if ((getUint8(cdb, 1) & FORCE_UNIT_ACCESS) === 0) read(unit, task, lba, blocks);
  else readFromMedium(unit, task, lba, blocks);
}

/** READ (16), SBC-3 5.10. */
export function read16(unit: LogicalUnit, task: Task): void {
  const { cdb } = task;
  const lba = getUint64BE(cdb, 2);
  const blocks = getUint32BE(cdb, 10);
  if ((getUint8(cdb, 1) & FORCE_UNIT_ACCESS) === 0) read(unit, task, lba, blocks);
  else readFromMedium(unit, task, lba, blocks);
}

function write(unit: LogicalUnit, task: Task, lba: number, blocks: number, fua: boolean): void {
  if (!checkTransfer(unit, task, lba, blocks)) return;
  const { blockBytes } = unit;
  const isDurable = fua || !unit.writeCache;
  if (blocks === 0) task.complete(Status.good);
  else task.transferOut(unit.volume, lba * blockBytes, blocks * blockBytes, isDurable);
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
