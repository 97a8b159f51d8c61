import { getUint16BE, getUint32BE, getUint64BE } from "../../util/bytes.ts";
import { IoKind } from "../../util/io-request.ts";
import { PARAMETER_BYTES_MAX, UNMAP_BLOCKS_MAX, UNMAP_DESCRIPTORS_MAX } from "../limits.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { cdbField, dataField, Sense } from "../sense.ts";
import { Status } from "../status.ts";
import type { Task } from "../task.ts";

/** UNMAP parameter list, SBC-3 5.27.2. */
const List = { dataLength: 0, descriptorDataLength: 2, descriptors: 8 } as const;
/** UNMAP block descriptor, SBC-3 5.27.3. */
const Descriptor = { lba: 0, blocks: 8, end: 16 } as const;
const PARAMETER_LIST_LENGTH_BYTE = 7;

/** UNMAP, SBC-3 5.27. */
export function unmap(unit: LogicalUnit, task: Task): void {
  const listBytes = getUint16BE(task.cdb, PARAMETER_LIST_LENGTH_BYTE);
  if (!unit.unmappable) task.fail(Sense.invalidCommandOperationCode);
  else if (listBytes === 0) task.complete(Status.good);
  else if (listBytes < List.descriptors) task.fail(Sense.parameterListLengthError);
  else if (listBytes > PARAMETER_BYTES_MAX) {
    task.fail(Sense.invalidFieldInCdb, cdbField(PARAMETER_LIST_LENGTH_BYTE));
  } else task.collect(listBytes, unmapCollected);
}

/** How many whole descriptors the list has; -1 after it was refused. An incomplete last one is ignored (SBC-3). */
function checkList(task: Task): number {
  const { parameter } = task;
  const listBytes = getUint16BE(task.cdb, PARAMETER_LIST_LENGTH_BYTE);
  if (task.parameterBytes < listBytes) {
    task.fail(Sense.parameterListLengthError);
    return -1;
  }
  const dataBytes = getUint16BE(parameter, List.dataLength) + List.descriptorDataLength;
  const descriptorBytes = getUint16BE(parameter, List.descriptorDataLength);
  const end = List.descriptors + descriptorBytes;
  if (descriptorBytes > 0 && (end > listBytes || end > dataBytes)) {
    task.fail(Sense.parameterListLengthError);
    return -1;
  }
  const count = Math.floor(descriptorBytes / Descriptor.end);
  if (count <= UNMAP_DESCRIPTORS_MAX) return count;
  task.fail(Sense.invalidFieldInParameterList, dataField(List.descriptorDataLength));
  return -1;
}

/** Refuses the whole command for one wrong range: nothing is unmapped unless all can be. */
function checkRanges(unit: LogicalUnit, task: Task, count: number): boolean {
  const { parameter } = task;
  let totalBlocks = 0;
  for (let index = 0; index < count; index++) {
    const at = List.descriptors + index * Descriptor.end;
    const blocks = getUint32BE(parameter, at + Descriptor.blocks);
    if (getUint64BE(parameter, at + Descriptor.lba) + blocks > unit.capacityBlocks) {
      task.fail(Sense.logicalBlockAddressOutOfRange);
      return false;
    }
    totalBlocks += blocks;
    if (totalBlocks > UNMAP_BLOCKS_MAX) {
      task.fail(Sense.invalidFieldInParameterList, dataField(at + Descriptor.blocks));
      return false;
    }
  }
  return true;
}

function unmapCollected(unit: LogicalUnit, task: Task): void {
  const count = checkList(task);
  if (count === -1 || !checkRanges(unit, task, count)) return;
  task.stepOffsetBytes = List.descriptors;
  task.stepLengthBytes = List.descriptors + count * Descriptor.end;
  discardNext(unit, task);
}

/**
 * Goes on at the descriptor at `stepOffsetBytes`; they end at `stepLengthBytes`. Ranges that follow each other are one: to
 * clear a range of a file takes a process, however short it is.
 */
function discardNext(unit: LogicalUnit, task: Task): void {
  const { parameter } = task;
  let lba = 0;
  let blocks = 0;
  while (task.stepOffsetBytes < task.stepLengthBytes) {
    const at = task.stepOffsetBytes;
    const nextLba = getUint64BE(parameter, at + Descriptor.lba);
    const nextBlocks = getUint32BE(parameter, at + Descriptor.blocks);
    if (nextBlocks !== 0) {
      if (blocks !== 0 && nextLba !== lba + blocks) break;
      if (blocks === 0) lba = nextLba;
      blocks += nextBlocks;
    }
    task.stepOffsetBytes = at + Descriptor.end;
  }
  const { blockBytes, writeCache } = unit;
  if (blocks === 0) task.complete(Status.good);
  else task.runIo(IoKind.discard, lba * blockBytes, blocks * blockBytes, !writeCache, discardNext);
}
