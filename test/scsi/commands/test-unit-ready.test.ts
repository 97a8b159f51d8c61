import { describe, expect, it } from "vitest";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

describe("TEST UNIT READY", () => {
  it("is GOOD on a unit that is ready, written to or not", () => {
    for (const readOnly of [false, true]) {
      const task = new Bench({ settings: { readOnly } }).run("00 00 000000 00");
      expect([task.status, task.ends, task.dataIn]).toEqual([0, 1, null]);
    }
  });

  it("refuses reserved bits", () => {
    expectSense(new Bench().run("00 20 000000 00"), Sense.invalidFieldInCdb, cdbField(1, 7));
    expectSense(new Bench().run("00 00 000000 04"), Sense.invalidFieldInCdb, cdbField(5, 7));
  });
});
