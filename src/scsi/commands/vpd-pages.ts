import { assert } from "../../util/assert.ts";
import { setUint16BE } from "../../util/bytes.ts";
import { UNMAP_BLOCKS_MAX, UNMAP_DESCRIPTORS_MAX, WRITE_SAME_BYTES_MAX } from "../limits.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import type { Nexus } from "../nexus.ts";
import type { Task } from "../task.ts";
import { buildDeviceIdentification } from "./device-identification.ts";
import { response } from "./response.ts";

/** Vital product data pages, SPC-4 7.8 and SBC-3 6.6, in the order in which page 00h lists them. */
export const VpdPage = {
  supportedPages: 0x00,
  unitSerialNumber: 0x80,
  deviceIdentification: 0x83,
  extendedInquiryData: 0x86,
  blockLimits: 0xb0,
  blockDeviceCharacteristics: 0xb1,
  logicalBlockProvisioning: 0xb2,
} as const;

const HEADER_BYTES = 4;
const PAGE_LENGTH_OFFSET = 2;
const LONG_PAGE_BYTES = 64;

type Build = (unit: LogicalUnit, nexus: Nexus) => void;

function buildSupportedPages(unit: LogicalUnit): void {
  for (const page of PAGES.keys()) if (hasPage(unit, page)) response.uint8(page);
}

function buildUnitSerialNumber(unit: LogicalUnit): void {
  response.copy(unit.identity.serialField);
}

/** Extended INQUIRY Data, SPC-4 7.8.7. */
function buildExtendedInquiryData(): void {
  const HEADSUP_ORDSUP_SIMPSUP = 0x07;
  const V_SUP = 0x01;
  const LUICLR = 0x01;
  response.uint8(0).uint8(HEADSUP_ORDSUP_SIMPSUP).uint8(V_SUP).uint8(LUICLR);
  response.padTo(LONG_PAGE_BYTES);
}

/** Block Limits, SBC-3 6.6.4. */
function buildBlockLimits(unit: LogicalUnit): void {
  const WSNZ = 0x01;
  const UGAVALID = 0x8000_0000;
  const { blockBytes, unmappable, transferBlocksMax } = unit;
  const { optimalGranularityBlocks, optimalTransferBlocks } = unit.effective;
  const { discardGranularityBytes } = unit.volume.capabilities;
  response
    .uint8(WSNZ)
    .uint8(0) // MAXIMUM COMPARE AND WRITE LENGTH: the command is not there.
    .uint16(optimalGranularityBlocks)
    .uint32(transferBlocksMax)
    .uint32(Math.min(optimalTransferBlocks, transferBlocksMax))
    .uint32(0) // MAXIMUM PREFETCH LENGTH
    .uint32(unmappable ? UNMAP_BLOCKS_MAX : 0)
    .uint32(unmappable ? UNMAP_DESCRIPTORS_MAX : 0)
    .uint32(unmappable ? Math.max(1, Math.ceil(discardGranularityBytes / blockBytes)) : 0)
    .uint32(unmappable ? UGAVALID : 0)
    .uint64(WRITE_SAME_BYTES_MAX / blockBytes)
    .padTo(LONG_PAGE_BYTES);
}

/** Block Device Characteristics, SBC-3 6.6.3. */
function buildBlockDeviceCharacteristics(unit: LogicalUnit): void {
  response.uint16(unit.effective.rotationRate);
  response.padTo(LONG_PAGE_BYTES);
}

/** Logical Block Provisioning, SBC-3 6.6.5. */
function buildLogicalBlockProvisioning(unit: LogicalUnit): void {
  const LBPU_LBPWS_LBPWS10 = 0xe0;
  const LBPRZ = 0x04;
  const FULL = 0;
  const RESOURCE_PROVISIONED = 1;
  const THIN_PROVISIONED = 2;
  const { thin, discardZeroes } = unit.volume.capabilities;
  const flags = unit.unmappable ? LBPU_LBPWS_LBPWS10 | (discardZeroes ? LBPRZ : 0) : 0;
  const provisioned = thin ? THIN_PROVISIONED : RESOURCE_PROVISIONED;
  response
    .uint8(0)
    .uint8(flags)
    .uint8(unit.unmappable ? provisioned : FULL)
    .uint8(0);
}

const PAGES: ReadonlyMap<number, Build> = new Map<number, Build>([
  [VpdPage.supportedPages, buildSupportedPages],
  [VpdPage.unitSerialNumber, buildUnitSerialNumber],
  [VpdPage.deviceIdentification, buildDeviceIdentification],
  [VpdPage.extendedInquiryData, buildExtendedInquiryData],
  [VpdPage.blockLimits, buildBlockLimits],
  [VpdPage.blockDeviceCharacteristics, buildBlockDeviceCharacteristics],
  [VpdPage.logicalBlockProvisioning, buildLogicalBlockProvisioning],
]);

/** Pages of SBC-3, from this code on, are those of disks. */
const DISK_PAGES_FIRST = 0xb0;

function hasPage(unit: LogicalUnit, page: number): boolean {
  return PAGES.has(page) && (unit.isDisk || page < DISK_PAGES_FIRST);
}

/** Builds a page in the response; false where there is no such page. */
export function buildVpdPage(unit: LogicalUnit, task: Task, page: number): boolean {
  const build = PAGES.get(page);
  if (build === undefined || !hasPage(unit, page)) return false;
  assert(task.nexus !== null, "a task that runs has a nexus");
  response.start().uint8(unit.deviceType).uint8(page).uint16(0);
  build(unit, task.nexus);
  setUint16BE(response.bytes, PAGE_LENGTH_OFFSET, response.lengthBytes - HEADER_BYTES);
  return true;
}
