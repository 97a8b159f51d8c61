import { getUint32BE, getUint64BE } from "../../util/bytes.ts";
import { IoError } from "../../util/io-error.ts";
import type { VolumeExtent } from "../../volume/volume.ts";
import { LBA_STATUS_DESCRIPTORS_MAX } from "../limits.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { cdbField, Sense } from "../sense.ts";
import type { Task } from "../task.ts";
import { response } from "./response.ts";

const HEADER_BYTES = 8;
const DESCRIPTOR_BYTES = 16;
const ALLOCATION_LENGTH_BYTE = 10;
const ALLOCATION_BYTES_MIN = HEADER_BYTES + DESCRIPTOR_BYTES;
const UINT32_MAX = 0xffff_ffff;

/** PROVISIONING STATUS, SBC-3 5.6.2. */
const Provisioning = { mapped: 0, deallocated: 1 } as const;

/** GET LBA STATUS, SBC-3 5.6. A volume that cannot tell reports one mapped run. */
export function getLbaStatus(unit: LogicalUnit, task: Task): void {
  const lba = getUint64BE(task.cdb, 2);
  const allocationBytes = getUint32BE(task.cdb, ALLOCATION_LENGTH_BYTE);
  if (lba >= unit.capacityBlocks) {
    task.fail(Sense.logicalBlockAddressOutOfRange);
    return;
  }
  if (allocationBytes < ALLOCATION_BYTES_MIN) {
    task.fail(Sense.invalidFieldInCdb, cdbField(ALLOCATION_LENGTH_BYTE));
    return;
  }
  const fitting = Math.floor((allocationBytes - HEADER_BYTES) / DESCRIPTOR_BYTES);
  void report(unit, task, lba, Math.min(fitting, LBA_STATUS_DESCRIPTORS_MAX));
}

/** Never rejects. The task counts as having I/O running meanwhile, so that an abort waits for the volume's answer. */
async function report(unit: LogicalUnit, task: Task, lba: number, countMax: number): Promise<void> {
  const { blockBytes, capacityBlocks, volume } = unit;
  const lengthBytes = (capacityBlocks - lba) * blockBytes;
  let extents: readonly VolumeExtent[] = [];
  let failure: IoError | null = null;
  task.ioRunning = true;
  try {
    extents = await volume.extents(lba * blockBytes, lengthBytes, countMax);
  } catch (error) {
    failure =
      error instanceof IoError
        ? error
        : new IoError("medium", "extents failed", { object: volume.name, cause: error });
  }
  task.ioRunning = false;
  if (task.cancelled) task.cancelledIoDone();
  else if (failure !== null) task.failIo(failure);
  else returnExtents(task, lba, extents, blockBytes);
}

/**
 * The runs of bytes as runs of blocks without gaps. A block that is mapped in part is mapped: a run ends where its last
 * whole block does, unless what follows is unmapped.
 */
function returnExtents(
  task: Task,
  firstLba: number,
  extents: readonly VolumeExtent[],
  blockBytes: number,
): void {
  response.start().uint32(0).uint32(0);
  let lba = firstLba;
  for (const { offsetBytes, lengthBytes, mapped } of extents) {
    const exactEnd = (offsetBytes + lengthBytes) / blockBytes;
    const endLba = mapped ? Math.ceil(exactEnd) : Math.floor(exactEnd);
    const blocks = Math.min(endLba - lba, UINT32_MAX);
    if (blocks <= 0) continue;
    response.uint64(lba).uint32(blocks);
    response.uint32((mapped ? Provisioning.mapped : Provisioning.deallocated) << 24);
    lba += blocks;
    // The length field is full: the initiator asks again from there.
    if (lba < endLba) break;
  }
  const parameterBytes = response.lengthBytes - 4;
  response.bytes.set([0, 0, parameterBytes >>> 8, parameterBytes & 0xff], 0);
  response.send(task, getUint32BE(task.cdb, ALLOCATION_LENGTH_BYTE));
}
