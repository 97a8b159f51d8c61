import { describe, expect, it } from "vitest";
import { LogoutReason } from "../../src/iscsi/pdu/logout.ts";
import { encodeNopOut } from "../../src/iscsi/pdu/nop.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { RejectReason } from "../../src/iscsi/pdu/reject.ts";
import { ProtocolError } from "../../src/iscsi/protocol-error.ts";
import { TaskManagementFunction } from "../../src/scsi/task-management.ts";
import { FIRST_CMD_SN, FullFeatureBench } from "./support/full-feature-bench.ts";
import { answeredTags, manage, logout, loggedOut, LUN } from "./support/full-feature-steps.ts";

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
