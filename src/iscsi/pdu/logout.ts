import {
  getUint16BE,
  getUint32BE,
  getUint8,
  setUint16BE,
  setUint32BE,
  setUint8,
} from "../../util/bytes.ts";
import { beginHeader, setInitiatorNumbers } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { FINAL_FLAG, IMMEDIATE_FLAG, Opcode } from "./opcode.ts";

/** Logout Request, RFC 7143 11.14. */
export const LogoutRequestField = {
  opcode: [0, 1],
  flags: [1, 1],
  reserved2: [2, 2],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  reserved8: [8, 8],
  initiatorTaskTag: [16, 4],
  cid: [20, 2],
  reserved22: [22, 2],
  cmdSn: [24, 4],
  expStatSn: [28, 4],
  reserved32: [32, 16],
} as const;
checkLayout("Logout Request", LogoutRequestField);

/** Logout Response, RFC 7143 11.15. */
export const LogoutResponseField = {
  opcode: [0, 1],
  flags: [1, 1],
  response: [2, 1],
  reserved3: [3, 1],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  reserved8: [8, 8],
  initiatorTaskTag: [16, 4],
  reserved20: [20, 4],
  statSn: [24, 4],
  expCmdSn: [28, 4],
  maxCmdSn: [32, 4],
  reserved36: [36, 4],
  time2Wait: [40, 2],
  time2Retain: [42, 2],
  reserved44: [44, 4],
} as const;
checkLayout("Logout Response", LogoutResponseField);

const REASON_MASK = 0x7f;

/** RFC 7143 11.14.1. */
export const LogoutReason = { closeSession: 0, closeConnection: 1, removeForRecovery: 2 } as const;

/** RFC 7143 11.15.1. */
export const LogoutResponseCode = {
  closed: 0,
  cidNotFound: 1,
  recoveryNotSupported: 2,
  cleanupFailed: 3,
} as const;

export interface LogoutRequestFields {
  readonly immediate: boolean;
  readonly reason: number;
  readonly initiatorTaskTag: number;
  readonly cid: number;
  readonly cmdSn: number;
  readonly expStatSn: number;
}

export function decodeLogoutRequest(bytes: Uint8Array, base: number): LogoutRequestFields {
  return {
    immediate: (getUint8(bytes, base) & IMMEDIATE_FLAG) !== 0,
    reason: getUint8(bytes, base + LogoutRequestField.flags[0]) & REASON_MASK,
    initiatorTaskTag: getUint32BE(bytes, base + LogoutRequestField.initiatorTaskTag[0]),
    cid: getUint16BE(bytes, base + LogoutRequestField.cid[0]),
    cmdSn: getUint32BE(bytes, base + LogoutRequestField.cmdSn[0]),
    expStatSn: getUint32BE(bytes, base + LogoutRequestField.expStatSn[0]),
  };
}

export function encodeLogoutRequest(
  bytes: Uint8Array,
  base: number,
  fields: LogoutRequestFields,
): void {
  const opcode = Opcode.logoutRequest | (fields.immediate ? IMMEDIATE_FLAG : 0);
  beginHeader(bytes, base, opcode, FINAL_FLAG | fields.reason, 0);
  setUint32BE(bytes, base + LogoutRequestField.initiatorTaskTag[0], fields.initiatorTaskTag);
  setUint16BE(bytes, base + LogoutRequestField.cid[0], fields.cid);
  setInitiatorNumbers(bytes, base, fields.cmdSn, fields.expStatSn);
}

export interface LogoutResponseFields {
  readonly response: number;
  readonly initiatorTaskTag: number;
  readonly time2WaitSeconds: number;
  readonly time2RetainSeconds: number;
}

/** Sequence numbers are added when the PDU leaves. */
export function encodeLogoutResponse(
  bytes: Uint8Array,
  base: number,
  fields: LogoutResponseFields,
): void {
  beginHeader(bytes, base, Opcode.logoutResponse, FINAL_FLAG, 0);
  setUint8(bytes, base + LogoutResponseField.response[0], fields.response);
  setUint32BE(bytes, base + LogoutResponseField.initiatorTaskTag[0], fields.initiatorTaskTag);
  setUint16BE(bytes, base + LogoutResponseField.time2Wait[0], fields.time2WaitSeconds);
  setUint16BE(bytes, base + LogoutResponseField.time2Retain[0], fields.time2RetainSeconds);
}

export function decodeLogoutResponse(bytes: Uint8Array, base: number): LogoutResponseFields {
  return {
    response: getUint8(bytes, base + LogoutResponseField.response[0]),
    initiatorTaskTag: getUint32BE(bytes, base + LogoutResponseField.initiatorTaskTag[0]),
    time2WaitSeconds: getUint16BE(bytes, base + LogoutResponseField.time2Wait[0]),
    time2RetainSeconds: getUint16BE(bytes, base + LogoutResponseField.time2Retain[0]),
  };
}
