import { describe, expect, it } from "vitest";
import { checkRange, checkTransfer, failLength } from "../../../src/scsi/commands/block-range.ts";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";
import { FakeTask } from "../support/fake-task.ts";

describe("checkRange", () => {
  it("lets through what ends with the last block", () => {
    const { unit } = new Bench();
    for (const [lba, blocks] of [
      [0, 0],
      [0, 2048],
      [2047, 1],
      [2048, 0],
    ] as const) {
      expect(checkRange(unit, new FakeTask(), lba, blocks)).toBe(true);
    }
  });

  it("refuses what does not, however large the numbers are", () => {
    const { unit } = new Bench();
    for (const [lba, blocks] of [
      [0, 2049],
      [2048, 1],
      [2049, 0],
      [2 ** 53, 1],
      [2 ** 64, 2 ** 32 - 1],
    ] as const) {
      const task = new FakeTask();
      expect(checkRange(unit, task, lba, blocks)).toBe(false);
      expectSense(task, Sense.logicalBlockAddressOutOfRange);
    }
  });
});

describe("checkTransfer", () => {
  it("keeps MAXIMUM TRANSFER LENGTH", () => {
    const { unit } = new Bench();
    unit.capacityBlocks = 2 ** 40;
    const task = new FakeTask();
    task.cdb[0] = 0x88;
    expect(checkTransfer(unit, task, 0, unit.transferBlocksMax)).toBe(true);
    expect(checkTransfer(unit, task, 0, unit.transferBlocksMax + 1)).toBe(false);
    expectSense(task, Sense.invalidFieldInCdb, cdbField(10));
  });
});

describe("failLength", () => {
  it.each([
    [0x08, 4],
    [0x28, 7],
    [0x41, 7],
    [0xa8, 6],
    [0x93, 10],
  ])("points at the length of operation code %i", (operationCode, byte) => {
    const task = new FakeTask();
    task.cdb[0] = operationCode;
    failLength(task);
    expectSense(task, Sense.invalidFieldInCdb, cdbField(byte));
  });

  it("asserts that the command has one", () => {
    const task = new FakeTask();
    task.cdb[0] = 0x7f;
    expect(() => failLength(task)).toThrow("fixed length");
  });
});
