import { describe, expect, it } from "vitest";
import { Sense } from "../../../src/scsi/sense.ts";
import { TaskManagementFunction } from "../../../src/scsi/task-management.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

const PREVENT = "1e 00 0000 01 00";
const ALLOW = "1e 00 0000 00 00";
const EJECT = "1b 00 00 00 02 00";
const LOAD = "1b 00 00 00 03 00";

describe("PREVENT ALLOW MEDIUM REMOVAL", () => {
  it("counts the nexuses that prevent, each once", () => {
    const bench = new Bench();
    const other = bench.open("x,i,0x2");
    expect(bench.unit.removalPrevented).toBe(false);
    for (const nexus of [bench.nexus, bench.nexus, other]) {
      expect(bench.run(PREVENT, { nexus }).status).toBe(0);
    }
    bench.run(ALLOW);
    bench.run(ALLOW);
    expect(bench.unit.removalPrevented).toBe(true);
    bench.run(ALLOW, { nexus: other });
    expect(bench.unit.removalPrevented).toBe(false);
  });

  it("keeps the medium in its place", () => {
    const bench = new Bench({ settings: { removable: true } });
    bench.run(PREVENT);
    expectSense(bench.run(EJECT), Sense.mediumRemovalPrevented);
    expect([bench.unit.ejected, bench.volume.submitted.length]).toEqual([false, 0]);
    bench.run(ALLOW);
    expect([bench.run(EJECT).status, bench.unit.ejected]).toEqual([0, true]);
    bench.run(PREVENT);
    expectSense(bench.run(LOAD), Sense.mediumRemovalPrevented);
    bench.run(ALLOW);
    expect([bench.run(LOAD).status, bench.unit.ejected]).toEqual([0, false]);
  });

  it("keeps it, too, where somebody prevents while the cache is flushed", () => {
    const bench = new Bench({ settings: { removable: true } });
    bench.volume.holding = true;
    const eject = bench.run(EJECT);
    bench.run(PREVENT, { nexus: bench.open("x,i,0x2") });
    bench.volume.release();
    expectSense(eject, Sense.mediumRemovalPrevented);
    expect(bench.unit.ejected).toBe(false);
  });

  const { logicalUnitReset, nexusLoss } = TaskManagementFunction;

  it.each([
    ["a reset of the unit", logicalUnitReset],
    ["the loss of the nexus", nexusLoss],
  ])("is over after %s", (_name, functionCode) => {
    const bench = new Bench();
    const { nexus, device, unit } = bench;
    bench.run(PREVENT);
    device.manage({ nexus, function: functionCode, lun: 0, tag: 0 }, () => undefined);
    expect(unit.removalPrevented).toBe(false);
  });

  it("is over with the session, and where the unit is taken away", () => {
    const bench = new Bench();
    const other = bench.open("x,i,0x2");
    bench.run(PREVENT);
    bench.run(PREVENT, { nexus: other });
    bench.device.closeNexus(other);
    expect(bench.unit.removalPrevented).toBe(true);
    bench.device.detach(0, () => undefined);
    expect(bench.unit.removalPrevented).toBe(false);
  });

  it("has no other way to prevent", () => {
    expectSense(new Bench().run("1e 00 0000 02 00"), Sense.invalidFieldInCdb, 0xf0004);
  });
});
