import { describe, expect, it } from "vitest";
import { LogicalUnit } from "../../../src/scsi/logical-unit.ts";
import { REPORT_LUNS_WELL_KNOWN_LUN } from "../../../src/scsi/lun.ts";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench } from "../support/bench.ts";
import { FakeVolume } from "../support/fake-volume.ts";

function withLuns(...luns: number[]): Bench {
  const bench = new Bench();
  for (const lun of luns) {
    const volume = new FakeVolume(4096);
    bench.device.attach(lun, new LogicalUnit({ volume, blockBytes: 512, nowMs: () => 0 }));
  }
  return bench;
}

const LUN_0 = "0000000000000000";
const LUN_3 = "0003000000000000";
const LUN_300 = "412c000000000000";
const WELL_KNOWN = "c101000000000000";

describe("REPORT LUNS", () => {
  it.each([
    ["00", `0000001800000000${LUN_0}${LUN_3}${LUN_300}`],
    ["01", `0000000800000000${WELL_KNOWN}`],
    ["02", `0000002000000000${LUN_0}${LUN_3}${LUN_300}${WELL_KNOWN}`],
  ])("select report %s lists, in order", (select, expected) => {
    const bench = withLuns(300, 3);
    const task = bench.run(`a0 00 ${select} 000000 0000ffff 0000`);
    expect(task.dataIn?.toString("hex")).toBe(expected);
  });

  it("is cut to the allocation length, and says how much there is", () => {
    const task = withLuns(3).run("a0 00 00 000000 00000010 0000");
    expect(task.dataIn?.toString("hex")).toBe(`0000001000000000${LUN_0}`);
  });

  it("needs room for one LUN", () => {
    for (const allocation of ["00000000", "0000000f"]) {
      const task = new Bench().run(`a0 00 00 000000 ${allocation} 0000`);
      expect([task.senseCode, task.senseData?.field]).toEqual([
        Sense.invalidFieldInCdb,
        cdbField(6),
      ]);
    }
  });

  it("refuses other reports", () => {
    const task = new Bench().run("a0 00 10 000000 00000100 0000");
    expect([task.senseCode, task.senseData?.field]).toEqual([Sense.invalidFieldInCdb, cdbField(2)]);
  });

  it("works where no unit is, at LUN 0 above all", () => {
    const bench = withLuns(3);
    bench.device.detach(0, () => undefined);
    for (const lun of [0, 77, REPORT_LUNS_WELL_KNOWN_LUN]) {
      const task = bench.run("a0 00 00 000000 00000100 0000", { lun });
      expect(task.dataIn?.toString("hex")).toBe(`0000000800000000${LUN_3}`);
    }
  });

  it("clears REPORTED LUNS DATA HAS CHANGED on all units, and no other attention", () => {
    const bench = withLuns(3);
    expect(bench.nexus.attentionCount).toBe(2);
    bench.run("a0 00 00 000000 00000100 0000");
    expect(bench.nexus.attentionCount).toBe(1);
    expect(bench.run("00 00 000000 00").senseCode).toBe(-1);
    const code = Sense.powerOnResetOrBusDeviceResetOccurred;
    expect(bench.run("00 00 000000 00", { lun: 3 }).senseCode).toBe(code);
  });

  it("lists every LUN that can be", () => {
    const bench = withLuns();
    const [unit] = bench.device.units.values();
    const units = new Map([...Array(0x4000).keys()].map((lun) => [lun, unit]));
    Object.defineProperty(bench.device, "units", { value: units });
    const data = bench.run("a0 00 02 000000 ffffffff 0000").dataIn;
    expect(data?.length).toBe(8 + 8 * 0x4001);
  });
});
