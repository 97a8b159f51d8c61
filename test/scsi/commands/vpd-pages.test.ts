import { describe, expect, it } from "vitest";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Status } from "../../../src/scsi/status.ts";
import { Bench } from "../support/bench.ts";
import { page } from "../support/vpd-page.ts";

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
    const serialField = Buffer.from("  A-1");
    expect(page("80", { serial: "A-1", serialField }).toString("latin1", 4)).toBe("  A-1");
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
        "0000000000008000" +
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
