import { getUint32BE, getUint8, setUint32BE, setUint8 } from "../../util/bytes.ts";
import { beginHeader, setInitiatorNumbers } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { FINAL_FLAG, IMMEDIATE_FLAG, Opcode } from "./opcode.ts";

/** Task Management Function Request, RFC 7143 11.5. */
export const TaskManagementRequestField = {
  opcode: [0, 1],
  flags: [1, 1],
  reserved2: [2, 2],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  lun: [8, 8],
  initiatorTaskTag: [16, 4],
  referencedTaskTag: [20, 4],
  cmdSn: [24, 4],
  expStatSn: [28, 4],
  refCmdSn: [32, 4],
  expDataSn: [36, 4],
  reserved40: [40, 8],
} as const;
checkLayout("Task Management Function Request", TaskManagementRequestField);

/** Task Management Function Response, RFC 7143 11.6. */
export const TaskManagementResponseField = {
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
  reserved36: [36, 12],
} as const;
checkLayout("Task Management Function Response", TaskManagementResponseField);

const FUNCTION_MASK = 0x7f;

/** RFC 7143 11.5.1. */
export const TaskManagementFunctionCode = {
  abortTask: 1,
  abortTaskSet: 2,
  clearAca: 3,
  clearTaskSet: 4,
  logicalUnitReset: 5,
  targetWarmReset: 6,
  targetColdReset: 7,
  taskReassign: 8,
} as const;

/** RFC 7143 11.6.1. */
export const TaskManagementResponseCode = {
  functionComplete: 0,
  taskDoesNotExist: 1,
  lunDoesNotExist: 2,
  taskStillAllegiant: 3,
  taskAllegianceReassignmentNotSupported: 4,
  functionNotSupported: 5,
  functionAuthorizationFailed: 6,
  functionRejected: 255,
} as const;

export interface TaskManagementRequestFields {
  readonly immediate: boolean;
  readonly functionCode: number;
  /** 8 bytes. */
  readonly lun: Uint8Array;
  readonly initiatorTaskTag: number;
  readonly referencedTaskTag: number;
  readonly cmdSn: number;
  readonly expStatSn: number;
  readonly refCmdSn: number;
}

export function decodeTaskManagementRequest(
  bytes: Uint8Array,
  base: number,
): TaskManagementRequestFields {
  const field = TaskManagementRequestField;
  return {
    immediate: (getUint8(bytes, base) & IMMEDIATE_FLAG) !== 0,
    functionCode: getUint8(bytes, base + field.flags[0]) & FUNCTION_MASK,
    lun: bytes.subarray(base + field.lun[0], base + field.lun[0] + 8),
    initiatorTaskTag: getUint32BE(bytes, base + field.initiatorTaskTag[0]),
    referencedTaskTag: getUint32BE(bytes, base + field.referencedTaskTag[0]),
    cmdSn: getUint32BE(bytes, base + field.cmdSn[0]),
    expStatSn: getUint32BE(bytes, base + field.expStatSn[0]),
    refCmdSn: getUint32BE(bytes, base + field.refCmdSn[0]),
  };
}

export function encodeTaskManagementRequest(
  bytes: Uint8Array,
  base: number,
  fields: TaskManagementRequestFields,
): void {
  const opcode = Opcode.taskManagementRequest | (fields.immediate ? IMMEDIATE_FLAG : 0);
  const field = TaskManagementRequestField;
  beginHeader(bytes, base, opcode, FINAL_FLAG | fields.functionCode, 0);
  bytes.set(fields.lun, base + field.lun[0]);
  setUint32BE(bytes, base + field.initiatorTaskTag[0], fields.initiatorTaskTag);
  setUint32BE(bytes, base + field.referencedTaskTag[0], fields.referencedTaskTag);
  setInitiatorNumbers(bytes, base, fields.cmdSn, fields.expStatSn);
  setUint32BE(bytes, base + field.refCmdSn[0], fields.refCmdSn);
}

/** Sequence numbers are added when the PDU leaves. */
export function encodeTaskManagementResponse(
  bytes: Uint8Array,
  base: number,
  initiatorTaskTag: number,
  response: number,
): void {
  beginHeader(bytes, base, Opcode.taskManagementResponse, FINAL_FLAG, 0);
  setUint8(bytes, base + TaskManagementResponseField.response[0], response);
  setUint32BE(bytes, base + TaskManagementResponseField.initiatorTaskTag[0], initiatorTaskTag);
}

export function decodeTaskManagementResponse(bytes: Uint8Array, base: number): number {
  return getUint8(bytes, base + TaskManagementResponseField.response[0]);
}
