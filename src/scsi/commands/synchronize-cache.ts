import { getUint16BE, getUint32BE, getUint64BE, getUint8 } from "../../util/bytes.ts";
import { IoKind } from "../../util/io-request.ts";
import { BackgroundFlush } from "../background-flush.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { Status } from "../status.ts";
import type { Task } from "../task.ts";
import { checkRange } from "./block-range.ts";

const IMMED = 0x02;

/** The whole cache is written: a range is allowed to be more than what was asked for. Zero blocks: up to the end. */
function synchronize(unit: LogicalUnit, task: Task, lba: number, blocks: number): void {
  if (!checkRange(unit, task, lba, blocks)) return;
  if ((getUint8(task.cdb, 1) & IMMED) === 0) {
    task.runIo(IoKind.flush, 0, 0, false, synchronized);
    return;
  }
  unit.volume.submit(new BackgroundFlush(unit));
  task.complete(Status.good);
}

function synchronized(_unit: LogicalUnit, task: Task): void {
  task.complete(Status.good);
}

/** SYNCHRONIZE CACHE (10), SBC-3 5.18. */
export function synchronizeCache10(unit: LogicalUnit, task: Task): void {
  synchronize(unit, task, getUint32BE(task.cdb, 2), getUint16BE(task.cdb, 7));
}

/** SYNCHRONIZE CACHE (16), SBC-3 5.19. */
export function synchronizeCache16(unit: LogicalUnit, task: Task): void {
  synchronize(unit, task, getUint64BE(task.cdb, 2), getUint32BE(task.cdb, 10));
}
