import { describe, expect, it } from "vitest";
import { IoKind } from "../../../src/util/io-request.ts";
import type { IoErrorReport } from "../../../src/scsi/logical-unit.ts";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

const FORMS = [
  {
    name: "10",
    command: (flags: string, lba: string, count: string) => `35 ${flags} ${lba} 00 ${count} 00`,
  },
  {
    name: "16",
    command: (flags: string, lba: string, count: string) =>
      `91 ${flags} 00000000${lba} 0000${count} 00 00`,
  },
];

describe.each(FORMS)("SYNCHRONIZE CACHE ($name)", ({ command }) => {
  it("answers when the flush is done", () => {
    const bench = new Bench();
    bench.volume.holding = true;
    const task = bench.run(command("00", "00000000", "0000"));
    expect([task.ends, bench.volume.submitted.map(({ kind }) => kind)]).toEqual([
      0,
      [IoKind.flush],
    ]);
    bench.volume.release();
    expect([task.ends, task.status]).toEqual([1, 0]);
  });

  it("answers at once with IMMED, and flushes all the same", () => {
    const bench = new Bench();
    bench.volume.holding = true;
    const task = bench.run(command("02", "00000000", "0000"));
    expect([task.ends, task.status, bench.volume.held.length]).toEqual([1, 0, 1]);
    bench.volume.release();
    expect(task.ends).toBe(1);
  });

  it("checks the range", () => {
    const bench = new Bench();
    expect(bench.run(command("00", "000007ff", "0001")).status).toBe(0);
    expect(bench.run(command("00", "00000800", "0000")).status).toBe(0);
    for (const [lba, count] of [
      ["000007ff", "0002"],
      ["00000801", "0000"],
      ["ffffffff", "ffff"],
    ] as const) {
      expectSense(bench.run(command("00", lba, count)), Sense.logicalBlockAddressOutOfRange);
      expectSense(bench.run(command("02", lba, count)), Sense.logicalBlockAddressOutOfRange);
    }
    expect(bench.volume.submitted.length).toBe(2);
  });

  it("reports a flush that failed, in sense or in the log", () => {
    const reports: IoErrorReport[] = [];
    const bench = new Bench({ report: (report) => reports.push(report) });
    bench.volume.failing = "failed";
    expectSense(bench.run(command("00", "00000000", "0000")), Sense.internalTargetFailure);
    bench.nowMs = 5000;
    expect(bench.run(command("02", "00000000", "0000")).status).toBe(0);
    expect(reports.map(({ error }) => error.kind)).toEqual(["failed", "failed"]);
  });

  it("refuses reserved bits and works on a read-only unit", () => {
    const bench = new Bench({ settings: { readOnly: true } });
    expectSense(
      bench.run(command("01", "00000000", "0000")),
      Sense.invalidFieldInCdb,
      cdbField(1, 0),
    );
    expectSense(
      bench.run(command("08", "00000000", "0000")),
      Sense.invalidFieldInCdb,
      cdbField(1, 7),
    );
    expect(bench.run(command("00", "00000000", "0000")).status).toBe(0);
  });
});
