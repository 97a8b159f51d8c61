import { describe, expect, it } from "vitest";
import { HELD_BYTES_MAX, IMMEDIATE_TASKS_MAX } from "../../src/iscsi/limits.ts";
import { RejectReason } from "../../src/iscsi/pdu/reject.ts";
import { ProtocolError } from "../../src/iscsi/protocol-error.ts";
import { TaskManagementFunction, TaskManagementResponse } from "../../src/scsi/task-management.ts";
import { FIRST_CMD_SN, FullFeatureBench } from "./support/full-feature-bench.ts";
import {
  WRITE_FLAGS,
  answeredTags,
  writeCdb,
  manage,
  managed,
} from "./support/full-feature-steps.ts";

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
