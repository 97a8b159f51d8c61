import { assert } from "../util/assert.ts";
import {
  getUint16BE,
  getUint32BE,
  getUint64BE,
  getUint8,
  setUint16BE,
  setUint32BE,
  setUint64BE,
  setUint8,
} from "../util/bytes.ts";

/** Room for any sense data that `encodeSense` makes: descriptor format with its header and two descriptors is 28. */
export const SENSE_BYTES_MAX = 32;

/** A sense key, additional sense code and qualifier, as key << 16 | ASC << 8 | ASCQ. Any such number may come in. */
export type SenseCode = number;

/** Sense keys, SPC-4 4.5.6. */
export const SenseKey = {
  noSense: 0x0,
  notReady: 0x2,
  mediumError: 0x3,
  hardwareError: 0x4,
  illegalRequest: 0x5,
  unitAttention: 0x6,
  dataProtect: 0x7,
  abortedCommand: 0xb,
  miscompare: 0xe,
} as const;

/** The sense that this target gives, by the names of SPC-4 (annex D). */
export const Sense = {
  noAdditionalSenseInformation: 0x0_00_00,

  notReadyBecomingReady: 0x2_04_01,
  notReadyInitializingCommandRequired: 0x2_04_02,
  notReadyManualInterventionRequired: 0x2_04_03,
  notReadySpaceAllocationInProgress: 0x2_04_14,
  mediumNotPresent: 0x2_3a_00,

  writeError: 0x3_0c_00,
  unrecoveredReadError: 0x3_11_00,

  internalTargetFailure: 0x4_44_00,

  parameterListLengthError: 0x5_1a_00,
  invalidCommandOperationCode: 0x5_20_00,
  logicalBlockAddressOutOfRange: 0x5_21_00,
  invalidFieldInCdb: 0x5_24_00,
  logicalUnitNotSupported: 0x5_25_00,
  invalidFieldInParameterList: 0x5_26_00,
  savingParametersNotSupported: 0x5_39_00,
  mediumRemovalPrevented: 0x5_53_02,

  mediumMayHaveChanged: 0x6_28_00,
  powerOnResetOrBusDeviceResetOccurred: 0x6_29_00,
  powerOnOccurred: 0x6_29_01,
  busDeviceResetFunctionOccurred: 0x6_29_03,
  nexusLossOccurred: 0x6_29_07,
  modeParametersChanged: 0x6_2a_01,
  capacityDataHasChanged: 0x6_2a_09,
  commandsClearedByAnotherInitiator: 0x6_2f_00,
  thinProvisioningSoftThresholdReached: 0x6_38_07,
  inquiryDataHasChanged: 0x6_3f_03,
  reportedLunsDataHasChanged: 0x6_3f_0e,

  writeProtected: 0x7_27_00,
  logicalUnitSoftwareWriteProtected: 0x7_27_02,
  spaceAllocationFailedWriteProtect: 0x7_27_07,

  protocolServiceCrcError: 0xb_47_05,

  miscompareDuringVerifyOperation: 0xe_1d_00,
} as const;

/** The sense key of a code. */
export function senseKeyOf(code: SenseCode): number {
  return code >>> 16;
}

/** The additional sense code without its qualifier. */
export function additionalSenseCodeOf(code: SenseCode): number {
  return (code >>> 8) & 0xff;
}

// A field pointer as a number: the byte in bits 15..0, then BPV and the bit pointer as they stand in the sense data
// (SPC-4 4.5.2.4.2), then one bit that says "in the parameter data" instead of "in the CDB".
const BIT_POINTER_SHIFT = 16;
const BIT_POINTER_VALID = 0x8;
const IN_DATA = 1 << 20;

const SKSV = 0x80;
const COMMAND_DATA = 0x40;
const INFORMATION_VALID = 0x80;

/** Points at a byte of the CDB, and at the left-most bit of the field there unless the field starts the byte. */
export function cdbField(byte: number, bit: number = -1): number {
  return byte | (bit < 0 ? 0 : (BIT_POINTER_VALID | bit) << BIT_POINTER_SHIFT);
}

/** As {@link cdbField}, for a byte of the parameter list that came as data-out. */
export function dataField(byte: number, bit: number = -1): number {
  return cdbField(byte, bit) | IN_DATA;
}

const Fixed = {
  responseCode: 0,
  senseKey: 2,
  information: 3,
  additionalLength: 7,
  additionalSenseCode: 12,
  additionalSenseCodeQualifier: 13,
  senseKeySpecific: 15,
  end: 18,
} as const;

const Descriptor = {
  responseCode: 0,
  senseKey: 1,
  additionalSenseCode: 2,
  additionalSenseCodeQualifier: 3,
  additionalLength: 7,
  end: 8,
} as const;

const InformationDescriptor = { type: 0x00, valid: 2, information: 4, end: 12 } as const;
const SpecificDescriptor = { type: 0x02, senseKeySpecific: 4, end: 8 } as const;

assert(
  Fixed.end <= SENSE_BYTES_MAX &&
    Descriptor.end + InformationDescriptor.end + SpecificDescriptor.end <= SENSE_BYTES_MAX,
  "the sense buffer holds either format",
);

const FIXED_CURRENT = 0x70;
const DESCRIPTOR_CURRENT = 0x72;

function encodeSenseKeySpecific(into: Uint8Array, offset: number, field: number): void {
  const place = (field & IN_DATA) === 0 ? COMMAND_DATA : 0;
  setUint8(into, offset, SKSV | place | ((field >>> BIT_POINTER_SHIFT) & 0xf));
  setUint16BE(into, offset + 1, field & 0xffff);
}

/**
 * Writes current sense data, fixed or descriptor format (SPC-4 4.5.3, 4.5.2), to the start of `into` and returns its
 * length. `field` is what {@link cdbField} or {@link dataField} made, -1 for none; `information` is a natural number,
 * -1 for none. Fixed format has 32 bits for it: a larger one is left out, as VALID = 0 says.
 */
export function encodeSense(
  into: Uint8Array,
  code: SenseCode,
  descriptorFormat: boolean,
  field: number,
  information: number,
): number {
  assert(into.length >= SENSE_BYTES_MAX, "sense data fit their buffer");
  into.fill(0, 0, SENSE_BYTES_MAX);
  if (descriptorFormat) return encodeDescriptorSense(into, code, field, information);
  const valid = information >= 0 && information <= 0xffff_ffff;
  setUint8(into, Fixed.responseCode, FIXED_CURRENT | (valid ? INFORMATION_VALID : 0));
  setUint8(into, Fixed.senseKey, senseKeyOf(code));
  if (valid) setUint32BE(into, Fixed.information, information);
  setUint8(into, Fixed.additionalLength, Fixed.end - Fixed.additionalLength - 1);
  setUint16BE(into, Fixed.additionalSenseCode, code & 0xffff);
  if (field >= 0) encodeSenseKeySpecific(into, Fixed.senseKeySpecific, field);
  return Fixed.end;
}

function encodeDescriptorSense(
  into: Uint8Array,
  code: SenseCode,
  field: number,
  information: number,
): number {
  setUint8(into, Descriptor.responseCode, DESCRIPTOR_CURRENT);
  setUint8(into, Descriptor.senseKey, senseKeyOf(code));
  setUint16BE(into, Descriptor.additionalSenseCode, code & 0xffff);
  let end: number = Descriptor.end;
  if (information >= 0) {
    setUint8(into, end, InformationDescriptor.type);
    setUint8(into, end + 1, InformationDescriptor.end - 2);
    setUint8(into, end + InformationDescriptor.valid, INFORMATION_VALID);
    setUint64BE(into, end + InformationDescriptor.information, information);
    end += InformationDescriptor.end;
  }
  if (field >= 0) {
    setUint8(into, end, SpecificDescriptor.type);
    setUint8(into, end + 1, SpecificDescriptor.end - 2);
    encodeSenseKeySpecific(into, end + SpecificDescriptor.senseKeySpecific, field);
    end += SpecificDescriptor.end;
  }
  setUint8(into, Descriptor.additionalLength, end - Descriptor.end);
  return end;
}

/** Sense data as a reader wants them. */
export interface SenseData {
  readonly code: SenseCode;
  /** The error is of an earlier command (71h, 73h). */
  readonly deferred: boolean;
  readonly descriptorFormat: boolean;
  /** -1 where the sense data have none. */
  readonly information: number;
  /** A field pointer as {@link cdbField} makes it; -1 where the sense data have none. */
  readonly field: number;
}

function decodeSenseKeySpecific(bytes: Uint8Array, offset: number): number {
  const first = getUint8(bytes, offset);
  if ((first & SKSV) === 0) return -1;
  const bitPointer = (first & BIT_POINTER_VALID) === 0 ? 0 : first & 0xf;
  const place = (first & COMMAND_DATA) === 0 ? IN_DATA : 0;
  return getUint16BE(bytes, offset + 1) | (bitPointer << BIT_POINTER_SHIFT) | place;
}

function decodeFixedSense(bytes: Uint8Array, lengthBytes: number): SenseData | null {
  if (lengthBytes <= Fixed.additionalSenseCodeQualifier) return null;
  const key = getUint8(bytes, Fixed.senseKey) & 0xf;
  const valid = (getUint8(bytes, Fixed.responseCode) & INFORMATION_VALID) !== 0;
  const pointed = key === SenseKey.illegalRequest && lengthBytes >= Fixed.end;
  return {
    code: (key << 16) | getUint16BE(bytes, Fixed.additionalSenseCode),
    deferred: (getUint8(bytes, Fixed.responseCode) & 1) !== 0,
    descriptorFormat: false,
    information: valid ? getUint32BE(bytes, Fixed.information) : -1,
    field: pointed ? decodeSenseKeySpecific(bytes, Fixed.senseKeySpecific) : -1,
  };
}

function decodeDescriptorSense(bytes: Uint8Array, lengthBytes: number): SenseData | null {
  if (lengthBytes < Descriptor.end) return null;
  const key = getUint8(bytes, Descriptor.senseKey) & 0xf;
  const stated = Descriptor.end + getUint8(bytes, Descriptor.additionalLength);
  const end = Math.min(lengthBytes, stated);
  let information = -1;
  let field = -1;
  for (let at: number = Descriptor.end; at + 2 <= end; at += 2 + getUint8(bytes, at + 1)) {
    const type = getUint8(bytes, at);
    if (type === InformationDescriptor.type && at + InformationDescriptor.end <= end) {
      information = getUint64BE(bytes, at + InformationDescriptor.information);
    } else if (type === SpecificDescriptor.type && at + SpecificDescriptor.end <= end) {
      if (key === SenseKey.illegalRequest) {
        field = decodeSenseKeySpecific(bytes, at + SpecificDescriptor.senseKeySpecific);
      }
    }
  }
  return {
    code: (key << 16) | getUint16BE(bytes, Descriptor.additionalSenseCode),
    deferred: (getUint8(bytes, Descriptor.responseCode) & 1) !== 0,
    descriptorFormat: true,
    information,
    field,
  };
}

/** Reads sense data of either format from the start of `bytes`; null when they are cut short or of another format. */
export function decodeSense(bytes: Uint8Array, lengthBytes: number): SenseData | null {
  assert(lengthBytes <= bytes.length, "sense data lie within their buffer");
  if (lengthBytes === 0) return null;
  const responseCode = getUint8(bytes, 0) & 0x7e;
  if (responseCode === FIXED_CURRENT) return decodeFixedSense(bytes, lengthBytes);
  if (responseCode === DESCRIPTOR_CURRENT) return decodeDescriptorSense(bytes, lengthBytes);
  return null;
}
