import { describe, expect, it } from "vitest";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { REPORT_LUNS_WELL_KNOWN_LUN } from "../../../src/scsi/lun.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

const FIXED = "03 00 0000 ff 00";
const NO_SENSE = "700000000000000a00000000000000000000";

function hex(bench: Bench, command: string, lun: number = 0): string | undefined {
  return bench.run(command, { lun }).dataIn?.toString("hex");
}

describe("REQUEST SENSE", () => {
  it("has nothing to say, in either format", () => {
    expect(hex(new Bench(), FIXED)).toBe(NO_SENSE);
    expect(hex(new Bench(), "03 01 0000 ff 00")).toBe("7200000000000000");
  });

  it("is cut to the allocation length", () => {
    expect(hex(new Bench(), "03 00 0000 04 00")).toBe(NO_SENSE.slice(0, 8));
    expect(hex(new Bench(), "03 00 0000 00 00")).toBe("");
  });

  it("reports a unit attention and clears it", () => {
    const bench = new Bench();
    bench.unit.raise(Sense.modeParametersChanged);
    expect(hex(bench, FIXED)).toBe("700006000000000a000000002a0100000000");
    expect(hex(bench, FIXED)).toBe(NO_SENSE);
    expect(bench.nexus.attentionCount).toBe(0);
  });

  it("tells the state of the unit", () => {
    const bench = new Bench();
    bench.unit.stopped = true;
    expect(hex(bench, FIXED)).toBe("700002000000000a00000000040200000000");
    bench.volume.announce("gone");
    expect(hex(bench, FIXED)).toBe("700002000000000a00000000040300000000");
  });

  it("tells that there is no unit", () => {
    const bench = new Bench();
    expect(hex(bench, FIXED, 9)).toBe("700005000000000a00000000250000000000");
    expect(hex(bench, FIXED, REPORT_LUNS_WELL_KNOWN_LUN)).toBe(NO_SENSE);
  });

  it("refuses reserved bits", () => {
    expectSense(new Bench().run("03 03 0000 ff 00"), Sense.invalidFieldInCdb, cdbField(1, 7));
    expectSense(new Bench().run("03 00 0001 ff 00"), Sense.invalidFieldInCdb, cdbField(3, 7));
  });
});
