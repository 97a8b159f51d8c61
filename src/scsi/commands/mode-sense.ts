import { assert } from "../../util/assert.ts";
import { getUint16BE, getUint8, setUint16BE, setUint8 } from "../../util/bytes.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { cdbField, Sense } from "../sense.ts";
import type { Task } from "../task.ts";
import { MODE_PAGES, type ModePage } from "./mode-pages.ts";
import { response } from "./response.ts";

const DBD = 0x08;
const LLBAA = 0x10;
const PAGE_BYTE = 2;
const SUBPAGE_BYTE = 3;
const ALL_PAGES = 0x3f;
const ALL_SUBPAGES = 0xff;

/** PC, SPC-4 6.11.1. */
const PageControl = { current: 0, changeable: 1, default: 2, saved: 3 } as const;

/** DEVICE-SPECIFIC PARAMETER of direct access block devices, SBC-3 6.5.1. */
const WP = 0x80;
const DPOFUA = 0x10;

const LONGLBA = 0x01;
const SHORT_DESCRIPTOR_BYTES = 8;
const LONG_DESCRIPTOR_BYTES = 16;
const UINT32_MAX = 0xffff_ffff;
const SUBPAGE_FORMAT = 0x40;

/** PARAMETER LIST HEADER of MODE SENSE (6) and (10), SPC-4 7.5.5: where it counts what follows. */
const MODE_DATA_LENGTH_6_MAX = 0xff;

function deviceSpecificParameter(unit: LogicalUnit): number {
  return DPOFUA | (unit.writeProtected ? WP : 0);
}

function selected(entry: ModePage, page: number, subpage: number): boolean {
  if (page !== ALL_PAGES && entry.page !== page) return false;
  return subpage === ALL_SUBPAGES || entry.subpage === subpage;
}

/** Refuses what the page control, page and subpage of the CDB ask for in vain. True: there are pages to return. */
function checkPages(task: Task): boolean {
  const pageField = getUint8(task.cdb, PAGE_BYTE);
  const subpage = getUint8(task.cdb, SUBPAGE_BYTE);
  const page = pageField & 0x3f;
  if (pageField >>> 6 === PageControl.saved) {
    task.fail(Sense.savingParametersNotSupported);
    return false;
  }
  if (MODE_PAGES.some((entry) => selected(entry, page, subpage))) return true;
  const pageKnown = page === ALL_PAGES || MODE_PAGES.some((entry) => entry.page === page);
  task.fail(Sense.invalidFieldInCdb, pageKnown ? cdbField(SUBPAGE_BYTE) : cdbField(PAGE_BYTE, 5));
  return false;
}

function appendPages(unit: LogicalUnit, task: Task): void {
  const pageField = getUint8(task.cdb, PAGE_BYTE);
  const subpage = getUint8(task.cdb, SUBPAGE_BYTE);
  const page = pageField & 0x3f;
  const changeable = pageField >>> 6 === PageControl.changeable;
  for (const entry of MODE_PAGES) {
    if (!selected(entry, page, subpage)) continue;
    if (entry.subpage === 0) response.uint8(entry.page).uint8(entry.lengthBytes);
    else
      response
        .uint8(entry.page | SUBPAGE_FORMAT)
        .uint8(entry.subpage)
        .uint16(entry.lengthBytes);
    const end = response.lengthBytes + entry.lengthBytes;
    if (changeable) response.padTo(end);
    else entry.build(unit);
    assert(response.lengthBytes === end, "a mode page has the length that it states");
  }
}

/** The block descriptor, SBC-3 6.5.2. */
function appendShortDescriptor(unit: LogicalUnit): void {
  response.uint32(Math.min(unit.capacityBlocks, UINT32_MAX)).uint8(0).uint24(unit.blockBytes);
}

function appendLongDescriptor(unit: LogicalUnit): void {
  response.uint64(unit.capacityBlocks).uint32(0).uint32(unit.blockBytes);
}

/** MODE SENSE (6), SPC-4 6.11. */
export function modeSense6(unit: LogicalUnit, task: Task): void {
  if (!checkPages(task)) return;
  const withDescriptor = (getUint8(task.cdb, 1) & DBD) === 0;
  response
    .start()
    .uint8(0)
    .uint8(0)
    .uint8(deviceSpecificParameter(unit))
    .uint8(withDescriptor ? SHORT_DESCRIPTOR_BYTES : 0);
  if (withDescriptor) appendShortDescriptor(unit);
  appendPages(unit, task);
  assert(response.lengthBytes - 1 <= MODE_DATA_LENGTH_6_MAX, "all mode pages fit MODE SENSE (6)");
  setUint8(response.bytes, 0, response.lengthBytes - 1);
  response.send(task, getUint8(task.cdb, 4));
}

/** MODE SENSE (10), SPC-4 6.12. */
export function modeSense10(unit: LogicalUnit, task: Task): void {
  if (!checkPages(task)) return;
  const flags = getUint8(task.cdb, 1);
  const withDescriptor = (flags & DBD) === 0;
  const long = withDescriptor && (flags & LLBAA) !== 0;
  const descriptorBytes = long ? LONG_DESCRIPTOR_BYTES : SHORT_DESCRIPTOR_BYTES;
  response
    .start()
    .uint16(0)
    .uint8(0)
    .uint8(deviceSpecificParameter(unit))
    .uint8(long ? LONGLBA : 0)
    .uint8(0)
    .uint16(withDescriptor ? descriptorBytes : 0);
  if (long) appendLongDescriptor(unit);
  else if (withDescriptor) appendShortDescriptor(unit);
  appendPages(unit, task);
  setUint16BE(response.bytes, 0, response.lengthBytes - 2);
  response.send(task, getUint16BE(task.cdb, 7));
}
