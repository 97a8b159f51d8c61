import { describe, expect, it } from "vitest";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench, type BenchOptions } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

const CACHING = `081204${"00".repeat(17)}`;
const CONTROL = `0a0a0010${"00".repeat(8)}`;
const EXCEPTIONS = `1c0a08${"00".repeat(9)}`;
const ALL = CACHING + CONTROL + EXCEPTIONS;

function sensed(command: string, options?: BenchOptions): string | undefined {
  return new Bench(options).run(command).dataIn?.toString("hex");
}

describe("MODE SENSE (6)", () => {
  it("returns header, block descriptor and all pages", () => {
    const descriptor = "0000080000000200";
    expect(sensed("1a 00 3f 00 ff 00")).toBe(`37001008${descriptor}${ALL}`);
    expect(sensed("1a 00 3f ff ff 00")).toBe(`37001008${descriptor}${ALL}`);
  });

  it("leaves out the descriptor with DBD", () => {
    expect(sensed("1a 08 08 00 ff 00")).toBe(`17001000${CACHING}`);
  });

  it("returns single pages", () => {
    expect(sensed("1a 08 0a 00 ff 00")).toBe(`0f001000${CONTROL}`);
    expect(sensed("1a 08 1c ff ff 00")).toBe(`0f001000${EXCEPTIONS}`);
  });

  it("shows the write protection and D_SENSE", () => {
    expect(sensed("1a 08 08 00 04 00", { settings: { readOnly: true } })).toBe("17009000");
    expect(sensed("1a 08 0a 00 ff 00", { settings: { descriptorSense: true } })).toBe(
      `0f001000${CONTROL.replace("0a0a00", "0a0a04")}`,
    );
  });

  it("has default values like the current, and nothing to change", () => {
    expect(sensed("1a 08 bf 00 ff 00")).toBe(`2f001000${ALL}`);
    expect(sensed("1a 08 7f 00 ff 00")).toBe(
      `2f001000${`0812${"00".repeat(18)}`}${`0a0a${"00".repeat(10)}`}${`1c0a${"00".repeat(10)}`}`,
    );
  });

  it("saves nothing", () => {
    expectSense(new Bench().run("1a 08 c8 00 ff 00"), Sense.savingParametersNotSupported);
  });

  it("refuses pages and subpages that are not there", () => {
    const bench = new Bench();
    expectSense(bench.run("1a 08 01 00 ff 00"), Sense.invalidFieldInCdb, cdbField(2, 5));
    expectSense(bench.run("1a 08 00 00 ff 00"), Sense.invalidFieldInCdb, cdbField(2, 5));
    expectSense(bench.run("1a 08 0a 01 ff 00"), Sense.invalidFieldInCdb, cdbField(3));
    expectSense(bench.run("1a 08 3f 01 ff 00"), Sense.invalidFieldInCdb, cdbField(3));
    expectSense(bench.run("1a 10 3f 00 ff 00"), Sense.invalidFieldInCdb, cdbField(1, 7));
  });

  it("is cut to the allocation length", () => {
    expect(sensed("1a 08 3f 00 00 00")).toBe("");
    expect(sensed("1a 08 3f 00 05 00")).toBe("2f00100008");
  });
});

describe("MODE SENSE (10)", () => {
  it("returns header, short descriptor and pages", () => {
    expect(sensed("5a 00 08 00 000000 ffff 00")).toBe(
      `0022001000000008${"0000080000000200"}${CACHING}`,
    );
    expect(sensed("5a 08 08 00 000000 ffff 00")).toBe(`001a001000000000${CACHING}`);
  });

  it("returns the long descriptor with LLBAA", () => {
    expect(sensed("5a 10 08 00 000000 ffff 00", { blockBytes: 4096 })).toBe(
      `002a001001000010${"00000000000001000000000000001000"}${CACHING}`,
    );
    expect(sensed("5a 18 08 00 000000 ffff 00")).toBe(`001a001000000000${CACHING}`);
  });

  it("caps the short descriptor", () => {
    const bench = new Bench();
    bench.unit.capacityBlocks = 2 ** 33;
    const data = bench.run("5a 00 08 00 000000 ffff 00").dataIn;
    expect(data?.toString("hex", 8, 16)).toBe("ffffffff00000200");
  });

  it("is cut to the allocation length, and refuses as the short form does", () => {
    const bench = new Bench();
    expect(bench.run("5a 08 3f 00 000000 0003 00").dataIn?.toString("hex")).toBe("003200");
    expectSense(bench.run("5a 08 c8 00 000000 00ff 00"), Sense.savingParametersNotSupported);
    expectSense(bench.run("5a 08 0b 00 000000 00ff 00"), Sense.invalidFieldInCdb, cdbField(2, 5));
    expectSense(bench.run("5a 08 08 00 000100 00ff 00"), Sense.invalidFieldInCdb, cdbField(5, 7));
  });
});
