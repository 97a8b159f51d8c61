import { describe, expect, it } from "vitest";
import { IoError } from "../../src/util/io-error.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { Sense } from "../../src/scsi/sense.ts";
import { Status } from "../../src/scsi/status.ts";
import { Bench } from "./support/bench.ts";
import { FakeTask } from "./support/fake-task.ts";

const FLUSH = "35 00 00000000 00 0000 00";

/** A task whose flush has not ended. */
function running(): { bench: Bench; task: FakeTask } {
  const bench = new Bench();
  bench.volume.holding = true;
  return { bench, task: bench.run(FLUSH) };
}

describe("Task", () => {
  it("ends once", () => {
    const { bench, task } = running();
    expect(task.ioRunning).toBe(true);
    bench.volume.release();
    expect([task.ended, task.ends, task.ioRunning]).toEqual([true, 1, false]);
    expect(() => task.complete(Status.good)).toThrow("once");
    expect(() => task.fail(Sense.writeError)).toThrow("once");
    expect(() => task.retire()).toThrow("aborted");
  });

  it("is not reused, nor given a second operation, while I/O is running", () => {
    const { task } = running();
    expect(() => task.reset()).toThrow("reused");
    expect(() => task.runIo(IoKind.flush, 0, 0, false, () => undefined)).toThrow("one operation");
  });

  it("retires without a response when it was aborted, once its I/O has ended", () => {
    const { bench, task } = running();
    task.aborted = true;
    task.stop();
    task.retire();
    expect(task.ends).toBe(0);
    bench.volume.release();
    expect([task.forgotten, task.responses, bench.unit.taskSet.size]).toEqual([1, 0, 0]);
  });

  it("retires where a handler goes on to answer after the abort", () => {
    const bench = new Bench();
    const task = bench.run("2a 00 00000000 00 0001 00", { holdDataOut: true });
    task.aborted = true;
    task.complete(Status.good);
    expect([task.forgotten, task.responses]).toEqual([1, 0]);
  });

  it("ends before its I/O only where its unit was taken away", () => {
    const { bench, task } = running();
    expect(() => task.complete(Status.good)).toThrow("before its I/O");
    expect(() => task.expel()).toThrow("marks");
    expect(() => task.cancelledIoDone()).toThrow("next step");
    bench.unit.taskSet.expel([task], () => undefined);
    expect([task.status, task.ended, task.ioRunning]).toEqual([2, true, true]);
    expect(() => task.reset()).toThrow("reused");
    bench.volume.release();
    expect([task.ends, task.released]).toEqual([1, 1]);
    task.reset();
    expect([task.expelled, task.cancelled]).toEqual([false, false]);
  });

  it("takes no further step after it was expelled", () => {
    const bench = new Bench();
    bench.volume.holding = true;
    const stop = bench.run("1b 00 00 00 00 00");
    bench.unit.taskSet.expel([stop], () => undefined);
    bench.volume.release();
    expect([bench.unit.stopped, stop.responses, stop.senseCode]).toEqual([false, 1, 0x52500]);
  });

  it("changes nothing more of the medium after it was expelled", () => {
    const bench = new Bench();
    bench.volume.holding = true;
    const list = Buffer.alloc(40);
    list.writeUInt16BE(38, 0);
    list.writeUInt16BE(32, 2);
    list.writeUInt32BE(8, 16);
    list.writeUInt32BE(64, 28);
    list.writeUInt32BE(8, 32);
    const unmap = bench.run("42 00 00000000 00 0028 00", { dataOut: list });
    bench.unit.taskSet.expel([unmap], () => undefined);
    expect([unmap.ends, bench.volume.submitted.length]).toEqual([0, 1]);
    bench.volume.release();
    expect([unmap.responses, unmap.senseCode]).toEqual([1, 0x52500]);
    expect(bench.volume.submitted).toHaveLength(1);
  });

  it("is as new after a reset", () => {
    const bench = new Bench({ settings: { readOnly: true } });
    const task = bench.run("2a 00 00000000 00 0001 00");
    expect(task.senseBytes).toBe(18);
    task.reset();
    const fresh = new FakeTask();
    for (const key of ["nexus", "unit", "status", "senseBytes", "ended", "aborted"] as const) {
      expect([key, task[key]]).toEqual([key, fresh[key]]);
    }
    expect([task.taskSetIndex, task.dormant, task.writes]).toEqual([-1, false, false]);
  });

  it("gives the offset of a difference as information, and of nothing else", () => {
    for (const [kind, information] of [
      ["miscompare", 77],
      ["medium", -1],
    ] as const) {
      const { task } = running();
      task.ioRunning = false;
      task.failIo(new IoError(kind, "x", { object: "v", offsetBytes: 77 }));
      expect(task.senseData?.information).toBe(information);
    }
  });

  it("does no I/O without a unit", () => {
    const task = new FakeTask();
    expect(() => task.runIo(IoKind.flush, 0, 0, false, () => undefined)).toThrow("operation");
    expect(() => task.failIo(new IoError("medium", "x", { object: "v" }))).toThrow("unit");
  });
});
