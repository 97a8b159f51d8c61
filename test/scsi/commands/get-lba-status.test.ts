import { describe, expect, it } from "vitest";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench, type BenchOptions } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";
import type { FakeTask } from "../support/fake-task.ts";

async function status(
  bench: Bench,
  lba: string = "0000000000000000",
  allocation: string = "00001000",
): Promise<FakeTask> {
  const task = bench.run(`9e 12 ${lba} ${allocation} 00 00`);
  await new Promise(setImmediate);
  return task;
}

function withExtents(runs: [number, boolean][], options?: BenchOptions): Bench {
  const bench = new Bench(options);
  let offsetBytes = 0;
  for (const [lengthBytes, mapped] of runs) {
    bench.volume.extentList.push({ offsetBytes, lengthBytes, mapped });
    offsetBytes += lengthBytes;
  }
  return bench;
}

describe("GET LBA STATUS", () => {
  it("reports the runs of the volume", async () => {
    const bench = withExtents([
      [4096, true],
      [8192, false],
      [1024 * 1024 - 12_288, true],
    ]);
    expect((await status(bench)).dataIn?.toString("hex")).toBe(
      "0000003400000000" +
        "00000000000000000000000800000000" +
        "00000000000000080000001001000000" +
        "0000000000000018000007e800000000",
    );
  });

  it("takes a block that is mapped in part for mapped", async () => {
    const runs: [number, boolean][] = [
      [512, true],
      [4096 * 2, false],
      [512, true],
    ];
    const data = (await status(withExtents(runs, { blockBytes: 4096 }))).dataIn;
    expect(data?.subarray(8).toString("hex")).toBe(
      "0000000000000000" +
        "00000001" +
        "00000000" +
        "0000000000000001" +
        "00000001" +
        "01000000" +
        "0000000000000002" +
        "00000001" +
        "00000000",
    );
  });

  it("needs an address on the medium and room for a descriptor", async () => {
    const bench = withExtents([[1024 * 1024, true]]);
    for (const lba of ["0000000000000800", "8000000000000000", "ffffffffffffffff"]) {
      expectSense(await status(bench, lba), Sense.logicalBlockAddressOutOfRange);
    }
    expectSense(
      await status(bench, "0000000000000000", "00000017"),
      Sense.invalidFieldInCdb,
      cdbField(10),
    );
    expect((await status(bench, "0000000000000000", "00000018")).dataIn?.length).toBe(24);
  });

  it("cuts a run that the field cannot count, and stops there", async () => {
    const bench = withExtents([
      [2 ** 42, false],
      [2 ** 42, true],
    ]);
    bench.volume.pretendedCapacityBytes = 2 ** 43;
    bench.volume.announce("capacity-changed");
    bench.nexus.takeAttention(bench.unit);
    expect((await status(bench)).dataIn?.toString("hex")).toBe(
      "0000001400000000" + "0000000000000000ffffffff01000000",
    );
  });

  it("takes anything that the volume throws for a failure", async () => {
    const bench = new Bench();
    bench.volume.extents = () => Promise.reject(new Error("a defect"));
    expectSense(await status(bench), Sense.unrecoveredReadError);
  });

  it("becomes sense when the volume fails, and nothing when it was aborted", async () => {
    const bench = new Bench();
    bench.volume.failing = "gone";
    expectSense(await status(bench), Sense.notReadyManualInterventionRequired);
    const task = bench.run("9e 12 0000000000000000 00001000 00 00");
    let left = false;
    bench.unit.taskSet.abort([task], () => {
      left = true;
    });
    expect(left).toBe(false);
    await new Promise(setImmediate);
    expect([left, task.responses, task.forgotten]).toEqual([true, 0, 1]);
  });
});
