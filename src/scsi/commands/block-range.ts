import { assert } from "../../util/assert.ts";
import { getUint8 } from "../../util/bytes.ts";
import { cdbBytesOf } from "../command.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { cdbField, Sense } from "../sense.ts";
import type { Task } from "../task.ts";

/** Where the TRANSFER LENGTH of a medium command starts, by CDB length (SBC-3 5). */
const LENGTH_FIELD_OF_CDB_BYTES: Readonly<Record<number, number>> = { 6: 4, 10: 7, 12: 6, 16: 10 };

/** Refuses the length of a command: INVALID FIELD IN CDB with a pointer to it. */
export function failLength(task: Task): void {
  const field = LENGTH_FIELD_OF_CDB_BYTES[cdbBytesOf(getUint8(task.cdb, 0))];
  assert(field !== undefined, "a medium command has a CDB of fixed length");
  task.fail(Sense.invalidFieldInCdb, cdbField(field));
}

/**
 * Refuses a range that reaches past the last block (SBC-3 4.5). Zero blocks right behind the last one are within it.
 * True: the range is on the medium, and every product with the block size is exact.
 */
export function checkRange(unit: LogicalUnit, task: Task, lba: number, blocks: number): boolean {
  if (lba + blocks <= unit.capacityBlocks) return true;
  task.fail(Sense.logicalBlockAddressOutOfRange);
  return false;
}

/** As {@link checkRange}, and refuses more than MAXIMUM TRANSFER LENGTH. */
export function checkTransfer(unit: LogicalUnit, task: Task, lba: number, blocks: number): boolean {
  if (!checkRange(unit, task, lba, blocks)) return false;
  if (blocks <= unit.transferBlocksMax) return true;
  failLength(task);
  return false;
}
