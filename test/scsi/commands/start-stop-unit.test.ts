import { describe, expect, it } from "vitest";
import { IoKind } from "../../../src/util/io-request.ts";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

const READ = "28 00 00000000 00 0001 00";
const TEST = "00 00 000000 00";
const EJECT = "1b 00 00 00 02 00";
const LOAD = "1b 00 00 00 03 00";

describe("START STOP UNIT", () => {
  it("flushes, stops, and makes the unit not ready for everybody until it is started", () => {
    const bench = new Bench();
    const other = bench.open("iqn.2026-01.io.example:two,i,0x2");
    expect(bench.run("1b 00 00 00 00 00").status).toBe(0);
    expect(bench.volume.submitted.map(({ kind }) => kind)).toEqual([IoKind.flush]);
    for (const command of [TEST, READ, "25 00 00000000 0000 00 00", "35 00 00000000 00 0000 00"]) {
      expectSense(bench.run(command), Sense.notReadyInitializingCommandRequired);
      expectSense(bench.run(command, { nexus: other }), Sense.notReadyInitializingCommandRequired);
    }
    for (const command of ["12 00 00 0024 00", "1a 08 3f 00 ff 00", "03 00 0000 ff 00"]) {
      expect(bench.run(command).status).toBe(0);
    }
    expect(bench.run("1b 00 00 00 01 00").status).toBe(0);
    expect(bench.run(READ).status).toBe(0);
  });

  it("does not flush with NO_FLUSH, and does not stop when the flush failed", () => {
    const bench = new Bench();
    expect(bench.run("1b 00 00 00 04 00").status).toBe(0);
    expect([bench.volume.submitted.length, bench.unit.stopped]).toEqual([0, true]);
    bench.run("1b 01 00 00 10 00");
    expect(bench.unit.stopped).toBe(false);
    bench.volume.failing = "failed";
    expectSense(bench.run("1b 00 00 00 00 00"), Sense.internalTargetFailure);
    expect(bench.unit.stopped).toBe(false);
  });

  it("cannot eject a fixed disk, and knows no other power conditions", () => {
    const bench = new Bench();
    expectSense(bench.run("1b 00 00 00 02 00"), Sense.invalidFieldInCdb, cdbField(4, 1));
    expectSense(bench.run("1b 00 00 00 03 00"), Sense.invalidFieldInCdb, cdbField(4, 1));
    for (let condition = 2; condition < 16; condition++) {
      const task = bench.run(`1b 00 00 00 ${condition.toString(16)}1 00`);
      expectSense(task, Sense.invalidFieldInCdb, cdbField(4, 7));
    }
    expectSense(bench.run("1b 00 00 01 11 00"), Sense.invalidFieldInCdb, cdbField(3, 3));
    expectSense(bench.run("1b 00 00 00 08 00"), Sense.invalidFieldInCdb, cdbField(4, 3));
    expect(bench.unit.stopped).toBe(false);
  });

  it("cannot start what is gone", () => {
    const bench = new Bench();
    bench.volume.announce("gone");
    expectSense(bench.run("1b 00 00 00 01 00"), Sense.notReadyManualInterventionRequired);
    expectSense(bench.run(READ), Sense.notReadyManualInterventionRequired);
  });

  it("ejects a removable medium after a flush, and loads it again", () => {
    const bench = new Bench({ settings: { removable: true } });
    const other = bench.open("x,i,0x2");
    expect(bench.run(EJECT).status).toBe(0);
    expect(bench.volume.submitted.map(({ kind }) => kind)).toEqual([IoKind.flush]);
    for (const nexus of [bench.nexus, other]) {
      expectSense(bench.run(READ, { nexus }), Sense.mediumNotPresent);
    }
    expectSense(bench.run("1b 00 00 00 01 00"), Sense.mediumNotPresent);
    expect(bench.run(LOAD).status).toBe(0);
    // Who has loaded it knows.
    expect(bench.run(READ).status).toBe(0);
    expectSense(bench.run(READ, { nexus: other }), Sense.mediumMayHaveChanged);
    bench.run(LOAD);
    expect(bench.nexus.attentionCount + other.attentionCount).toBe(0);
  });

  it("does not eject when the flush failed", () => {
    const bench = new Bench({ settings: { removable: true } });
    bench.volume.failing = "failed";
    expectSense(bench.run(EJECT), Sense.internalTargetFailure);
    expect(bench.unit.ejected).toBe(false);
    expect(bench.run("1b 00 00 00 06 00").status).toBe(0);
    expect(bench.unit.ejected).toBe(true);
  });

  it("cannot load what the administrator took away, who brings back what was ejected", () => {
    const bench = new Bench({ settings: { removable: true } });
    bench.run(EJECT);
    bench.unit.configure({ online: false });
    expectSense(bench.run(LOAD), Sense.mediumNotPresent);
    bench.unit.configure({ online: true });
    expectSense(bench.run(READ), Sense.mediumMayHaveChanged);
    bench.run(EJECT);
    expect(bench.unit.configure({ online: true })).toBe(true);
    expectSense(bench.run(READ), Sense.mediumMayHaveChanged);
    bench.run(EJECT);
    bench.unit.configure({ removable: false });
    expectSense(bench.run(READ), Sense.mediumMayHaveChanged);
    expectSense(bench.run(READ), Sense.inquiryDataHasChanged);
    expect(bench.run(READ).status).toBe(0);
  });
});
