import { describe, expect, it } from "vitest";
import { IoError } from "../../src/util/io-error.ts";
import type { IoErrorReport } from "../../src/scsi/logical-unit.ts";
import { Sense } from "../../src/scsi/sense.ts";
import type { VolumeEvent } from "../../src/volume/volume.ts";
import { Bench } from "./support/bench.ts";
import { expectSense } from "./support/expect-sense.ts";

const TEST_UNIT_READY = "00 00 000000 00";

describe("events of the volume", () => {
  it.each<[VolumeEvent, number]>([
    ["capacity-changed", Sense.capacityDataHasChanged],
    ["content-replaced", Sense.mediumMayHaveChanged],
    ["space-low", Sense.thinProvisioningSoftThresholdReached],
  ])("%s becomes a unit attention on every nexus", (event, code) => {
    const bench = new Bench();
    const other = bench.open("x,i,0x2");
    bench.volume.announce(event);
    for (const nexus of [bench.nexus, other]) {
      expectSense(bench.run(TEST_UNIT_READY, { nexus }), code);
      expect(bench.run(TEST_UNIT_READY, { nexus }).status).toBe(0);
    }
  });

  it("gone makes the unit not ready, without an attention", () => {
    const bench = new Bench();
    bench.volume.announce("gone");
    expect(bench.nexus.attentionCount).toBe(0);
    expectSense(bench.run(TEST_UNIT_READY), Sense.notReadyManualInterventionRequired);
    expect(bench.run("12 00 00 0024 00").status).toBe(0);
  });

  it("a smaller volume has smaller bounds at once", () => {
    const bench = new Bench();
    bench.volume.resize(512);
    bench.nexus.takeAttention(bench.unit);
    expect(bench.run("28 00 00000000 00 0001 00").status).toBe(0);
    expectSense(bench.run("28 00 00000001 00 0001 00"), Sense.logicalBlockAddressOutOfRange);
  });
});

describe("write protection", () => {
  it("may change while initiators are there, who are told once each", () => {
    const bench = new Bench();
    const other = bench.open("x,i,0x2");
    expect(bench.unit.configure({ readOnly: false })).toBe(false);
    expect(bench.nexus.attentionCount).toBe(0);
    expect(bench.unit.configure({ readOnly: true })).toBe(true);
    for (const nexus of [bench.nexus, other]) {
      expectSense(bench.run(TEST_UNIT_READY, { nexus }), Sense.modeParametersChanged);
      const write = { nexus, dataOut: Buffer.alloc(512) };
      expectSense(bench.run("2a 00 00000000 00 0001 00", write), Sense.writeProtected);
      expect(bench.run("1a 08 3f 00 ff 00", { nexus }).dataIn?.[2]).toBe(0x90);
    }
    expect(bench.unit.configure({ readOnly: false })).toBe(true);
    expectSense(bench.run(TEST_UNIT_READY), Sense.modeParametersChanged);
    const write = { dataOut: Buffer.alloc(512) };
    expect(bench.run("2a 00 00000000 00 0001 00", write).status).toBe(0);
  });

  it("stays where the volume takes no writes", () => {
    const bench = new Bench({ capabilities: { writable: false } });
    expect(bench.unit.configure({ readOnly: false })).toBe(false);
    expect(bench.unit.readOnly).toBe(true);
  });
});

describe("reportIoError", () => {
  it("reports once a second and counts the rest", () => {
    const reports: IoErrorReport[] = [];
    const bench = new Bench({ report: (report) => reports.push(report) });
    bench.volume.failing = "medium";
    for (const nowMs of [0, 1, 999, 1000, 1001, 2000]) {
      bench.nowMs = nowMs;
      bench.run("28 00 00000000 00 0001 00");
    }
    expect(reports.map(({ suppressedCount }) => suppressedCount)).toEqual([0, 2, 1]);
    expect(reports.map(({ operationCode }) => operationCode)).toEqual([0x28, 0x28, 0x28]);
    expect(reports[0]?.unit).toBe(bench.unit);
  });

  it("reports each kind by itself: a full pool hides no broken disk", () => {
    const reports: IoErrorReport[] = [];
    const bench = new Bench({ report: (report) => reports.push(report) });
    const kinds = ["space", "medium", "space", "medium", "space"] as const;
    for (const [nowMs, kind] of kinds.entries()) {
      bench.nowMs = nowMs;
      bench.unit.reportIoError(new IoError(kind, "x", { object: "v" }), null);
    }
    bench.nowMs = 1001;
    bench.unit.reportIoError(new IoError("medium", "x", { object: "v" }), null);
    const told = reports.map(({ error, suppressedCount }) => [error.kind, suppressedCount]);
    expect(told).toEqual([
      ["space", 0],
      ["medium", 0],
      ["medium", 1],
    ]);
  });

  it("does not take a difference for a fault", () => {
    const reports: IoErrorReport[] = [];
    const bench = new Bench({ report: (report) => reports.push(report) });
    bench.unit.reportIoError(new IoError("miscompare", "x", { object: "v" }), null);
    expect(reports).toEqual([]);
    bench.unit.reportIoError(new IoError("medium", "x", { object: "v" }), null);
    expect(reports[0]?.operationCode).toBe(-1);
  });
});
