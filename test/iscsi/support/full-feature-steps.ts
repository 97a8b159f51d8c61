import { opcodeOf } from "../../../src/iscsi/pdu/basic-header.ts";
import { encodeLogoutRequest } from "../../../src/iscsi/pdu/logout.ts";
import { Opcode, RESERVED_TAG } from "../../../src/iscsi/pdu/opcode.ts";
import {
  decodeTaskManagementResponse,
  encodeTaskManagementRequest,
} from "../../../src/iscsi/pdu/task-management.ts";
import { FIRST_CMD_SN, type FullFeatureBench } from "./full-feature-bench.ts";

export const LUN: Uint8Array = new Uint8Array(8);
export const WRITE_FLAGS: number = 0xa1;
export const UNFINISHED_WRITE_FLAGS: number = 0x21;

export function answeredTags(bench: FullFeatureBench): number[] {
  return bench.responses.map(({ initiatorTaskTag }) => initiatorTaskTag);
}

/** WRITE (10) of `blocks`, from the start of the disk. */
export function writeCdb(blocks: number): Buffer {
  const cdb = Buffer.alloc(16);
  cdb.writeUInt8(0x2a, 0);
  cdb.writeUInt16BE(blocks, 7);
  return cdb;
}

export function manage(
  bench: FullFeatureBench,
  functionCode: number,
  fields: { referencedTaskTag?: number; cmdSn?: number; refCmdSn?: number } = {},
): void {
  const header = Buffer.alloc(48);
  encodeTaskManagementRequest(header, 0, {
    immediate: true,
    functionCode,
    lun: LUN,
    initiatorTaskTag: 0x999,
    referencedTaskTag: RESERVED_TAG,
    cmdSn: FIRST_CMD_SN,
    expStatSn: 0,
    refCmdSn: 0,
    ...fields,
  });
  bench.receive(header);
}

export function managed(bench: FullFeatureBench): number[] {
  return bench.pdus
    .filter(({ header }) => opcodeOf(header, 0) === Opcode.taskManagementResponse)
    .map(({ header }) => decodeTaskManagementResponse(header, 0));
}

export function logout(bench: FullFeatureBench, reason: number, cid = 0): void {
  const header = Buffer.alloc(48);
  const fields = { immediate: true, reason, initiatorTaskTag: 5, cid, cmdSn: 100, expStatSn: 0 };
  encodeLogoutRequest(header, 0, fields);
  bench.receive(header);
}

export function loggedOut(bench: FullFeatureBench): number[] {
  return bench.pdus
    .filter(({ header }) => opcodeOf(header, 0) === Opcode.logoutResponse)
    .map(({ header }) => header.readUInt8(2));
}
