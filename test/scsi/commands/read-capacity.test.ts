import { describe, expect, it } from "vitest";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

const TEN = "25 00 00000000 0000 00 00";
const SIXTEEN = "9e 10 0000000000000000 000000ff 00 00";

describe("READ CAPACITY (10)", () => {
  it("returns the last block and the block size", () => {
    expect(new Bench().run(TEN).dataIn?.toString("hex")).toBe("000007ff00000200");
    const large = new Bench({ blockBytes: 4096 });
    expect(large.run(TEN).dataIn?.toString("hex")).toBe("000000ff00001000");
  });

  it("points past 32 bits with FFFFFFFFh", () => {
    const bench = new Bench();
    for (const [blocks, last] of [
      [2 ** 32 - 1, "fffffffe"],
      [2 ** 32, "ffffffff"],
      [2 ** 32 + 1, "ffffffff"],
      [2 ** 40, "ffffffff"],
    ] as const) {
      bench.unit.capacityBlocks = blocks;
      expect(bench.run(TEN).dataIn?.toString("hex", 0, 4)).toBe(last);
    }
  });

  it("takes an address with PMI only", () => {
    const bench = new Bench();
    expectSense(bench.run("25 00 00000001 0000 00 00"), Sense.invalidFieldInCdb, cdbField(2));
    expect(bench.run("25 00 000007ff 0000 01 00").dataIn?.readUInt32BE(0)).toBe(0x7ff);
    expectSense(bench.run("25 00 00000800 0000 01 00"), Sense.logicalBlockAddressOutOfRange);
  });

  it("refuses reserved bits", () => {
    const bench = new Bench();
    expectSense(bench.run("25 01 00000000 0000 00 00"), Sense.invalidFieldInCdb, cdbField(1, 7));
    expectSense(bench.run("25 00 00000000 0000 02 00"), Sense.invalidFieldInCdb, cdbField(8, 7));
    expectSense(bench.run("25 00 00000000 0000 00 04"), Sense.invalidFieldInCdb, cdbField(9, 7));
  });
});

describe("READ CAPACITY (16)", () => {
  it("tells capacity, block sizes and provisioning", () => {
    expect(new Bench().run(SIXTEEN).dataIn?.toString("hex")).toBe(
      "00000000000007ff" + "00000200" + "00" + "03" + "c000" + "00".repeat(16),
    );
    const large = new Bench({ blockBytes: 4096, capabilities: { discardZeroes: false } });
    expect(large.run(SIXTEEN).dataIn?.toString("hex", 0, 16)).toBe(
      "00000000000000ff" + "00001000" + "00" + "00" + "8000",
    );
    const thick = new Bench({ capabilities: { discardGranularityBytes: 0 } });
    expect(thick.run(SIXTEEN).dataIn?.readUInt16BE(14)).toBe(0);
  });

  it("is cut to every allocation length", () => {
    for (let allocation = 0; allocation < 40; allocation++) {
      const hex = allocation.toString(16).padStart(8, "0");
      const task = new Bench().run(`9e 10 0000000000000000 ${hex} 00 00`);
      expect(task.dataIn?.length).toBe(Math.min(allocation, 32));
    }
  });

  it("has the rules for addresses of the short form", () => {
    const bench = new Bench();
    expectSense(
      bench.run("9e 10 0000000100000000 00000020 00 00"),
      Sense.invalidFieldInCdb,
      cdbField(2),
    );
    expectSense(
      bench.run("9e 10 ffffffffffffffff 00000020 01 00"),
      Sense.logicalBlockAddressOutOfRange,
    );
  });

  it("refuses service actions that are not there", () => {
    const bench = new Bench();
    for (const action of ["00", "11", "1f"]) {
      const task = bench.run(`9e ${action} 0000000000000000 00000020 00 00`);
      expectSense(task, Sense.invalidFieldInCdb, cdbField(1, 4));
    }
  });

  it("follows a change of the capacity", () => {
    const bench = new Bench();
    bench.volume.resize(4 * 1024 * 1024);
    expectSense(bench.run(SIXTEEN), Sense.capacityDataHasChanged);
    expect(bench.run(SIXTEEN).dataIn?.readUInt32BE(4)).toBe(0x1fff);
    bench.volume.resize(0);
    bench.nexus.takeAttention(bench.unit);
    expect(bench.run(SIXTEEN).dataIn?.readUInt32BE(4)).toBe(0);
  });
});
