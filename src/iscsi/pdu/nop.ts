import { getUint32BE, getUint8, setUint32BE } from "../../util/bytes.ts";
import { beginHeader, setInitiatorNumbers } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { FINAL_FLAG, IMMEDIATE_FLAG, Opcode } from "./opcode.ts";

/** NOP-Out, RFC 7143 11.18. The data segment is ping data, which the NOP-In gives back. */
export const NopOutField = {
  opcode: [0, 1],
  flags: [1, 1],
  reserved2: [2, 2],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  lun: [8, 8],
  initiatorTaskTag: [16, 4],
  targetTransferTag: [20, 4],
  cmdSn: [24, 4],
  expStatSn: [28, 4],
  reserved32: [32, 16],
} as const;
checkLayout("NOP-Out", NopOutField);

/** NOP-In, RFC 7143 11.19. */
export const NopInField = {
  opcode: [0, 1],
  flags: [1, 1],
  reserved2: [2, 2],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  lun: [8, 8],
  initiatorTaskTag: [16, 4],
  targetTransferTag: [20, 4],
  statSn: [24, 4],
  expCmdSn: [28, 4],
  maxCmdSn: [32, 4],
  reserved36: [36, 12],
} as const;
checkLayout("NOP-In", NopInField);

/** An answer has `RESERVED_TAG` as the tag of the other side; a ping has it as its own where none is wanted. */
export interface NopFields {
  readonly lun: Uint8Array;
  readonly initiatorTaskTag: number;
  readonly targetTransferTag: number;
}

export function decodeNop(bytes: Uint8Array, base: number): NopFields {
  return {
    lun: bytes.subarray(base + NopOutField.lun[0], base + NopOutField.lun[0] + 8),
    initiatorTaskTag: getUint32BE(bytes, base + NopOutField.initiatorTaskTag[0]),
    targetTransferTag: getUint32BE(bytes, base + NopOutField.targetTransferTag[0]),
  };
}

function encodeNop(
  bytes: Uint8Array,
  base: number,
  opcode: number,
  fields: NopFields,
  dataSegmentBytes: number,
): void {
  beginHeader(bytes, base, opcode, FINAL_FLAG, dataSegmentBytes);
  bytes.set(fields.lun, base + NopOutField.lun[0]);
  setUint32BE(bytes, base + NopOutField.initiatorTaskTag[0], fields.initiatorTaskTag);
  setUint32BE(bytes, base + NopOutField.targetTransferTag[0], fields.targetTransferTag);
}

export interface NopOutFields extends NopFields {
  readonly immediate: boolean;
  readonly cmdSn: number;
  readonly expStatSn: number;
}

export function encodeNopOut(
  bytes: Uint8Array,
  base: number,
  fields: NopOutFields,
  dataSegmentBytes: number,
): void {
  const opcode = Opcode.nopOut | (fields.immediate ? IMMEDIATE_FLAG : 0);
  encodeNop(bytes, base, opcode, fields, dataSegmentBytes);
  setInitiatorNumbers(bytes, base, fields.cmdSn, fields.expStatSn);
}

/** Sequence numbers are added when the PDU leaves. */
export function encodeNopIn(
  bytes: Uint8Array,
  base: number,
  fields: NopFields,
  dataSegmentBytes: number,
): void {
  encodeNop(bytes, base, Opcode.nopIn, fields, dataSegmentBytes);
}

export function nopIsImmediate(bytes: Uint8Array, base: number): boolean {
  return (getUint8(bytes, base) & IMMEDIATE_FLAG) !== 0;
}
