import { getUint16BE, getUint8 } from "../../util/bytes.ts";
import { DeviceType } from "../device-type.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import type { UnitIdentity } from "../identity.ts";
import { cdbField, Sense } from "../sense.ts";
import type { Task } from "../task.ts";
import { response } from "./response.ts";
import { buildVpdPage, VpdPage } from "./vpd-pages.ts";

const EVPD = 0x01;
const EVPD_BYTE = 1;
const PAGE_CODE_BYTE = 2;
const ALLOCATION_LENGTH_BYTE = 3;

/** PERIPHERAL QUALIFIER and PERIPHERAL DEVICE TYPE, SPC-4 6.6.2, where there is no unit that somebody has attached. */
const Peripheral = {
  wellKnown: 0x1e,
  /** Qualifier 011b, type 1Fh: no unit can be here. */
  absent: 0x7f,
} as const;

const VERSION_SPC_4 = 0x06;
const RMB = 0x80;
/** HISUP (hierarchical LUNs are understood) and RESPONSE DATA FORMAT 2. */
const HISUP_FORMAT_2 = 0x12;
const CMDQUE = 0x02;
const STANDARD_BYTES = 96;
const VERSION_DESCRIPTORS_OFFSET = 58;
const VERSION_DESCRIPTORS = {
  sam5: 0x00a0,
  spc4: 0x0460,
  sbc3: 0x04c0,
  iscsi: 0x0960,
} as const;

type ProductNames = Pick<UnitIdentity, "vendor" | "product" | "revision">;

const TARGET_IDENTITY: ProductNames = {
  vendor: "THINLUN",
  product: "TARGET",
  revision: "0001",
};

/** Standard INQUIRY data, SPC-4 6.6.2. */
function returnStandardData(
  task: Task,
  peripheral: number,
  removable: boolean,
  identity: ProductNames,
): void {
  response
    .start()
    .uint8(peripheral)
    .uint8(removable ? RMB : 0)
    .uint8(VERSION_SPC_4)
    .uint8(HISUP_FORMAT_2)
    .uint8(STANDARD_BYTES - 5)
    .zeros(2)
    .uint8(CMDQUE)
    .ascii(identity.vendor, 8)
    .ascii(identity.product, 16)
    .ascii(identity.revision, 4)
    .padTo(VERSION_DESCRIPTORS_OFFSET)
    .uint16(VERSION_DESCRIPTORS.sam5)
    .uint16(VERSION_DESCRIPTORS.iscsi)
    .uint16(VERSION_DESCRIPTORS.spc4);
  if (peripheral === DeviceType.directAccessBlock) response.uint16(VERSION_DESCRIPTORS.sbc3);
  response.padTo(STANDARD_BYTES).send(task, getUint16BE(task.cdb, ALLOCATION_LENGTH_BYTE));
}

/** True where a vital product data page is asked for. A page code without EVPD is refused. */
function asksForPage(task: Task): boolean {
  return (getUint8(task.cdb, EVPD_BYTE) & EVPD) !== 0;
}

function failPageCode(task: Task): void {
  task.fail(Sense.invalidFieldInCdb, cdbField(PAGE_CODE_BYTE));
}

/** INQUIRY, SPC-4 6.6. */
export function inquiry(unit: LogicalUnit, task: Task): void {
  const page = getUint8(task.cdb, PAGE_CODE_BYTE);
  if (!asksForPage(task)) {
    if (page !== 0) failPageCode(task);
    else returnStandardData(task, unit.deviceType, unit.effective.removable, unit.identity);
  } else if (buildVpdPage(unit, task, page)) {
    response.send(task, getUint16BE(task.cdb, ALLOCATION_LENGTH_BYTE));
  } else {
    failPageCode(task);
  }
}

/** INQUIRY where there is no disk: the standard data, and a list of pages that names itself only. */
function inquireWithoutDisk(task: Task, peripheral: number): void {
  if (getUint8(task.cdb, PAGE_CODE_BYTE) !== 0) {
    failPageCode(task);
  } else if (asksForPage(task)) {
    const allocationBytes = getUint16BE(task.cdb, ALLOCATION_LENGTH_BYTE);
    response.start().uint8(peripheral).uint8(VpdPage.supportedPages).uint16(1);
    response.uint8(VpdPage.supportedPages).send(task, allocationBytes);
  } else {
    returnStandardData(task, peripheral, false, TARGET_IDENTITY);
  }
}

/** INQUIRY to a LUN that nothing is attached to. */
export function inquireAbsentUnit(task: Task): void {
  inquireWithoutDisk(task, Peripheral.absent);
}

/** INQUIRY to the REPORT LUNS well known logical unit. */
export function inquireWellKnownUnit(task: Task): void {
  inquireWithoutDisk(task, Peripheral.wellKnown);
}
