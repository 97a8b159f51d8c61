import { describe, expect, it } from "vitest";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Status } from "../../../src/scsi/status.ts";
import { REPORT_LUNS_WELL_KNOWN_LUN } from "../../../src/scsi/lun.ts";
import { Bench, TARGET_NAME, type BenchOptions } from "../support/bench.ts";

function page(code: string, options?: BenchOptions): Buffer {
  const task = new Bench(options).run(`12 01 ${code} ffff 00`);
  expect(task.status).toBe(Status.good);
  const data = task.dataIn ?? Buffer.alloc(4);
  expect(data.readUInt8(1)).toBe(Number.parseInt(code, 16));
  expect(data.readUInt16BE(2)).toBe(data.length - 4);
  return data;
}

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

describe("vital product data", () => {
  it("00h lists the pages in order", () => {
    expect(page("00").subarray(4).toString("hex")).toBe("00808386b0b1b2");
  });

  it("every page that 00h lists is there, and no other", () => {
    const bench = new Bench();
    const listed = new Set(page("00").subarray(4));
    for (let code = 0; code < 256; code++) {
      const task = bench.run(`12 01 ${code.toString(16).padStart(2, "0")} ffff 00`);
      expect([code, task.status]).toEqual([
        code,
        listed.has(code) ? Status.good : Status.checkCondition,
      ]);
      if (listed.has(code)) continue;
      expect([task.senseCode, task.senseData?.field]).toEqual([
        Sense.invalidFieldInCdb,
        cdbField(2),
      ]);
    }
  });

  it("80h has the serial number: the volume's UUID, or what was set", () => {
    expect(page("80").toString("latin1", 4)).toBe("6f1c2a349d7e4b118a550c1d2e3f4a5b");
    expect(page("80", { serial: "A-1" }).toString("latin1", 4)).toBe("A-1");
  });

  it("83h identifies unit, port and target, and never changes for a volume", () => {
    const data = page("83");
    const designators: string[] = [];
    for (let at = 4; at < data.length; at += 4 + data.readUInt8(at + 3)) {
      const header = data.subarray(at, at + 2).toString("hex");
      const value = data.subarray(at + 4, at + 4 + data.readUInt8(at + 3));
      designators.push(`${header} ${value.toString(header.startsWith("51") ? "hex" : "latin1")}`);
    }
    const naa = data.subarray(8, 16).toString("hex");
    expect(data.subarray(4, 8).toString("hex")).toBe("01030008");
    expect(naa).toBe("38ea9fe0ac8959b8");
    const padded = (name: string): string => name.padEnd((name.length + 4) & ~3, "\0");
    expect(designators.slice(1)).toEqual([
      "0201 THINLUN 6f1c2a349d7e4b118a550c1d2e3f4a5b",
      `0308 ${padded(`naa.${naa.toUpperCase()}`)}`,
      "5194 00000001",
      "5195 00000001",
      `5398 ${padded(`${TARGET_NAME},t,0x0001`)}`,
      `53a8 ${padded(TARGET_NAME)}`,
    ]);
  });

  it("83h tells the port of the nexus that asked", () => {
    const bench = new Bench();
    const nexus = bench.open("iqn.2026-01.io.example:two,i,0x2", 0x1234);
    const data = bench.run("12 01 83 ffff 00", { nexus }).dataIn?.toString("latin1");
    expect(data).toContain(`${TARGET_NAME},t,0x1234`);
    expect(data).toContain("\x51\x94\0\x04\0\0\x12\x34");
  });

  it("86h tells the task attributes and the volatile cache", () => {
    expect(page("86").subarray(0, 12).toString("hex")).toBe("0086003c" + "0007010100000000");
  });

  it("B0h states the limits that the commands keep", () => {
    expect(page("b0").toString("hex")).toBe(
      "00b0003c" +
        "01000008" +
        "00008000" +
        "00000080" +
        "00000000" +
        "00100000" +
        "00000100" +
        "00000008" +
        "80000000" +
        "0000000000020000" +
        "00".repeat(20),
    );
    const large = page("b0", { blockBytes: 4096 });
    expect([large.readUInt16BE(6), large.readUInt32BE(8)]).toEqual([1, 4096]);
  });

  it("B0h and B2h promise nothing about unmapping where the volume cannot", () => {
    const capabilities = { discardGranularityBytes: 0, thin: false };
    expect(page("b0", { capabilities }).subarray(20, 36).toString("hex")).toBe("00".repeat(16));
    expect(page("b2", { capabilities }).toString("hex")).toBe("00b2000400000000");
  });

  it("B1h tells a spinning disk from others", () => {
    expect(page("b1").readUInt16BE(4)).toBe(1);
    expect(page("b1", { capabilities: { rotational: true } }).readUInt16BE(4)).toBe(0);
    expect(page("b1").length).toBe(64);
  });

  it("B2h tells how blocks are provisioned", () => {
    expect(page("b2").toString("hex")).toBe("00b2000400e40200");
    expect(page("b2", { capabilities: { discardZeroes: false } }).readUInt8(5)).toBe(0xe0);
    expect(page("b2", { capabilities: { thin: false } }).readUInt8(6)).toBe(1);
  });
});
