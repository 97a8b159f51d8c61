import { describe, expect, it } from "vitest";

import { IscsiTask } from "../../src/iscsi/iscsi-task.ts";
import { ResidualFlag } from "../../src/iscsi/pdu/scsi-response.ts";
import { Sense } from "../../src/scsi/sense.ts";
import { Status } from "../../src/scsi/status.ts";
import { NO_DEBTS, TransferBench } from "./support/transfer-bench.ts";

describe("IscsiTask", () => {
  it("answers with sense behind its length, and counts nothing as moved", () => {
    const bench = new TransferBench();
    const task = bench.task({ expectedInBytes: 4096, tag: 0x1234 });
    task.fail(Sense.invalidFieldInCdb);
    expect(bench.responses).toEqual([
      {
        residualFlags: ResidualFlag.underflow,
        response: 0,
        status: Status.checkCondition,
        initiatorTaskTag: 0x1234,
        expDataSn: 0,
        bidirectionalReadResidualBytes: 0,
        residualBytes: 4096,
      },
    ]);
    expect(bench.sense.readUInt8(2) & 0xf).toBe(5);
    expect(bench.sense.readUInt8(12)).toBe(0x24);
    expect(bench.sense.length).toBe(task.senseBytes);
    expect(bench.unit.taskSet.size).toBe(0);
    expect(bench.retired).toEqual([task]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("has no data segment with a status that has no sense", () => {
    const bench = new TransferBench();
    bench.task().complete(Status.busy);
    expect(bench.responses).toMatchObject([{ status: Status.busy, residualFlags: 0 }]);
    expect(bench.pdus[0]?.data).toHaveLength(0);
  });

  it("gives both residuals of a command that was to move data both ways", () => {
    const bench = new TransferBench();
    bench.task({ expectedInBytes: 300, expectedOutBytes: 200 }).fail(Sense.invalidFieldInCdb);
    expect(bench.responses).toMatchObject([
      {
        residualFlags: ResidualFlag.underflow | ResidualFlag.bidirectionalUnderflow,
        residualBytes: 200,
        bidirectionalReadResidualBytes: 300,
      },
    ]);
  });

  it("returns no more than there is, nor than the initiator expects", () => {
    const bench = new TransferBench();
    const data = Buffer.from("abcdef");
    expect(() => bench.task({ expectedInBytes: 10 }).returnData(data, 7)).toThrow("than there is");
    bench.task({ expectedInBytes: 10, tag: 8 }).returnData(data, 4);
    bench.task({ expectedInBytes: 3, tag: 9 }).returnData(data, 4);
    bench.task({ tag: 10 }).returnData(data, 4);
    expect(bench.dataInBytes.toString()).toBe("abcdabc");
    expect(bench.dataIn.map(({ residualBytes }) => residualBytes)).toEqual([6, 1]);
    expect(bench.responses).toMatchObject([{ residualFlags: ResidualFlag.overflow }]);
    expect(bench.retired).toHaveLength(3);
  });

  it("gives target transfer tags that no other task gives, and never the reserved one", () => {
    const bench = new TransferBench();
    const tags = new Set<number>();
    for (const serial of [0, 1, 0x7ffe, 0x7fff]) {
      const task = new IscsiTask(bench, bench, serial);
      for (let count = 0; count < 1000; count += 1) tags.add(task.nextTargetTransferTag());
    }
    expect(tags.size).toBe(4000);
    expect(Math.max(...tags)).toBeLessThan(0x8000_0000);
    expect(Math.min(...tags)).toBeGreaterThanOrEqual(0);
  });

  it("forgets everything of the command before", () => {
    const bench = new TransferBench();
    const task = bench.task({ expectedInBytes: 512 });
    task.transferIn(bench.volume, 0, 512);
    for (const tag of [21, 22]) {
      task.reset();
      bench.prepare(task, { expectedInBytes: 0, tag });
      task.complete(Status.good);
    }
    expect(bench.responses).toMatchObject([
      { initiatorTaskTag: 21, expDataSn: 0, residualFlags: 0 },
      { initiatorTaskTag: 22, expDataSn: 0, residualFlags: 0 },
    ]);
  });

  it("answers nothing when it was aborted, and asserts that it is used right", () => {
    const bench = new TransferBench();
    const task = bench.task();
    expect(() => task.respondNow()).toThrow("was decided");
    bench.abort(task);
    expect(bench.abortedTasks).toEqual([task]);
    expect(bench.pdus).toEqual([]);
  });
});
