import { describe, expect, it } from "vitest";
import { REPORT_LUNS_WELL_KNOWN_LUN } from "../../../src/scsi/lun.ts";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

const TEST_UNIT_READY = "00 00 000000 00";
const INQUIRY = "12 00 00 0024 00";
const READ = "28 00 00000000 00 0001 00";

describe("LUNs without a unit", () => {
  it("refuse commands with LOGICAL UNIT NOT SUPPORTED", () => {
    const bench = new Bench();
    for (const lun of [1, 16_383, -1]) {
      for (const command of [TEST_UNIT_READY, READ, "ff", "9e 11"]) {
        expectSense(bench.run(command, { lun }), Sense.logicalUnitNotSupported);
      }
    }
  });

  it("check the CDB and the attribute all the same", () => {
    const bench = new Bench();
    const task = bench.run("12 80 00 0024 00", { lun: 1 });
    expectSense(task, Sense.invalidFieldInCdb, cdbField(1, 7));
    expectSense(bench.run(INQUIRY, { lun: 1, attribute: 4 }), Sense.invalidFieldInCdb);
  });

  it("the well known one is ready, and knows little", () => {
    const bench = new Bench();
    const lun = REPORT_LUNS_WELL_KNOWN_LUN;
    expect(bench.run(TEST_UNIT_READY, { lun }).status).toBe(0);
    expectSense(bench.run(READ, { lun }), Sense.invalidCommandOperationCode);
  });
});
