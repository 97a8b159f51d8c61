import { getUint16BE, getUint8, setUint16BE, setUint32BE, setUint8 } from "../../util/bytes.ts";
import { beginHeader } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { FINAL_FLAG, Opcode, RESERVED_TAG } from "./opcode.ts";

/** Asynchronous Message, RFC 7143 11.9. */
export const AsyncMessageField = {
  opcode: [0, 1],
  flags: [1, 1],
  reserved2: [2, 2],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  lun: [8, 8],
  initiatorTaskTag: [16, 4],
  reserved20: [20, 4],
  statSn: [24, 4],
  expCmdSn: [28, 4],
  maxCmdSn: [32, 4],
  asyncEvent: [36, 1],
  asyncVCode: [37, 1],
  parameter1: [38, 2],
  parameter2: [40, 2],
  parameter3: [42, 2],
  reserved44: [44, 4],
} as const;
checkLayout("Asynchronous Message", AsyncMessageField);

/** RFC 7143 11.9.1. */
export const AsyncEvent = {
  scsiEvent: 0,
  logoutRequested: 1,
  connectionDropped: 2,
  sessionDropped: 3,
  negotiationRequested: 4,
} as const;

export interface AsyncMessageFields {
  readonly asyncEvent: number;
  /** Meaning by event: for `logoutRequested`, parameter3 is the time in seconds until the drop. */
  readonly parameter1: number;
  readonly parameter2: number;
  readonly parameter3: number;
}

/** Sequence numbers are added when the PDU leaves. */
export function encodeAsyncMessage(
  bytes: Uint8Array,
  base: number,
  fields: AsyncMessageFields,
): void {
  beginHeader(bytes, base, Opcode.asyncMessage, FINAL_FLAG, 0);
  setUint32BE(bytes, base + AsyncMessageField.initiatorTaskTag[0], RESERVED_TAG);
  setUint8(bytes, base + AsyncMessageField.asyncEvent[0], fields.asyncEvent);
  setUint16BE(bytes, base + AsyncMessageField.parameter1[0], fields.parameter1);
  setUint16BE(bytes, base + AsyncMessageField.parameter2[0], fields.parameter2);
  setUint16BE(bytes, base + AsyncMessageField.parameter3[0], fields.parameter3);
}

export function decodeAsyncMessage(bytes: Uint8Array, base: number): AsyncMessageFields {
  return {
    asyncEvent: getUint8(bytes, base + AsyncMessageField.asyncEvent[0]),
    parameter1: getUint16BE(bytes, base + AsyncMessageField.parameter1[0]),
    parameter2: getUint16BE(bytes, base + AsyncMessageField.parameter2[0]),
    parameter3: getUint16BE(bytes, base + AsyncMessageField.parameter3[0]),
  };
}
