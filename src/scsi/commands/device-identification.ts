import type { LogicalUnit } from "../logical-unit.ts";
import type { Nexus } from "../nexus.ts";
import { response } from "./response.ts";

const PROTOCOL_ISCSI = 0x50;
const PIV = 0x80;

const CodeSet = { binary: 1, ascii: 2, utf8: 3 } as const;
const Association = { logicalUnit: 0x00, targetPort: 0x10, targetDevice: 0x20 } as const;
const Designator = {
  t10VendorId: 1,
  naa: 3,
  relativeTargetPort: 4,
  targetPortGroup: 5,
  scsiNameString: 8,
} as const;

/** All ports are in one group: every path to a unit is as good as the others. */
const TARGET_PORT_GROUP = 1;

function logicalUnitHeader(codeSet: number, type: number, lengthBytes: number): void {
  response.uint8(codeSet).uint8(Association.logicalUnit | type);
  response.uint8(0).uint8(lengthBytes);
}

function portHeader(codeSet: number, typeAndAssociation: number, lengthBytes: number): void {
  response.uint8(PROTOCOL_ISCSI | codeSet).uint8(PIV | typeAndAssociation);
  response.uint8(0).uint8(lengthBytes);
}

/** A SCSI name string ends in a zero and is padded with more to a multiple of four (SPC-4 7.8.6.11). */
function nameStringBytes(name: string): number {
  return (Buffer.byteLength(name, "utf8") + 4) & ~3;
}

function nameString(name: string): void {
  const end = response.lengthBytes + nameStringBytes(name);
  response.text(name).padTo(end);
}

/**
 * Device Identification, SPC-4 7.8.6: the unit, the port that the question came through, and the target device; or what
 * was set in place of all of them.
 */
export function buildDeviceIdentification(unit: LogicalUnit, nexus: Nexus): void {
  const { naa, vendor, serial, designators } = unit.identity;
  if (designators !== null) {
    response.copy(designators);
    return;
  }
  logicalUnitHeader(CodeSet.binary, Designator.naa, naa.length);
  response.copy(naa);
  logicalUnitHeader(CodeSet.ascii, Designator.t10VendorId, 8 + serial.length);
  response.ascii(vendor, 8).text(serial);
  const unitName = `naa.${Buffer.from(naa).toString("hex").toUpperCase()}`;
  logicalUnitHeader(CodeSet.utf8, Designator.scsiNameString, nameStringBytes(unitName));
  nameString(unitName);

  const { relativePortId, targetPort, device } = nexus;
  portHeader(CodeSet.binary, Association.targetPort | Designator.relativeTargetPort, 4);
  response.uint16(0).uint16(relativePortId);
  portHeader(CodeSet.binary, Association.targetPort | Designator.targetPortGroup, 4);
  response.uint16(0).uint16(TARGET_PORT_GROUP);
  const portType = Association.targetPort | Designator.scsiNameString;
  portHeader(CodeSet.utf8, portType, nameStringBytes(targetPort));
  nameString(targetPort);
  const deviceType = Association.targetDevice | Designator.scsiNameString;
  portHeader(CodeSet.utf8, deviceType, nameStringBytes(device.name));
  nameString(device.name);
}
