import { getUint8, setUint32BE, setUint8 } from "../../util/bytes.ts";
import { BASIC_HEADER_BYTES, beginHeader } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { FINAL_FLAG, Opcode, RESERVED_TAG } from "./opcode.ts";

/** Reject, RFC 7143 11.17. The data segment is the basic header of the PDU that was refused. */
export const RejectField = {
  opcode: [0, 1],
  flags: [1, 1],
  reason: [2, 1],
  reserved3: [3, 1],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  reserved8: [8, 8],
  initiatorTaskTag: [16, 4],
  reserved20: [20, 4],
  statSn: [24, 4],
  expCmdSn: [28, 4],
  maxCmdSn: [32, 4],
  dataSn: [36, 4],
  reserved40: [40, 8],
} as const;
checkLayout("Reject", RejectField);

/** RFC 7143 11.17.1. */
export const RejectReason = {
  dataDigestError: 0x02,
  snackReject: 0x03,
  protocolError: 0x04,
  commandNotSupported: 0x05,
  immediateCommandReject: 0x06,
  taskInProgress: 0x07,
  invalidDataAck: 0x08,
  invalidPduField: 0x09,
  longOperationReject: 0x0a,
  negotiationReset: 0x0b,
  waitingForLogout: 0x0c,
} as const;
export type RejectReason = (typeof RejectReason)[keyof typeof RejectReason];

/** The data segment that follows is one basic header. Sequence numbers are added when the PDU leaves. */
export function encodeReject(bytes: Uint8Array, base: number, reason: number): void {
  beginHeader(bytes, base, Opcode.reject, FINAL_FLAG, BASIC_HEADER_BYTES);
  setUint8(bytes, base + RejectField.reason[0], reason);
  setUint32BE(bytes, base + RejectField.initiatorTaskTag[0], RESERVED_TAG);
}

export function decodeRejectReason(bytes: Uint8Array, base: number): number {
  return getUint8(bytes, base + RejectField.reason[0]);
}
