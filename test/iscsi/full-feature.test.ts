import { describe, expect, it } from "vitest";

import { HELD_BYTES_MAX, IMMEDIATE_TASKS_MAX } from "../../src/iscsi/limits.ts";
import { opcodeOf } from "../../src/iscsi/pdu/basic-header.ts";
import { encodeDataOut } from "../../src/iscsi/pdu/data-out.ts";
import { encodeLogoutRequest, LogoutReason } from "../../src/iscsi/pdu/logout.ts";
import { encodeNopOut } from "../../src/iscsi/pdu/nop.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { RejectReason } from "../../src/iscsi/pdu/reject.ts";
import {
  decodeTaskManagementResponse,
  encodeTaskManagementRequest,
} from "../../src/iscsi/pdu/task-management.ts";
import { ProtocolError } from "../../src/iscsi/protocol-error.ts";
import { TaskManagementFunction, TaskManagementResponse } from "../../src/scsi/task-management.ts";
import { FIRST_CMD_SN, FullFeatureBench } from "./support/full-feature-bench.ts";

const LUN = new Uint8Array(8);
const WRITE_FLAGS = 0xa1;
const UNFINISHED_WRITE_FLAGS = 0x21;

function answeredTags(bench: FullFeatureBench): number[] {
  return bench.responses.map(({ initiatorTaskTag }) => initiatorTaskTag);
}

/** WRITE (10) of `blocks`, from the start of the disk. */
function writeCdb(blocks: number): Buffer {
  const cdb = Buffer.alloc(16);
  cdb.writeUInt8(0x2a, 0);
  cdb.writeUInt16BE(blocks, 7);
  return cdb;
}

function manage(
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

function managed(bench: FullFeatureBench): number[] {
  return bench.pdus
    .filter(({ header }) => opcodeOf(header, 0) === Opcode.taskManagementResponse)
    .map(({ header }) => decodeTaskManagementResponse(header, 0));
}

function logout(bench: FullFeatureBench, reason: number, cid = 0): void {
  const header = Buffer.alloc(48);
  const fields = { immediate: true, reason, initiatorTaskTag: 5, cid, cmdSn: 100, expStatSn: 0 };
  encodeLogoutRequest(header, 0, fields);
  bench.receive(header);
}

function loggedOut(bench: FullFeatureBench): number[] {
  return bench.pdus
    .filter(({ header }) => opcodeOf(header, 0) === Opcode.logoutResponse)
    .map(({ header }) => header.readUInt8(2));
}

describe("the order of commands", () => {
  it("is that of their numbers, whatever order they come in", () => {
    const bench = new FullFeatureBench();
    for (const number of [2, 4, 1, 1, 3]) bench.command(number, FIRST_CMD_SN + number);
    expect(answeredTags(bench)).toEqual([]);
    bench.command(0, FIRST_CMD_SN);
    expect(answeredTags(bench)).toEqual([0, 1, 2, 3, 4]);
    bench.command(2, FIRST_CMD_SN + 2);
    expect(answeredTags(bench)).toHaveLength(5);
    expect(bench.fullFeature.expCmdSn).toBe(FIRST_CMD_SN + 5);
    expect(bench.rejects).toEqual([]);
  });

  it("does not bind immediate commands, of which there may be some", () => {
    const bench = new FullFeatureBench();
    bench.command(7, FIRST_CMD_SN + 9, { immediate: true });
    expect(answeredTags(bench)).toEqual([7]);
    bench.fake.volume.holding = true;
    const cdb = Buffer.from([0x35, ...Buffer.alloc(15)]);
    for (let tag = 0; tag <= IMMEDIATE_TASKS_MAX; tag += 1) {
      bench.command(tag, FIRST_CMD_SN, { immediate: true, cdb });
    }
    expect(bench.session.immediateCount).toBe(IMMEDIATE_TASKS_MAX);
    expect(bench.rejects).toEqual([RejectReason.immediateCommandReject]);
    while (bench.fake.volume.held.length !== 0) bench.fake.volume.release();
    expect(bench.session.immediateCount).toBe(0);
  });

  it("keeps no more than some data of commands that come too early", () => {
    const bench = new FullFeatureBench();
    const data = Buffer.alloc(60_000);
    const fields = { flags: WRITE_FLAGS, cdb: writeCdb(128), data };
    const count = Math.floor(HELD_BYTES_MAX / (60_000 + 48));
    for (let number = 1; number <= count; number += 1) {
      bench.command(number, FIRST_CMD_SN + number, fields);
    }
    expect(() => bench.command(999, FIRST_CMD_SN + count + 1, fields)).toThrow(ProtocolError);
  });

  it("goes on behind a command that was aborted before it came", () => {
    const bench = new FullFeatureBench();
    bench.command(1, FIRST_CMD_SN + 1);
    bench.command(2, FIRST_CMD_SN + 2);
    const abort = TaskManagementFunction.abortTask;
    manage(bench, abort, {
      referencedTaskTag: 1,
      refCmdSn: FIRST_CMD_SN + 1,
      cmdSn: FIRST_CMD_SN + 3,
    });
    expect(managed(bench)).toEqual([TaskManagementResponse.functionComplete]);
    manage(bench, abort, { referencedTaskTag: 0, refCmdSn: FIRST_CMD_SN, cmdSn: FIRST_CMD_SN + 3 });
    expect(answeredTags(bench)).toEqual([2]);
    bench.command(3, FIRST_CMD_SN + 3);
    expect(answeredTags(bench)).toEqual([2, 3]);
    manage(bench, abort, {
      referencedTaskTag: 9,
      refCmdSn: FIRST_CMD_SN + 4,
      cmdSn: FIRST_CMD_SN + 4,
    });
    expect(managed(bench).at(-1)).toBe(TaskManagementResponse.taskDoesNotExist);
    expect(bench.fullFeature.expCmdSn).toBe(FIRST_CMD_SN + 4);
  });
});

describe("a command that contradicts itself or the login", () => {
  const data = Buffer.alloc(512);
  it.each([
    ["data of a command that writes nothing", { data }, {}],
    ["no F bit without data", { flags: 0x01 }, {}],
    [
      "immediate data beyond what is expected",
      { flags: WRITE_FLAGS, data, expectedDataTransferBytes: 511 },
      {},
    ],
    ["immediate data, which are off", { flags: WRITE_FLAGS, data }, { immediateData: false }],
    [
      "immediate data beyond FirstBurstLength",
      { flags: WRITE_FLAGS, data },
      { firstBurstLengthBytes: 511 },
    ],
    [
      "unsolicited data, which are off",
      { flags: UNFINISHED_WRITE_FLAGS, expectedDataTransferBytes: 512 },
      {},
    ],
  ])("is rejected: %s", (_what, fields, parameters) => {
    const bench = new FullFeatureBench();
    Object.assign(bench.parameters, parameters);
    bench.command(1, FIRST_CMD_SN, { cdb: writeCdb(1), ...fields });
    expect(bench.rejects).toEqual([RejectReason.invalidPduField]);
    expect(bench.session.tasks.size).toBe(0);
    expect(bench.fullFeature.expCmdSn).toBe(FIRST_CMD_SN + 1);
  });

  it("is rejected: a tag that is in use, and none at all", () => {
    const bench = new FullFeatureBench();
    bench.fake.volume.holding = true;
    const cdb = Buffer.from([0x35, ...Buffer.alloc(15)]);
    bench.command(1, FIRST_CMD_SN, { cdb });
    bench.command(1, FIRST_CMD_SN + 1, { cdb });
    bench.command(RESERVED_TAG, FIRST_CMD_SN + 2, { cdb });
    expect(bench.rejects).toEqual([RejectReason.taskInProgress, RejectReason.invalidPduField]);
    bench.fake.volume.release();
    expect(answeredTags(bench)).toEqual([1]);
  });
});

describe("data that are damaged", () => {
  it("end the stream, with a Reject, where a command came with them", () => {
    const bench = new FullFeatureBench();
    const header = Buffer.alloc(48);
    encodeNopOut(
      header,
      0,
      {
        lun: LUN,
        initiatorTaskTag: 1,
        targetTransferTag: RESERVED_TAG,
        immediate: true,
        cmdSn: 100,
        expStatSn: 0,
      },
      4,
    );
    expect(() => bench.receive(header, Buffer.alloc(4), false)).toThrow(
      expect.objectContaining({ rejectReason: RejectReason.dataDigestError }),
    );
  });

  it("fail the command that they belong to, once the sequence has ended", () => {
    const bench = new FullFeatureBench();
    bench.command(1, FIRST_CMD_SN, {
      flags: WRITE_FLAGS,
      expectedDataTransferBytes: 1024,
      cdb: writeCdb(2),
    });
    const [invitation] = bench.invitations;
    const dataOut = (final: boolean, dataSn: number, good: boolean): void => {
      const header = Buffer.alloc(48);
      encodeDataOut(header, 0, {
        final,
        lun: LUN,
        initiatorTaskTag: 1,
        targetTransferTag: invitation?.targetTransferTag ?? 0,
        expStatSn: 0,
        dataSn,
        bufferOffset: 512 * dataSn,
        dataSegmentBytes: 512,
      });
      bench.receive(header, Buffer.alloc(512), good);
    };
    dataOut(false, 0, false);
    expect(bench.rejects).toEqual([RejectReason.dataDigestError]);
    expect(bench.responses).toEqual([]);
    dataOut(true, 1, true);
    expect(bench.responses).toMatchObject([{ status: 2, initiatorTaskTag: 1 }]);
    expect(bench.sense.readUInt8(12)).toBe(0x47);
    dataOut(true, 0, true);
    expect(bench.rejects.at(-1)).toBe(RejectReason.invalidPduField);
    expect(bench.credit.invite(2 ** 40)).toBe(true);
  });
});

describe("NOP-Out", () => {
  it("comes back with its data, as far as the initiator takes them; an answer to a ping does not", () => {
    const bench = new FullFeatureBench();
    bench.parameters.initiatorMaxRecvDataSegmentLengthBytes = 5;
    for (const tag of [3, RESERVED_TAG]) {
      const header = Buffer.alloc(48);
      encodeNopOut(
        header,
        0,
        {
          lun: LUN,
          initiatorTaskTag: tag,
          targetTransferTag: RESERVED_TAG,
          immediate: true,
          cmdSn: 100,
          expStatSn: 0,
        },
        8,
      );
      bench.receive(header, Buffer.from("abcdefgh"));
    }
    expect(bench.pdus.map(({ data }) => data.toString())).toEqual(["abcde"]);
  });
});

describe("task management", () => {
  it("reset cold: the answer first, then the connection's own business", () => {
    const bench = new FullFeatureBench();
    manage(bench, TaskManagementFunction.targetColdReset);
    expect(managed(bench)).toEqual([TaskManagementResponse.functionComplete]);
    expect(bench.coldResets).toBe(1);
  });

  it("forgets a command whose answer waited for data that an abort cancels", () => {
    const bench = new FullFeatureBench();
    bench.parameters.initialR2t = false;
    bench.command(1, FIRST_CMD_SN, {
      flags: UNFINISHED_WRITE_FLAGS,
      expectedDataTransferBytes: 512,
      cdb: Buffer.alloc(16, 0xff),
    });
    expect(bench.session.tasks.size).toBe(1);
    manage(bench, TaskManagementFunction.abortTask, { referencedTaskTag: 1 });
    expect(managed(bench)).toEqual([TaskManagementResponse.functionComplete]);
    expect(bench.session.tasks.size).toBe(0);
    expect(bench.responses).toEqual([]);
  });
});

describe("logout", () => {
  it("waits for what is running, answers once, and finishes", () => {
    const bench = new FullFeatureBench();
    bench.fake.volume.holding = true;
    bench.command(1, FIRST_CMD_SN, { cdb: Buffer.from([0x35, ...Buffer.alloc(15)]) });
    logout(bench, LogoutReason.closeSession);
    logout(bench, LogoutReason.closeSession);
    expect(loggedOut(bench)).toEqual([]);
    bench.fake.volume.release();
    expect(loggedOut(bench)).toEqual([0]);
    expect(bench.finished).toBe(1);
    expect(bench.responses).toEqual([]);
  });

  it("of another connection, or for recovery, is refused and changes nothing", () => {
    const bench = new FullFeatureBench();
    logout(bench, LogoutReason.closeConnection, 77);
    logout(bench, LogoutReason.removeForRecovery);
    expect(loggedOut(bench)).toEqual([1, 2]);
    expect(bench.finished).toBe(0);
    bench.command(1, FIRST_CMD_SN);
    expect(answeredTags(bench)).toEqual([1]);
    logout(bench, LogoutReason.closeConnection, 0);
    expect(bench.finished).toBe(1);
  });
});

describe("a discovery session", () => {
  it("has no commands and no task management, and logs out", () => {
    const bench = new FullFeatureBench(true);
    bench.command(1, FIRST_CMD_SN);
    manage(bench, TaskManagementFunction.abortTaskSet);
    expect(bench.rejects).toEqual([RejectReason.protocolError, RejectReason.protocolError]);
    expect([bench.fullFeature.expCmdSn, bench.fullFeature.maxCmdSn]).toEqual([101, 101]);
    logout(bench, LogoutReason.closeSession);
    expect(bench.finished).toBe(1);
  });
});

describe("PDUs of no use", () => {
  it.each([
    ["SNACK", Opcode.snackRequest, RejectReason.snackReject],
    ["an opcode that nobody knows", 0x1f, RejectReason.commandNotSupported],
    ["one of the target's", Opcode.dataIn, RejectReason.commandNotSupported],
  ])("are rejected: %s", (_what, opcode, reason) => {
    const bench = new FullFeatureBench();
    const header = Buffer.alloc(48);
    header.writeUInt8(opcode | 0x40, 0);
    bench.receive(header);
    expect(bench.rejects).toEqual([reason]);
  });

  it("end the connection: a login", () => {
    const bench = new FullFeatureBench();
    const header = Buffer.alloc(48);
    header.writeUInt8(0x43, 0);
    expect(() => bench.receive(header)).toThrow(ProtocolError);
  });
});
