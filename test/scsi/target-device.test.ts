import { describe, expect, it } from "vitest";
import { DepartedInitiators } from "../../src/scsi/departed-initiators.ts";
import { LogicalUnit } from "../../src/scsi/logical-unit.ts";
import { Sense } from "../../src/scsi/sense.ts";
import { diskName, TargetDevice } from "../../src/scsi/target-device.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { Bench } from "./support/bench.ts";
import { expectSense } from "./support/expect-sense.ts";
import { FakeVolume } from "./support/fake-volume.ts";

const TEST_UNIT_READY = "00 00 000000 00";
const INQUIRY = "12 00 00 0024 00";
const READ = "28 00 00000000 00 0001 00";
const WRITE = "2a 00 00000000 00 0001 00";
const FLUSH = "35 00 00000000 00 0000 00";

function another(): LogicalUnit {
  return new LogicalUnit({ volume: new FakeVolume(8192), blockBytes: 512, nowMs: () => 0 });
}

describe("a new nexus", () => {
  it("meets POWER ON, RESET, OR BUS DEVICE RESET OCCURRED once on each unit", () => {
    const bench = new Bench();
    bench.device.attach(5, another());
    const nexus = bench.device.openNexus({ initiatorPort: "x,i,0x3", relativePortId: 2 });
    expect([nexus.targetPort, nexus.relativePortId]).toEqual([`${bench.device.name},t,0x0002`, 2]);
    for (const lun of [0, 5]) {
      expect(bench.run(INQUIRY, { nexus, lun }).status).toBe(0);
      expect(bench.run("a0 00 00 000000 00000100 0000", { nexus, lun }).status).toBe(0);
      const first = bench.run(TEST_UNIT_READY, { nexus, lun });
      expectSense(first, Sense.powerOnResetOrBusDeviceResetOccurred);
      expect(bench.run(TEST_UNIT_READY, { nexus, lun }).status).toBe(0);
    }
    expect(nexus.attentionCount).toBe(0);
  });

  it("is reported before an unknown command or a bad CDB is", () => {
    const bench = new Bench();
    for (const command of ["ff", "28 e0 00000000 00 0001 00"]) {
      const nexus = bench.device.openNexus({ initiatorPort: "x,i,0x3", relativePortId: 1 });
      expectSense(bench.run(command, { nexus }), Sense.powerOnResetOrBusDeviceResetOccurred);
    }
  });
});

describe("attach and detach", () => {
  it("tell the initiators that are there", () => {
    const bench = new Bench();
    bench.device.attach(5, another());
    expectSense(bench.run(TEST_UNIT_READY), Sense.reportedLunsDataHasChanged);
    const code = Sense.powerOnResetOrBusDeviceResetOccurred;
    expectSense(bench.run(TEST_UNIT_READY, { lun: 5 }), code);
    bench.device.detach(5, () => undefined);
    expectSense(bench.run(TEST_UNIT_READY), Sense.reportedLunsDataHasChanged);
    expectSense(bench.run(READ, { lun: 5 }), Sense.logicalUnitNotSupported);
    expect(bench.nexus.attentionCount).toBe(0);
  });

  it("know who has met another disk under a number, and tell those of it", () => {
    const bench = new Bench();
    const uuid = bench.volume.uuid;
    const [host = ""] = bench.nexus.initiatorPort.split(",");
    expect(bench.device.strangersTo(0, diskName(uuid, 512))).toEqual([]);
    bench.device.detach(0, () => undefined);
    expect([...bench.device.metLuns]).toEqual([0]);
    expect(bench.device.strangersTo(0, diskName(uuid, 512))).toEqual([]);
    expect(bench.device.strangersTo(0, diskName(uuid, 4096))).toEqual([host]);
    expect(bench.device.strangersTo(0, diskName("another", 512))).toEqual([host]);
    expect(bench.device.strangersTo(1, diskName("another", 512))).toEqual([]);
    const blocks = { volume: bench.volume, blockBytes: 4096, nowMs: () => 0 } as const;
    bench.device.attach(0, new LogicalUnit(blocks));
    expectSense(bench.run(TEST_UNIT_READY), Sense.powerOnResetOrBusDeviceResetOccurred);
    expectSense(bench.run(TEST_UNIT_READY), Sense.reportedLunsDataHasChanged);
    expectSense(bench.run(TEST_UNIT_READY), Sense.inquiryDataHasChanged);
    expect(bench.run(TEST_UNIT_READY).status).toBe(0);
    // By now it has met this one, and who comes meets it alone.
    expect(bench.device.strangersTo(0, diskName(uuid, 4096))).toEqual([]);
    bench.device.detach(0, () => undefined);
    bench.device.closeNexus(bench.nexus);
    bench.device.openNexus({ initiatorPort: "x,i,0x3", relativePortId: 1 });
    expect([...bench.device.metLuns]).toEqual([]);
  });

  it("know who has lost its session, and tells it when it is back and finds another disk", () => {
    const departed = new DepartedInitiators(new ManualClock());
    const port = { initiatorPort: "iqn.host,i,0x1", relativePortId: 1 };
    const before = new TargetDevice("iqn.target", departed);
    const large = { volume: new FakeVolume(8192), blockBytes: 4096, nowMs: () => 0 } as const;
    before.attach(0, new LogicalUnit(large));
    before.attach(1, new LogicalUnit(large));
    before.closeNexus(before.openNexus(port));
    // The target is made anew under its name.
    const device = new TargetDevice("iqn.target", departed);
    device.attach(0, another());
    expect([...device.metLuns]).toEqual([0, 1]);
    const nexus = device.openNexus(port);
    expect(departed.all).toEqual([]);
    const bench = new Bench();
    const unit = device.units.get(0);
    if (unit === undefined) throw new Error("it is attached");
    expect(nexus.attentionCount).toBe(3);
    expect([1, 2, 3].map(() => nexus.takeAttention(unit))).toEqual([
      Sense.powerOnResetOrBusDeviceResetOccurred,
      Sense.reportedLunsDataHasChanged,
      Sense.inquiryDataHasChanged,
    ]);
    // What it knows of the number that is free by now it still knows.
    expect(device.strangersTo(1, diskName(bench.volume.uuid, 512))).toEqual(["iqn.host"]);
    nexus.hasForgotten = true;
    device.closeNexus(nexus);
    expect(departed.all).toEqual([]);
  });

  it("detach answers the tasks of the unit, and waits for their I/O", () => {
    const bench = new Bench();
    bench.volume.holding = true;
    const task = bench.run(FLUSH);
    let done = 0;
    bench.device.detach(0, () => {
      done += 1;
    });
    expectSense(task, Sense.logicalUnitNotSupported);
    expect([done, task.ends, task.released, bench.unit.nexuses.size]).toEqual([0, 1, 0, 0]);
    bench.volume.release();
    expect([done, task.ends, task.released]).toEqual([1, 1, 1]);
    expect(bench.volume.listenerCount).toBe(1);
    bench.unit.close();
    expect(bench.volume.listenerCount).toBe(0);
  });

  it("a unit in two targets loses the tasks of one only", () => {
    const bench = new Bench();
    const second = new TargetDevice("iqn.2026-01.io.thinlun:second");
    second.attach(0, bench.unit);
    const nexus = second.openNexus({ initiatorPort: "y,i,0x1", relativePortId: 1 });
    nexus.takeAttention(bench.unit);
    bench.volume.holding = true;
    const [mine, theirs] = [bench.run(FLUSH), bench.run(FLUSH, { nexus })];
    second.detach(0, () => undefined);
    expect([mine.ends, theirs.responses]).toEqual([0, 1]);
    expect([mine.expelled, theirs.expelled]).toEqual([false, true]);
    expect([...bench.unit.nexuses]).toEqual([bench.nexus]);
  });

  it("assert that the LUN is free, in range, and there", () => {
    const bench = new Bench();
    expect(() => bench.device.attach(0, another())).toThrow("once");
    expect(() => bench.device.attach(1, bench.unit)).toThrow("one LUN");
    expect(() => bench.device.attach(0x4000, another())).toThrow("range");
    expect(() => bench.device.detach(1, () => undefined)).toThrow("attached");
    expect(() => bench.unit.close()).toThrow("detached");
    expect(() => bench.device.openNexus({ initiatorPort: "x", relativePortId: 0 })).toThrow("16");
  });
});

describe("closeNexus", () => {
  it("aborts the tasks and stops the attentions", () => {
    const bench = new Bench();
    bench.volume.holding = true;
    const task = bench.run(FLUSH);
    let done = 0;
    bench.device.closeNexus(bench.nexus, () => {
      done += 1;
    });
    expect([done, task.aborted, bench.device.nexuses.size]).toEqual([0, true, 0]);
    bench.unit.raise(Sense.modeParametersChanged);
    expect(bench.nexus.attentionCount).toBe(0);
    bench.volume.release();
    expect([done, task.forgotten, task.responses]).toEqual([1, 1, 0]);
    expect(() => bench.device.closeNexus(bench.nexus)).toThrow("once");
  });

  it("waits for what is written to a unit that was taken away, and nobody answers it any more", () => {
    const bench = new Bench();
    bench.volume.cold = true;
    bench.volume.holding = true;
    const dataOut = Buffer.alloc(512);
    const task = bench.run(WRITE, { dataOut });
    const nexus = bench.open("iqn.2026-01.io.example:two,i,0x2");
    const other = bench.run(WRITE, { dataOut, nexus });
    const events: string[] = [];
    bench.device.detach(0, () => events.push("detached"));
    bench.device.closeNexus(bench.nexus, () => events.push("closed"));
    expect([events, task.ends, other.ends]).toEqual([[], 0, 0]);
    bench.volume.release();
    expect([events, task.forgotten, task.responses]).toEqual([["closed"], 1, 0]);
    bench.volume.release();
    expect(events).toEqual(["closed", "detached"]);
    expectSense(other, Sense.logicalUnitNotSupported);
  });
});
