import { describe, expect, it } from "vitest";

import { INITIATORS_COUNTED_MAX } from "../../src/scsi/limits.ts";
import type { NexusStatistics } from "../../src/scsi/nexus-statistics.ts";
import { OperationClass } from "../../src/scsi/operation-class.ts";
import { OTHER_INITIATORS, TargetStatistics } from "../../src/scsi/target-statistics.ts";
import { Bench } from "./support/bench.ts";

function readOnce(nexus: NexusStatistics, lun: number = 0): void {
  nexus.of(lun).submit(OperationClass.read, 512);
}

/** Reads by initiator and LUN. */
function readsOf(target: TargetStatistics): Record<string, number> {
  return Object.fromEntries(
    target
      .totals()
      .map(({ initiator, lun, statistics }) => [
        `${initiator} ${lun}`,
        statistics.counts(OperationClass.read).submitted,
      ]),
  );
}

describe("TargetStatistics", () => {
  it("adds up the sessions of an initiator, those that are over too", () => {
    const target = new TargetStatistics();
    const first = target.open("a");
    const second = target.open("a");
    readOnce(first);
    readOnce(second);
    readOnce(second, 5);
    readOnce(target.open("b"));
    expect(readsOf(target)).toEqual({ "a 0": 2, "a 5": 1, "b 0": 1 });
    target.close(first);
    target.close(first);
    target.close(second);
    expect(readsOf(target)).toEqual({ "a 0": 2, "a 5": 1, "b 0": 1 });
    readOnce(target.open("a"));
    expect(readsOf(target)).toEqual({ "a 0": 3, "a 5": 1, "b 0": 1 });
    expect(target.ofUnit(0).counts(OperationClass.read).submitted).toBe(4);
  });

  it("forgets a unit that was taken away, in all sessions", () => {
    const target = new TargetStatistics();
    const past = target.open("a");
    readOnce(past);
    readOnce(past, 1);
    target.close(past);
    const present = target.open("a");
    readOnce(present);
    target.drop(0);
    expect(readsOf(target)).toEqual({ "a 1": 1 });
    readOnce(present);
    expect(readsOf(target)).toEqual({ "a 0": 1, "a 1": 1 });
  });

  it("counts initiators beyond the limit together, and each always in the same place", () => {
    const target = new TargetStatistics();
    for (let index = 0; index < INITIATORS_COUNTED_MAX + 3; index += 1) {
      const nexus = target.open(`i${index}`);
      readOnce(nexus);
      target.close(nexus);
    }
    const late = target.open(`i${INITIATORS_COUNTED_MAX}`);
    readOnce(late);
    readOnce(target.open("i0"));
    const reads = readsOf(target);
    expect(Object.keys(reads)).toHaveLength(INITIATORS_COUNTED_MAX + 1);
    expect(reads[`${OTHER_INITIATORS} 0`]).toBe(4);
    expect(reads["i0 0"]).toBe(2);
  });
});

describe("the counters of a target device", () => {
  it("count what commands expect to move, under the name of the initiator", () => {
    const bench = new Bench();
    bench.run("28 00 0000 0000 00 0001 00");
    const write = bench.run("2a 00 0000 0000 00 0001 00", {
      expectedOutBytes: 512,
      holdDataOut: true,
    });
    expect(write.statistics).toBe(bench.nexus.statistics.peek(0));
    const [totals] = bench.device.statistics.totals();
    expect(totals).toMatchObject({ lun: 0, initiator: "iqn.2026-01.io.example:one" });
    expect(totals?.statistics.counts(OperationClass.read).submitted).toBe(1);
    expect(totals?.statistics.counts(OperationClass.write)).toMatchObject({
      submitted: 1,
      submittedBytes: 512,
    });
  });

  it("have no place for commands to a LUN without a unit", () => {
    const bench = new Bench();
    expect(bench.run("00 00 00 00 00 00", { lun: 9 }).statistics).toBeNull();
    expect(bench.device.statistics.totals()).toEqual([]);
  });

  it("outlive the session, and begin anew with another unit", () => {
    const bench = new Bench();
    bench.run("00 00 00 00 00 00");
    bench.device.closeNexus(bench.nexus);
    const before = bench.device.statistics.ofUnit(0).counts(OperationClass.other);
    expect(before.submitted).toBe(1);
    bench.device.detach(0, () => undefined);
    expect(bench.device.statistics.totals()).toEqual([]);
  });

  it("tell failures of the volume from other errors", () => {
    const bench = new Bench();
    bench.run("28 00 7fff ffff 00 0001 00");
    expect(bench.nexus.statistics.peek(0)?.mediumErrors).toBe(0);
    bench.volume.failing = "medium";
    bench.run("35 00 0000 0000 00 0000 00");
    expect(bench.nexus.statistics.peek(0)?.mediumErrors).toBe(1);
  });
});
