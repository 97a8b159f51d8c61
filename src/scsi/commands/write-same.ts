import { getUint16BE, getUint32BE, getUint64BE, getUint8 } from "../../util/bytes.ts";
import { IoKind } from "../../util/io-request.ts";
import { STEP_BYTES, WRITE_SAME_BYTES_MAX } from "../limits.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { cdbField, Sense } from "../sense.ts";
import { Status } from "../status.ts";
import type { Task } from "../task.ts";
import { checkRange, failLength } from "./block-range.ts";

const NDOB = 0x01;
const UNMAP = 0x08;
const UNMAP_BIT = 3;

/**
 * Zeros are written through the volume's own operation, which may give the space back: that is what UNMAP allows and
 * what a reader sees in either case. Other patterns are written out, UNMAP or not (SBC-3 5.41: unmapping is at the
 * target's discretion).
 */
function writeSame(unit: LogicalUnit, task: Task, lba: number, blocks: number): void {
  const flags = getUint8(task.cdb, 1);
  if ((flags & UNMAP) !== 0 && !unit.unmappable) {
    task.fail(Sense.invalidFieldInCdb, cdbField(1, UNMAP_BIT));
    return;
  }
  if (!checkRange(unit, task, lba, blocks)) return;
  const lengthBytes = blocks * unit.blockBytes;
  // Zero blocks, "up to the end", is refused as WSNZ says.
  if (blocks === 0 || lengthBytes > WRITE_SAME_BYTES_MAX) {
    failLength(task);
    return;
  }
  task.stepOffsetBytes = lba * unit.blockBytes;
  task.stepLengthBytes = lengthBytes;
  if ((flags & NDOB) !== 0) writeZeroes(unit, task);
  else if (task.expectedOutBytes === unit.blockBytes) {
    task.collect(unit.blockBytes, patternCollected);
  } else {
    // More or less than the one block: the initiator takes this for another command, and would lose data by it.
    task.fail(Sense.invalidFieldInCdb);
  }
}

function writeZeroes(unit: LogicalUnit, task: Task): void {
  const { stepOffsetBytes, stepLengthBytes } = task;
  const isDurable = !unit.writeCache;
  task.runIo(IoKind.writeZeroes, stepOffsetBytes, stepLengthBytes, isDurable, patternWritten);
}

function isZero(bytes: Uint8Array, lengthBytes: number): boolean {
  for (let index = 0; index < lengthBytes; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** Spreads the block over the memory that is written again and again. The task's own: it changes no more. */
function repeat(block: Uint8Array, blockBytes: number, lengthBytes: number): Uint8Array {
  const pattern = new Uint8Array(lengthBytes);
  pattern.set(block.subarray(0, blockBytes));
  for (let filled = blockBytes; filled < lengthBytes; filled *= 2) {
    pattern.copyWithin(filled, 0, Math.min(filled, lengthBytes - filled));
  }
  return pattern;
}

function patternCollected(unit: LogicalUnit, task: Task): void {
  const { blockBytes } = unit;
  if (task.parameterBytes < blockBytes) {
    task.fail(Sense.invalidFieldInCdb);
  } else if (isZero(task.parameter, blockBytes)) {
    writeZeroes(unit, task);
  } else {
    const lengthBytes = Math.min(STEP_BYTES, task.stepLengthBytes);
    task.parameter = repeat(task.parameter, blockBytes, lengthBytes);
    writePattern(unit, task);
  }
}

function writePattern(unit: LogicalUnit, task: Task): void {
  const offsetBytes = task.stepOffsetBytes;
  const lengthBytes = Math.min(task.parameter.length, task.stepLengthBytes);
  if (lengthBytes === 0) {
    task.complete(Status.good);
    return;
  }
  task.stepOffsetBytes = offsetBytes + lengthBytes;
  task.stepLengthBytes -= lengthBytes;
  const buffer =
    lengthBytes === task.parameter.length
      ? task.parameter
      : task.parameter.subarray(0, lengthBytes);
  task.runIoWith(IoKind.write, offsetBytes, buffer, !unit.writeCache, writePattern);
}

function patternWritten(_unit: LogicalUnit, task: Task): void {
  task.complete(Status.good);
}

/** WRITE SAME (10), SBC-3 5.41. */
export function writeSame10(unit: LogicalUnit, task: Task): void {
  writeSame(unit, task, getUint32BE(task.cdb, 2), getUint16BE(task.cdb, 7));
}

/** WRITE SAME (16), SBC-3 5.42. */
export function writeSame16(unit: LogicalUnit, task: Task): void {
  writeSame(unit, task, getUint64BE(task.cdb, 2), getUint32BE(task.cdb, 10));
}
