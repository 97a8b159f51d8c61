import {
  getUint24BE,
  getUint32BE,
  getUint8,
  setUint24BE,
  setUint32BE,
  setUint8,
} from "../../util/bytes.ts";
import { OPCODE_MASK } from "./opcode.ts";

/** Basic header segment, RFC 7143 11.2.1: the 48 bytes that begin every PDU. */
export const BASIC_HEADER_BYTES = 48;
/** Header and data digests, RFC 7143 11.2.3. */
export const DIGEST_BYTES = 4;
/** Fields that stand at the same place in (nearly) every PDU. */
export const BasicHeaderOffset = {
  opcode: 0,
  flags: 1,
  totalAdditionalHeaderWords: 4,
  dataSegmentLength: 5, // 3 bytes
  lun: 8,
  initiatorTaskTag: 16,
  /** In PDUs from the initiator, except Data-Out and SNACK, where it is reserved. */
  cmdSn: 24,
  /** In PDUs from the initiator. */
  expStatSn: 28,
  /** In PDUs from the target: StatSN where it has one, ExpCmdSN and MaxCmdSN always. */
  statSn: 24,
  expCmdSn: 28,
  maxCmdSn: 32,
} as const;

export function opcodeOf(bytes: Uint8Array, base: number): number {
  return getUint8(bytes, base) & OPCODE_MASK;
}

/** Length of the additional header segments, in bytes. */
export function additionalHeaderBytesOf(bytes: Uint8Array, base: number): number {
  return getUint8(bytes, base + BasicHeaderOffset.totalAdditionalHeaderWords) * 4;
}

/** Length of the data segment without its padding, in bytes. */
export function dataSegmentBytesOf(bytes: Uint8Array, base: number): number {
  return getUint24BE(bytes, base + BasicHeaderOffset.dataSegmentLength);
}

export function initiatorTaskTagOf(bytes: Uint8Array, base: number): number {
  return getUint32BE(bytes, base + BasicHeaderOffset.initiatorTaskTag);
}

/** Data segments and additional headers are padded to whole words, RFC 7143 11.2. */
export function paddedBytes(lengthBytes: number): number {
  return (lengthBytes + 3) & ~3;
}

/** Zeroes a header and writes what all have. */
export function beginHeader(
  bytes: Uint8Array,
  base: number,
  opcode: number,
  flags: number,
  dataSegmentBytes: number,
): void {
  bytes.fill(0, base, base + BASIC_HEADER_BYTES);
  setUint8(bytes, base, opcode);
  setUint8(bytes, base + BasicHeaderOffset.flags, flags);
  setUint24BE(bytes, base + BasicHeaderOffset.dataSegmentLength, dataSegmentBytes);
}

/** The three numbers in PDUs from the target. They are written last, when the PDU is about to leave. */
export function setTargetNumbers(
  bytes: Uint8Array,
  base: number,
  statSn: number,
  expCmdSn: number,
  maxCmdSn: number,
): void {
  setUint32BE(bytes, base + BasicHeaderOffset.statSn, statSn);
  setUint32BE(bytes, base + BasicHeaderOffset.expCmdSn, expCmdSn);
  setUint32BE(bytes, base + BasicHeaderOffset.maxCmdSn, maxCmdSn);
}

/** The two numbers in PDUs from the initiator. */
export function setInitiatorNumbers(
  bytes: Uint8Array,
  base: number,
  cmdSn: number,
  expStatSn: number,
): void {
  setUint32BE(bytes, base + BasicHeaderOffset.cmdSn, cmdSn);
  setUint32BE(bytes, base + BasicHeaderOffset.expStatSn, expStatSn);
}
