import {
  getUint16BE,
  getUint32BE,
  getUint8,
  setUint16BE,
  setUint32BE,
  setUint8,
} from "../../util/bytes.ts";
import { beginHeader, setInitiatorNumbers, setTargetNumbers } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { IMMEDIATE_FLAG, Opcode } from "./opcode.ts";

/** Login Request, RFC 7143 11.12. */
export const LoginRequestField = {
  opcode: [0, 1],
  flags: [1, 1],
  versionMax: [2, 1],
  versionMin: [3, 1],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  isid: [8, 6],
  tsih: [14, 2],
  initiatorTaskTag: [16, 4],
  cid: [20, 2],
  reserved22: [22, 2],
  cmdSn: [24, 4],
  expStatSn: [28, 4],
  reserved32: [32, 16],
} as const;
checkLayout("Login Request", LoginRequestField);

/** Login Response, RFC 7143 11.13. */
export const LoginResponseField = {
  opcode: [0, 1],
  flags: [1, 1],
  versionMax: [2, 1],
  versionActive: [3, 1],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  isid: [8, 6],
  tsih: [14, 2],
  initiatorTaskTag: [16, 4],
  reserved20: [20, 4],
  statSn: [24, 4],
  expCmdSn: [28, 4],
  maxCmdSn: [32, 4],
  statusClass: [36, 1],
  statusDetail: [37, 1],
  reserved38: [38, 10],
} as const;
checkLayout("Login Response", LoginResponseField);

export const ISID_BYTES = 6;

/** Byte 1 of both: transit, continue, and the stages in two bits each. */
const TRANSIT_FLAG = 0x80;
const CONTINUE_FLAG = 0x40;

/** RFC 7143 11.12.3. Stage 2 does not exist. */
export const LoginStage = {
  securityNegotiation: 0,
  operationalNegotiation: 1,
  fullFeature: 3,
} as const;

interface StageFields {
  readonly transit: boolean;
  readonly continued: boolean;
  /** `LoginStage`, or 2 from a peer that is wrong. */
  readonly currentStage: number;
  readonly nextStage: number;
}

function encodeStages(fields: StageFields): number {
  return (
    (fields.transit ? TRANSIT_FLAG : 0) |
    (fields.continued ? CONTINUE_FLAG : 0) |
    (fields.currentStage << 2) |
    fields.nextStage
  );
}

function decodeStages(flags: number): StageFields {
  return {
    transit: (flags & TRANSIT_FLAG) !== 0,
    continued: (flags & CONTINUE_FLAG) !== 0,
    currentStage: (flags >>> 2) & 3,
    nextStage: flags & 3,
  };
}

export interface LoginRequestFields extends StageFields {
  readonly versionMax: number;
  readonly versionMin: number;
  /** 6 bytes as 12 lower-case hexadecimal digits. */
  readonly isid: string;
  readonly tsih: number;
  readonly initiatorTaskTag: number;
  readonly cid: number;
  readonly cmdSn: number;
  readonly expStatSn: number;
}

function isidOf(bytes: Uint8Array, start: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, ISID_BYTES).toString("hex");
}

export function decodeLoginRequest(bytes: Uint8Array, base: number): LoginRequestFields {
  return {
    ...decodeStages(getUint8(bytes, base + LoginRequestField.flags[0])),
    versionMax: getUint8(bytes, base + LoginRequestField.versionMax[0]),
    versionMin: getUint8(bytes, base + LoginRequestField.versionMin[0]),
    isid: isidOf(bytes, base + LoginRequestField.isid[0]),
    tsih: getUint16BE(bytes, base + LoginRequestField.tsih[0]),
    initiatorTaskTag: getUint32BE(bytes, base + LoginRequestField.initiatorTaskTag[0]),
    cid: getUint16BE(bytes, base + LoginRequestField.cid[0]),
    cmdSn: getUint32BE(bytes, base + LoginRequestField.cmdSn[0]),
    expStatSn: getUint32BE(bytes, base + LoginRequestField.expStatSn[0]),
  };
}

export function encodeLoginRequest(
  bytes: Uint8Array,
  base: number,
  fields: LoginRequestFields,
  dataSegmentBytes: number,
): void {
  const opcode = Opcode.loginRequest | IMMEDIATE_FLAG;
  beginHeader(bytes, base, opcode, encodeStages(fields), dataSegmentBytes);
  setUint8(bytes, base + LoginRequestField.versionMax[0], fields.versionMax);
  setUint8(bytes, base + LoginRequestField.versionMin[0], fields.versionMin);
  bytes.set(Buffer.from(fields.isid, "hex"), base + LoginRequestField.isid[0]);
  setUint16BE(bytes, base + LoginRequestField.tsih[0], fields.tsih);
  setUint32BE(bytes, base + LoginRequestField.initiatorTaskTag[0], fields.initiatorTaskTag);
  setUint16BE(bytes, base + LoginRequestField.cid[0], fields.cid);
  setInitiatorNumbers(bytes, base, fields.cmdSn, fields.expStatSn);
}

export interface LoginResponseFields extends StageFields {
  readonly versionMax: number;
  readonly versionActive: number;
  /** 6 bytes as 12 lower-case hexadecimal digits. */
  readonly isid: string;
  readonly tsih: number;
  readonly initiatorTaskTag: number;
  readonly statSn: number;
  readonly expCmdSn: number;
  readonly maxCmdSn: number;
  readonly statusClass: number;
  readonly statusDetail: number;
}

export function decodeLoginResponse(bytes: Uint8Array, base: number): LoginResponseFields {
  return {
    ...decodeStages(getUint8(bytes, base + LoginResponseField.flags[0])),
    versionMax: getUint8(bytes, base + LoginResponseField.versionMax[0]),
    versionActive: getUint8(bytes, base + LoginResponseField.versionActive[0]),
    isid: isidOf(bytes, base + LoginResponseField.isid[0]),
    tsih: getUint16BE(bytes, base + LoginResponseField.tsih[0]),
    initiatorTaskTag: getUint32BE(bytes, base + LoginResponseField.initiatorTaskTag[0]),
    statSn: getUint32BE(bytes, base + LoginResponseField.statSn[0]),
    expCmdSn: getUint32BE(bytes, base + LoginResponseField.expCmdSn[0]),
    maxCmdSn: getUint32BE(bytes, base + LoginResponseField.maxCmdSn[0]),
    statusClass: getUint8(bytes, base + LoginResponseField.statusClass[0]),
    statusDetail: getUint8(bytes, base + LoginResponseField.statusDetail[0]),
  };
}

export function encodeLoginResponse(
  bytes: Uint8Array,
  base: number,
  fields: LoginResponseFields,
  dataSegmentBytes: number,
): void {
  beginHeader(bytes, base, Opcode.loginResponse, encodeStages(fields), dataSegmentBytes);
  setUint8(bytes, base + LoginResponseField.versionMax[0], fields.versionMax);
  setUint8(bytes, base + LoginResponseField.versionActive[0], fields.versionActive);
  bytes.set(Buffer.from(fields.isid, "hex"), base + LoginResponseField.isid[0]);
  setUint16BE(bytes, base + LoginResponseField.tsih[0], fields.tsih);
  setUint32BE(bytes, base + LoginResponseField.initiatorTaskTag[0], fields.initiatorTaskTag);
  setTargetNumbers(bytes, base, fields.statSn, fields.expCmdSn, fields.maxCmdSn);
  setUint8(bytes, base + LoginResponseField.statusClass[0], fields.statusClass);
  setUint8(bytes, base + LoginResponseField.statusDetail[0], fields.statusDetail);
}
