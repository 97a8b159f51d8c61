import { assert } from "../../../util/assert.ts";
import { setUint32BE } from "../../../util/bytes.ts";
import { usualScsiId, usualScsiSn } from "../defaults.ts";
import type { ShownUnitType } from "./shown.ts";

/*
 * How tgt names its units. A host's links under /dev/disk/by-id, its multipath maps and its LVM filters are made of these, so a unit that
 * comes from tgt keeps them to the bit: the vendor, product and serial number (scsi-SVENDOR_PRODUCT_SERIAL), the T10 designator
 * (scsi-1VENDOR...), and the NAA designators (scsi-3..., wwn-0x...).
 */

/** Characters of a designator or serial number; tgt cuts what is longer. Both fields of INQUIRY have this width in bytes. */
export const SCSI_ID_CHARS_MAX = 36;

export const VENDOR_DEFAULT = "IET";
export const REVISION_DEFAULT = "0001";

/** Product identification by type; a passed-through device answers for itself. */
export const PRODUCT_DEFAULTS: Readonly<Record<Exclude<ShownUnitType, "passthrough">, string>> = {
  disk: "VIRTUAL-DISK",
  tape: "VIRTUAL-TAPE",
  "cd/dvd": "VIRTUAL-CDROM",
  osd: "OSD",
  changer: "VIRTUAL-CHANGER",
  controller: "Controller",
};

const TID_MAX = 2 ** 31 - 1;
const LUN_MAX = Number.MAX_SAFE_INTEGER;
function assertNumbers(tid: number, lun: number): void {
  assert(Number.isInteger(tid) && tid >= 1 && tid <= TID_MAX, "a tid is from 1 to 2^31 - 1");
  assert(Number.isInteger(lun) && lun >= 0 && lun <= LUN_MAX, "a LUN is a whole number");
}

/** The designator that a unit has until somebody sets one. */
export function defaultScsiId(tid: number, lun: number): string {
  assertNumbers(tid, lun);
  return usualScsiId(tid, lun);
}

/** The serial number that a unit has until somebody sets one. */
export function defaultScsiSn(tid: number, lun: number): string {
  assertNumbers(tid, lun);
  return usualScsiSn(tid, lun);
}

function assertFits(text: string): void {
  assert(
    text.length <= SCSI_ID_CHARS_MAX && /^\p{ASCII}*$/u.test(text),
    "identifiers are ASCII, and were cut where they were set",
  );
}

const NAA_LOCAL_BYTES = 8;
const NAA_LOCAL = 0x30;

/**
 * The short NAA designator, 8 bytes: tid and LUN, with the format's 3 laid over. A tid past 2^28 spills into the format.
 * It is the same for equal numbers of any two daemons; hosts take the long one, which comes after it.
 */
export function naaLocal(tid: number, lun: number): Uint8Array {
  assertNumbers(tid, lun);
  const naa = new Uint8Array(NAA_LOCAL_BYTES);
  setUint32BE(naa, 0, tid);
  setUint32BE(naa, 4, lun % 2 ** 32);
  naa[0] = (tid >>> 24) | NAA_LOCAL;
  return naa;
}

const NAA_EXTENDED_BYTES = 16;
const NAA_EXTENDED_DIGITS = 2 * NAA_EXTENDED_BYTES;
const NAA_EXTENDED = "6";

/**
 * The long NAA designator, 16 bytes, by which udev and multipath call the unit: the last 32 characters of the identifier as hexadecimal
 * digits, 0 for those that are none, the first digit replaced by the format's 6.
 */
export function naaExtended(scsiId: string): Uint8Array {
  assertFits(scsiId);
  const digits = scsiId
    .slice(-NAA_EXTENDED_DIGITS)
    .replace(/[^0-9a-f]/gis, "0")
    .padStart(NAA_EXTENDED_DIGITS, "0");
  return Uint8Array.from(Buffer.from(`${NAA_EXTENDED}${digits.slice(1)}`, "hex"));
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

/** The field of VPD page 80h: 36 bytes, the serial number at its end, blanks before it. */
export function serialNumberField(scsiSn: string): Uint8Array {
  assertFits(scsiSn);
  return ascii(scsiSn.padStart(SCSI_ID_CHARS_MAX, " "));
}

const DESIGNATOR_HEADER_BYTES = 4;
const CODE_SET_BINARY = 1;
const CODE_SET_ASCII = 2;
const TYPE_T10_VENDOR = 1;
const TYPE_NAA = 3;

function designator(codeSet: number, type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(DESIGNATOR_HEADER_BYTES + value.length);
  bytes.set([codeSet, type, 0, value.length]);
  bytes.set(value, DESIGNATOR_HEADER_BYTES);
  return bytes;
}

/**
 * The designators of VPD page 83h after its header, in tgt's order: T10 vendor (36 bytes, filled up with zeros), short NAA, long NAA.
 * All are of the logical unit (association 0). There is no EUI-64 and no name of a port among them.
 */
export function designators(tid: number, lun: number, scsiId: string): Uint8Array {
  assertFits(scsiId);
  const parts = [
    designator(CODE_SET_ASCII, TYPE_T10_VENDOR, ascii(scsiId.padEnd(SCSI_ID_CHARS_MAX, "\0"))),
    designator(CODE_SET_BINARY, TYPE_NAA, naaLocal(tid, lun)),
    designator(CODE_SET_BINARY, TYPE_NAA, naaExtended(scsiId)),
  ];
  return Uint8Array.from(Buffer.concat(parts));
}
