import type { LogicalUnit } from "../logical-unit.ts";
import { cdbField, Sense } from "../sense.ts";
import type { Task } from "../task.ts";

/** Where the TRANSFER LENGTH of a medium command starts, by CDB length (SBC-3 5). */
const LENGTH_FIELD_OF_CDB_BYTES: Readonly<Record<number, number>> = { 6: 4, 10: 7, 12: 6, 16: 10 };
const CDB_BYTES_OF_GROUP = [6, 10, 10, 0, 16, 12, 0, 0] as const;

/** Refuses the length of a command: INVALID FIELD IN CDB with a pointer to it. */
export function failLength(task: Task): void {
  const cdbBytes = CDB_BYTES_OF_GROUP[(task.cdb[0] ?? 0) >>> 5] ?? 0;
  task.fail(Sense.invalidFieldInCdb, cdbField(LENGTH_FIELD_OF_CDB_BYTES[cdbBytes] ?? 0));
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
