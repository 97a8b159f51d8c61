import { describe, expect, it } from "vitest";
import { TaskManagementFunction, TaskManagementResponse } from "../../src/scsi/task-management.ts";
import { FIRST_CMD_SN, FullFeatureBench } from "./support/full-feature-bench.ts";
import { UNFINISHED_WRITE_FLAGS, manage, managed } from "./support/full-feature-steps.ts";

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
