import { describe, expect, it } from "vitest";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { REPORT_LUNS_WELL_KNOWN_LUN } from "../../../src/scsi/lun.ts";
import { Bench } from "../support/bench.ts";

describe("standard INQUIRY data", () => {
  it("describes a disk", () => {
    const data = new Bench({ product: "TEST DISK" }).run("12 00 00 00ff 00").dataIn;
    expect(data?.subarray(0, 8).toString("hex")).toBe("000006125b000002");
    expect(data?.toString("latin1", 8, 36)).toBe("THINLUN TEST DISK       0001");
    expect(data?.subarray(58, 66).toString("hex")).toBe("00a00960046004c0");
    expect(data?.length).toBe(96);
  });

  it("is cut to any allocation length", () => {
    const bench = new Bench();
    const whole = bench.run("12 00 00 ffff 00").dataIn ?? Buffer.alloc(0);
    for (let allocation = 0; allocation < 100; allocation++) {
      const hex = allocation.toString(16).padStart(4, "0");
      const data = bench.run(`12 00 00 ${hex} 00`).dataIn;
      expect(data).toEqual(whole.subarray(0, Math.min(allocation, 96)));
    }
  });

  it("is refused with a page code", () => {
    const task = new Bench().run("12 00 80 00ff 00");
    expect([task.senseCode, task.senseData?.field]).toEqual([Sense.invalidFieldInCdb, cdbField(2)]);
  });

  it("is refused with CMDDT and other reserved bits", () => {
    for (const flags of ["02", "03", "80", "fe"]) {
      const task = new Bench().run(`12 ${flags} 00 00ff 00`);
      expect([task.senseCode, task.senseData?.field]).toEqual([
        Sense.invalidFieldInCdb,
        cdbField(1, 7),
      ]);
    }
  });

  it("tells that there is no unit at other LUNs", () => {
    const bench = new Bench();
    for (const lun of [1, 255, 300, -1]) {
      const task = bench.run("12 00 00 0024 00", { lun });
      expect([task.status, task.dataIn?.readUInt8(0), task.dataIn?.length]).toEqual([0, 0x7f, 36]);
    }
    expect(bench.run("12 01 00 00ff 00", { lun: 1 }).dataIn?.toString("hex")).toBe("7f00000100");
    expect(bench.run("12 01 83 00ff 00", { lun: 1 }).senseCode).toBe(Sense.invalidFieldInCdb);
  });

  it("names the well known logical unit", () => {
    const task = new Bench().run("12 00 00 0024 00", { lun: REPORT_LUNS_WELL_KNOWN_LUN });
    expect(task.dataIn?.readUInt8(0)).toBe(0x1e);
  });
});
