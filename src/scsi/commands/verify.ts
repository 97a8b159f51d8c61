import { getUint16BE, getUint32BE, getUint64BE, getUint8 } from "../../util/bytes.ts";
import { IoKind } from "../../util/io-request.ts";
import { STEP_BYTES } from "../limits.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { cdbField, Sense } from "../sense.ts";
import { Status } from "../status.ts";
import type { Task } from "../task.ts";
import { checkTransfer } from "./block-range.ts";
import { CompareSink, firstDifference } from "./compare-sink.ts";

/** BYTCHK, SBC-3 5.24. */
const ByteCheck = { none: 0, all: 1, reserved: 2, oneBlock: 3 } as const;
const BYTCHK_BIT = 2;

/**
 * Where VERIFY without comparison reads to. Nobody looks at what is in there, so all of them share it, and a command
 * that was aborted while the kernel still writes into it does no harm.
 */
const discarded = new Uint8Array(STEP_BYTES);

function verify(unit: LogicalUnit, task: Task, lba: number, blocks: number): void {
  const byteCheck = (getUint8(task.cdb, 1) >>> 1) & 3;
  if (byteCheck === ByteCheck.reserved) {
    task.fail(Sense.invalidFieldInCdb, cdbField(1, BYTCHK_BIT));
    return;
  }
  if (!checkTransfer(unit, task, lba, blocks)) return;
  task.stepOffsetBytes = lba * unit.blockBytes;
  task.stepLengthBytes = blocks * unit.blockBytes;
  if (blocks === 0) {
    task.complete(Status.good);
  } else if (byteCheck === ByteCheck.all) {
    const sink = new CompareSink(unit.volume, task.stepOffsetBytes);
    task.transferOut(sink, task.stepOffsetBytes, task.stepLengthBytes, false);
  } else if (byteCheck === ByteCheck.oneBlock) {
    task.collect(unit.blockBytes, blockCollected);
  } else {
    readOn(unit, task);
  }
}

/** Reads the next piece, to see that it can be read. */
function readOn(_unit: LogicalUnit, task: Task): void {
  const lengthBytes = Math.min(STEP_BYTES, task.stepLengthBytes);
  if (lengthBytes === 0) {
    task.complete(Status.good);
    return;
  }
  const offsetBytes = task.stepOffsetBytes;
  task.stepOffsetBytes = offsetBytes + lengthBytes;
  task.stepLengthBytes -= lengthBytes;
  const buffer = discarded.subarray(0, lengthBytes);
  task.runIoWith(IoKind.read, offsetBytes, buffer, false, readOn);
}

/** BYTCHK 11b: the one block is kept at the start of `parameter`, and what is read lands behind it. */
function blockCollected(unit: LogicalUnit, task: Task): void {
  const { blockBytes } = unit;
  if (task.parameterBytes < blockBytes) {
    task.fail(Sense.invalidFieldInCdb);
    return;
  }
  const work = new Uint8Array(blockBytes + Math.min(STEP_BYTES, task.stepLengthBytes));
  work.set(task.parameter.subarray(0, blockBytes));
  task.parameter = work;
  task.parameterBytes = blockBytes;
  readAndCompare(unit, task);
}

function readAndCompare(unit: LogicalUnit, task: Task): void {
  const { blockBytes } = unit;
  const { parameter } = task;
  const lengthBytes = Math.min(parameter.length - blockBytes, task.stepLengthBytes);
  const buffer = parameter.subarray(blockBytes, blockBytes + lengthBytes);
  task.runIoWith(IoKind.read, task.stepOffsetBytes, buffer, false, compareRead);
}

function compareRead(unit: LogicalUnit, task: Task): void {
  const { blockBytes } = unit;
  const { parameter } = task;
  const lengthBytes = Math.min(parameter.length - blockBytes, task.stepLengthBytes);
  const pattern = parameter.subarray(0, blockBytes);
  for (let at = blockBytes; at < blockBytes + lengthBytes; at += blockBytes) {
    const difference = firstDifference(pattern, parameter.subarray(at, at + blockBytes));
    if (difference === -1) continue;
    task.fail(Sense.miscompareDuringVerifyOperation, -1, difference);
    return;
  }
  task.stepOffsetBytes += lengthBytes;
  task.stepLengthBytes -= lengthBytes;
  if (task.stepLengthBytes === 0) task.complete(Status.good);
  else readAndCompare(unit, task);
}

/** VERIFY (10), SBC-3 5.24. */
export function verify10(unit: LogicalUnit, task: Task): void {
  verify(unit, task, getUint32BE(task.cdb, 2), getUint16BE(task.cdb, 7));
}

/** VERIFY (12), SBC-3 5.25. */
export function verify12(unit: LogicalUnit, task: Task): void {
  verify(unit, task, getUint32BE(task.cdb, 2), getUint32BE(task.cdb, 6));
}

/** VERIFY (16), SBC-3 5.26. */
export function verify16(unit: LogicalUnit, task: Task): void {
  verify(unit, task, getUint64BE(task.cdb, 2), getUint32BE(task.cdb, 10));
}
