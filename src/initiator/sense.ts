import { getUint16BE, getUint32BE, getUint64BE, getUint8 } from "../util/bytes.ts";

/** Sense data, decoded from either format (SPC-4 4.5). */
export interface Sense {
  readonly key: number;
  readonly additionalSenseCode: number;
  readonly additionalSenseCodeQualifier: number;
  /** INFORMATION, where it is valid; otherwise -1. */
  readonly information: number;
  /** Sense key specific bytes (3), where valid, as one number; otherwise -1. */
  readonly keySpecific: number;
  /** True when it describes an earlier command. */
  readonly deferred: boolean;
}

export const SenseKey = {
  noSense: 0x0,
  recoveredError: 0x1,
  notReady: 0x2,
  mediumError: 0x3,
  hardwareError: 0x4,
  illegalRequest: 0x5,
  unitAttention: 0x6,
  dataProtect: 0x7,
  abortedCommand: 0xb,
  miscompare: 0xe,
} as const;

const KEY_NAMES: readonly string[] = [
  "NO SENSE",
  "RECOVERED ERROR",
  "NOT READY",
  "MEDIUM ERROR",
  "HARDWARE ERROR",
  "ILLEGAL REQUEST",
  "UNIT ATTENTION",
  "DATA PROTECT",
  "BLANK CHECK",
  "VENDOR SPECIFIC",
  "COPY ABORTED",
  "ABORTED COMMAND",
  "reserved",
  "VOLUME OVERFLOW",
  "MISCOMPARE",
  "COMPLETED",
];

const FIXED_CURRENT = 0x70;
const FIXED_DEFERRED = 0x71;
const DESCRIPTOR_CURRENT = 0x72;
const DESCRIPTOR_DEFERRED = 0x73;

const INFORMATION_DESCRIPTOR = 0x00;
const KEY_SPECIFIC_DESCRIPTOR = 0x02;
const VALID = 0x80;

/** Undefined for bytes that are no sense data: too short, or of a format that SPC-4 does not have. */
export function decodeSense(bytes: Uint8Array): Sense | undefined {
  if (bytes.length < 8) return undefined;
  const format = getUint8(bytes, 0) & 0x7f;
  if (format === FIXED_CURRENT || format === FIXED_DEFERRED) return decodeFixed(bytes, format);
  if (format === DESCRIPTOR_CURRENT || format === DESCRIPTOR_DEFERRED) {
    return decodeDescriptors(bytes, format);
  }
  return undefined;
}

function decodeFixed(bytes: Uint8Array, format: number): Sense {
  const valid = (getUint8(bytes, 0) & VALID) !== 0;
  const specific = bytes.length >= 18 && (getUint8(bytes, 15) & VALID) !== 0;
  return {
    key: getUint8(bytes, 2) & 0x0f,
    additionalSenseCode: bytes.length > 12 ? getUint8(bytes, 12) : 0,
    additionalSenseCodeQualifier: bytes.length > 13 ? getUint8(bytes, 13) : 0,
    information: valid ? getUint32BE(bytes, 3) : -1,
    keySpecific: specific ? (getUint8(bytes, 15) << 16) | getUint16BE(bytes, 16) : -1,
    deferred: format === FIXED_DEFERRED,
  };
}

function decodeDescriptors(bytes: Uint8Array, format: number): Sense {
  let information = -1;
  let keySpecific = -1;
  const end = Math.min(bytes.length, 8 + getUint8(bytes, 7));
  for (let at = 8; at + 2 <= end; at += 2 + getUint8(bytes, at + 1)) {
    const type = getUint8(bytes, at);
    if (type === INFORMATION_DESCRIPTOR && at + 12 <= end) {
      if ((getUint8(bytes, at + 2) & VALID) !== 0) information = getUint64BE(bytes, at + 4);
    } else if (type === KEY_SPECIFIC_DESCRIPTOR && at + 7 <= end) {
      if ((getUint8(bytes, at + 4) & VALID) === 0) continue;
      keySpecific = (getUint8(bytes, at + 4) << 16) | getUint16BE(bytes, at + 5);
    }
  }
  return {
    key: getUint8(bytes, 1) & 0x0f,
    additionalSenseCode: getUint8(bytes, 2),
    additionalSenseCodeQualifier: getUint8(bytes, 3),
    information,
    keySpecific,
    deferred: format === DESCRIPTOR_DEFERRED,
  };
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, "0");
}

/** For messages: "ILLEGAL REQUEST (5/24/00)". */
export function senseText(sense: Sense): string {
  const name = KEY_NAMES[sense.key] ?? "";
  const codes = `${hex(sense.additionalSenseCode)}/${hex(sense.additionalSenseCodeQualifier)}`;
  return `${name} (${sense.key.toString(16).toUpperCase()}/${codes})`;
}
