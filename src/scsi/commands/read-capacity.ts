import { getUint32BE, getUint64BE, getUint8 } from "../../util/bytes.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { cdbField, Sense } from "../sense.ts";
import type { Task } from "../task.ts";
import { response } from "./response.ts";

const PMI = 0x01;
const PMI_BYTE_10 = 8;
const PMI_BYTE_16 = 14;
const LBA_BYTE = 2;
const UINT32_MAX = 0xffff_ffff;
const READ_CAPACITY_10_BYTES = 8;
const READ_CAPACITY_16_BYTES = 32;
const LBPME = 0x80;
const LBPRZ = 0x40;

/**
 * The rules for LOGICAL BLOCK ADDRESS and PMI (SBC-2 5.11, obsolete since): without PMI the address is zero; with it,
 * the last block before a delay is asked for, which is the last block of all.
 */
function checkAddress(unit: LogicalUnit, task: Task, lba: number, pmiByte: number): boolean {
  if ((getUint8(task.cdb, pmiByte) & PMI) === 0) {
    if (lba === 0) return true;
    task.fail(Sense.invalidFieldInCdb, cdbField(LBA_BYTE));
    return false;
  }
  if (lba < unit.capacityBlocks) return true;
  task.fail(Sense.logicalBlockAddressOutOfRange);
  return false;
}

function lastBlock(unit: LogicalUnit): number {
  return Math.max(0, unit.capacityBlocks - 1);
}

/** READ CAPACITY (10), SBC-3 5.12. A last block past 32 bits is told as FFFFFFFFh, which sends one to the other. */
export function readCapacity10(unit: LogicalUnit, task: Task): void {
  if (!checkAddress(unit, task, getUint32BE(task.cdb, LBA_BYTE), PMI_BYTE_10)) return;
  response
    .start()
    .uint32(Math.min(lastBlock(unit), UINT32_MAX))
    .uint32(unit.blockBytes)
    .send(task, READ_CAPACITY_10_BYTES);
}

/** READ CAPACITY (16), SBC-3 5.13. */
export function readCapacity16(unit: LogicalUnit, task: Task): void {
  if (!checkAddress(unit, task, getUint64BE(task.cdb, LBA_BYTE), PMI_BYTE_16)) return;
  const { physicalBlockExponent, lowestAlignedLba } = unit.effective;
  const zeroes = unit.unmappable && unit.volume.capabilities.discardZeroes;
  response
    .start()
    .uint64(lastBlock(unit))
    .uint32(unit.blockBytes)
    .uint8(0)
    .uint8(physicalBlockExponent)
    .uint16((((unit.unmappable ? LBPME : 0) | (zeroes ? LBPRZ : 0)) << 8) | lowestAlignedLba)
    .padTo(READ_CAPACITY_16_BYTES)
    .send(task, getUint32BE(task.cdb, 10));
}
