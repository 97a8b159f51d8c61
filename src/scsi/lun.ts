import { assert } from "../util/assert.ts";
import { getUint16BE, getUint32BE, setUint16BE, setUint32BE } from "../util/bytes.ts";
import { LUN_MAX } from "./limits.ts";

/** Bytes of a LUN field. */
export const LUN_BYTES = 8;

/** The REPORT LUNS well known logical unit (SAM-5 4.7.7.5.1, SPC-4 8.2), as {@link decodeLun} returns it. */
export const REPORT_LUNS_WELL_KNOWN_LUN = 0xc101;

/** Largest LUN in the peripheral device addressing method with bus identifier zero. */
const PERIPHERAL_LUN_MAX = 0xff;
const FLAT_SPACE = 0x4000;

/**
 * Reads an eight-byte LUN (SAM-5 4.7): single-level peripheral device addressing with bus identifier zero, flat space
 * addressing, and the REPORT LUNS well known logical unit. -1 for everything else, which addresses nothing here.
 */
export function decodeLun(bytes: Uint8Array, offset: number): number {
  const first = getUint16BE(bytes, offset);
  const lowerLevels = getUint16BE(bytes, offset + 2) | getUint32BE(bytes, offset + 4);
  if (lowerLevels !== 0) return -1;
  if (first <= PERIPHERAL_LUN_MAX) return first;
  if ((first & 0xc000) === FLAT_SPACE) return first & LUN_MAX;
  return first === REPORT_LUNS_WELL_KNOWN_LUN ? first : -1;
}

/** Writes the LUN in the shortest address method that holds it; the counterpart of {@link decodeLun}. */
export function encodeLun(bytes: Uint8Array, offset: number, lun: number): void {
  assert(
    (lun >= 0 && lun <= LUN_MAX) || lun === REPORT_LUNS_WELL_KNOWN_LUN,
    "a LUN is one that decodeLun returns",
  );
  const flat = lun > PERIPHERAL_LUN_MAX && lun <= LUN_MAX;
  setUint16BE(bytes, offset, flat ? FLAT_SPACE | lun : lun);
  setUint16BE(bytes, offset + 2, 0);
  setUint32BE(bytes, offset + 4, 0);
}
