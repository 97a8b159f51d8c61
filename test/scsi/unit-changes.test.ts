import { describe, expect, it } from "vitest";
import type { LogicalUnit } from "../../src/scsi/logical-unit.ts";
import type { Nexus } from "../../src/scsi/nexus.ts";
import { Sense } from "../../src/scsi/sense.ts";
import type { UnitSettings } from "../../src/scsi/unit-settings.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { Bench } from "./support/bench.ts";
import { expectSense } from "./support/expect-sense.ts";

const TEST_UNIT_READY = "00 00 000000 00";
const READ = "28 00 00000000 00 0001 00";
const WRITE = "2a 00 00000000 00 0001 00";
const WRITE_SAME = "93 00 0000000000000000 00000001 00 00";
const UNMAP_LIST = Buffer.from(
  "0016001000000000" + "0000000000000000" + "00000008" + "00000000",
  "hex",
);
const UNMAP = "42 00 00000000 00 0018 00";
const SYNCHRONIZE = "35 00 00000000 00 0000 00";
const BLOCK = Buffer.alloc(512, 0x5a);

function attentions(nexus: Nexus, unit: LogicalUnit): number[] {
  const codes: number[] = [];
  for (let code = nexus.takeAttention(unit); code !== -1; code = nexus.takeAttention(unit)) {
    codes.push(code);
  }
  return codes;
}

function data(bench: Bench, command: string): Buffer {
  const task = bench.run(command);
  expect(task.status).toBe(0);
  return task.dataIn ?? Buffer.alloc(0);
}

const { modeParametersChanged, inquiryDataHasChanged, capacityDataHasChanged } = Sense;

/** A setting, another value than its default, and what is announced when it changes; the same when it changes back. */
const ANNOUNCED: readonly [Partial<UnitSettings>, Partial<UnitSettings>, readonly number[]][] = [
  [{ readOnly: true }, { readOnly: false }, [modeParametersChanged]],
  [{ softwareWriteProtect: true }, { softwareWriteProtect: false }, [modeParametersChanged]],
  [{ writeCache: false }, { writeCache: true }, [modeParametersChanged]],
  [{ descriptorSense: true }, { descriptorSense: false }, [modeParametersChanged]],
  [{ removable: true }, { removable: false }, [inquiryDataHasChanged]],
  [
    { thinProvisioning: false },
    { thinProvisioning: true },
    [capacityDataHasChanged, inquiryDataHasChanged],
  ],
  [{ physicalBlockExponent: 0 }, { physicalBlockExponent: null }, [capacityDataHasChanged]],
  [{ lowestAlignedLba: 7 }, { lowestAlignedLba: 0 }, [capacityDataHasChanged]],
  [{ optimalGranularityBlocks: 1 }, { optimalGranularityBlocks: null }, [inquiryDataHasChanged]],
  [{ optimalTransferBlocks: 1 }, { optimalTransferBlocks: null }, [inquiryDataHasChanged]],
  [{ rotationRate: 7200 }, { rotationRate: null }, [inquiryDataHasChanged]],
];

describe("configure", () => {
  it.each(ANNOUNCED)("announces %j, and the way back %j, to everybody once", (to, from, codes) => {
    const bench = new Bench();
    const other = bench.open("x,i,0x2");
    for (const changes of [to, from]) {
      expect(bench.unit.configure(changes)).toBe(true);
      expect(bench.unit.configure(changes)).toBe(false);
      for (const nexus of [bench.nexus, other]) {
        expect(attentions(nexus, bench.unit)).toEqual(codes);
      }
    }
  });

  it("announces several changes of one kind as one", () => {
    const { unit, nexus } = new Bench();
    unit.configure({ readOnly: true, writeCache: false, descriptorSense: true, rotationRate: 0 });
    expect(attentions(nexus, unit)).toEqual([modeParametersChanged, inquiryDataHasChanged]);
  });

  it("is silent about what the volume cannot do, and about what it does anyway", () => {
    const { unit, nexus } = new Bench({
      capabilities: { writable: false, discardGranularityBytes: 0 },
    });
    expect(unit.configure({ readOnly: true, thinProvisioning: false })).toBe(false);
    expect(unit.configure({ physicalBlockExponent: 3, rotationRate: 1 })).toBe(false);
    expect([nexus.attentionCount, unit.settings.physicalBlockExponent]).toEqual([0, 3]);
  });

  it("takes nothing that no field holds", () => {
    const { unit } = new Bench();
    expect(() => unit.configure({ lowestAlignedLba: 0x4000 })).toThrow("checked where they enter");
    expect(unit.settings.lowestAlignedLba).toBe(0);
  });

  it("outlives a reset", () => {
    const { unit } = new Bench({ settings: { online: false } });
    unit.reset();
    expect(unit.online).toBe(false);
  });
});

describe("the settings of a unit", () => {
  it("removable is RMB", () => {
    const bench = new Bench({ settings: { removable: true } });
    expect(data(bench, "12 00 00 00ff 00").readUInt8(1)).toBe(0x80);
    expect(data(new Bench(), "12 00 00 00ff 00").readUInt8(1)).toBe(0);
  });

  it("physical blocks and alignment are in READ CAPACITY (16)", () => {
    const settings = { physicalBlockExponent: 15, lowestAlignedLba: 0x3fff };
    const both = data(new Bench({ settings }), "9e 10 0000000000000000 00000020 00 00");
    expect(both.subarray(12, 16).toString("hex")).toBe("000fffff");
    const full = { settings: { ...settings, thinProvisioning: false } };
    const without = data(new Bench(full), "9e 10 0000000000000000 00000020 00 00");
    expect(without.subarray(12, 16).toString("hex")).toBe("000f3fff");
  });

  it("optimal transfers are in page B0h, no longer than a transfer may be", () => {
    const settings = { optimalGranularityBlocks: 16, optimalTransferBlocks: 256 };
    const page = data(new Bench({ settings }), "12 01 b0 00ff 00");
    expect([page.readUInt16BE(6), page.readUInt32BE(12)]).toEqual([16, 256]);
    const long = { settings: { optimalTransferBlocks: 0xffff_ffff } };
    const cut = data(new Bench(long), "12 01 b0 00ff 00");
    expect(cut.readUInt32BE(12)).toBe(cut.readUInt32BE(8));
  });

  it("the rotation rate is in page B1h", () => {
    const bench = new Bench({ settings: { rotationRate: 7200 } });
    expect(data(bench, "12 01 b1 00ff 00").readUInt16BE(4)).toBe(7200);
  });

  it("without thin provisioning, nothing is unmapped or offered to be", () => {
    const bench = new Bench({ settings: { thinProvisioning: false } });
    expect(data(bench, "12 01 b2 00ff 00").toString("hex")).toBe("00b2000400000000");
    expect(data(bench, "12 01 b0 00ff 00").subarray(20, 36).toString("hex")).toBe("00".repeat(16));
    expect(data(bench, "9e 10 0000000000000000 00000020 00 00").readUInt8(14)).toBe(0);
    expectSense(bench.run(UNMAP, { dataOut: UNMAP_LIST }), Sense.invalidCommandOperationCode);
    const unmapping = bench.run(WRITE_SAME.replace("93 00", "93 08"), { dataOut: BLOCK });
    expectSense(unmapping, Sense.invalidFieldInCdb, 0xb0001);
    const supported = data(bench, "a3 0c 01 42 0000 000000ff 00 00");
    expect(supported.readUInt8(1)).toBe(1);
    bench.unit.configure({ thinProvisioning: true });
    attentions(bench.nexus, bench.unit);
    expect(bench.run(UNMAP, { dataOut: UNMAP_LIST }).status).toBe(0);
    expect(data(bench, "a3 0c 01 42 0000 000000ff 00 00").readUInt8(1)).toBe(3);
  });

  it("software write protection refuses writes as such, and reads go on", () => {
    const bench = new Bench({ settings: { softwareWriteProtect: true } });
    expectSense(bench.run(WRITE, { dataOut: BLOCK }), Sense.logicalUnitSoftwareWriteProtected);
    expect(bench.run(READ).status).toBe(0);
    expect(data(bench, "1a 08 0a 00 ff 00").toString("hex")).toBe(
      "0f0090000a0a00100800000000000000",
    );
    bench.unit.configure({ readOnly: true });
    attentions(bench.nexus, bench.unit);
    expectSense(bench.run(WRITE, { dataOut: BLOCK }), Sense.writeProtected);
  });

  it("sense is in the format that was set, from the next command on", () => {
    const bench = new Bench();
    bench.unit.configure({ descriptorSense: true });
    expect(bench.run("ff").senseData).toMatchObject({
      code: modeParametersChanged,
      descriptorFormat: true,
    });
  });
});

describe("a unit that is offline", () => {
  it("is not ready, has initiators wait, and is announced when it is back", () => {
    const bench = new Bench();
    expect(bench.unit.configure({ online: false })).toBe(true);
    expect(bench.nexus.attentionCount).toBe(0);
    const commands = [TEST_UNIT_READY, READ, SYNCHRONIZE, "25 00 00000000 0000 00 00"];
    for (const command of commands) expectSense(bench.run(command), Sense.notReadyBecomingReady);
    expectSense(bench.run(WRITE, { dataOut: BLOCK }), Sense.notReadyBecomingReady);
    for (const command of [
      "12 00 00 00ff 00",
      "1a 08 3f 00 ff 00",
      "a0 00 00 000000 000000ff 00 00",
    ]) {
      data(bench, command);
    }
    expect(data(bench, "03 00 0000 ff 00").subarray(2, 14).toString("hex")).toBe(
      "02000000000a000000000401",
    );
    bench.unit.configure({ online: true });
    expectSense(bench.run(READ), Sense.mediumMayHaveChanged);
    expect(bench.run(READ).status).toBe(0);
  });

  it("has no medium where it is removable", () => {
    const bench = new Bench({ settings: { removable: true, online: false } });
    expectSense(bench.run(READ), Sense.mediumNotPresent);
  });

  it("is not started, and not forgotten to have been stopped", () => {
    const bench = new Bench({ settings: { online: false } });
    expectSense(bench.run("1b 00 00 00 01 00"), Sense.notReadyBecomingReady);
    expect(bench.run("1b 00 00 00 00 00").status).toBe(0);
    expectSense(bench.run("1b 00 00 00 01 00"), Sense.notReadyBecomingReady);
    bench.unit.configure({ online: true });
    attentions(bench.nexus, bench.unit);
    expectSense(bench.run(READ), Sense.notReadyInitializingCommandRequired);
    expect(bench.run("1b 00 00 00 01 00").status).toBe(0);
    expect(bench.run(READ).status).toBe(0);
  });

  it("lets what is running end, and starts nothing that waited", () => {
    const bench = new Bench();
    bench.volume.cold = true;
    bench.volume.holding = true;
    const running = bench.run(READ);
    const waiting = bench.run(READ, { attribute: 2 });
    bench.unit.configure({ online: false });
    expect([running.ends, waiting.ends]).toEqual([0, 0]);
    bench.volume.release();
    expect([running.status, running.ends, bench.volume.held.length]).toEqual([0, 1, 0]);
    expectSense(waiting, Sense.notReadyBecomingReady);
  });
});

describe("without a write cache", () => {
  const settings = { writeCache: false };

  it("says so, and every write is on stable media before it is answered", () => {
    const bench = new Bench({ settings });
    expect(data(bench, "1a 08 08 00 04 00").length).toBe(4);
    expect(data(bench, "1a 08 08 00 ff 00").readUInt8(6)).toBe(0);
    const { submitted } = bench.volume;
    for (const code of ["0a 000000 01 00", WRITE, "aa 00 00000000 00000001 00 00"]) {
      const task = bench.run(code, { dataOut: BLOCK });
      expect([task.status, task.forcedUnitAccess]).toEqual([0, true]);
    }
    submitted.length = 0;
    bench.run(WRITE_SAME, { dataOut: BLOCK });
    bench.run(WRITE_SAME, { dataOut: Buffer.alloc(512) });
    bench.run(UNMAP, { dataOut: UNMAP_LIST });
    expect(submitted.map(({ kind, forceUnitAccess }) => [kind, forceUnitAccess])).toEqual([
      [IoKind.write, true],
      [IoKind.writeZeroes, true],
      [IoKind.discard, true],
    ]);
  });

  it("with one, they are not", () => {
    const bench = new Bench();
    expect(data(bench, "1a 08 08 00 ff 00").readUInt8(6)).toBe(4);
    expect(bench.run(WRITE, { dataOut: BLOCK }).forcedUnitAccess).toBe(false);
    bench.run(WRITE_SAME, { dataOut: BLOCK });
    bench.run(WRITE_SAME, { dataOut: Buffer.alloc(512) });
    bench.run(UNMAP, { dataOut: UNMAP_LIST });
    expect(bench.volume.submitted.some(({ forceUnitAccess }) => forceUnitAccess)).toBe(false);
  });

  it("what was in it goes to stable media, and what was on the way into it, too", () => {
    const bench = new Bench();
    const { volume } = bench;
    volume.cold = true;
    volume.holding = true;
    const writes = [0, 1].map(() => bench.run(WRITE, { dataOut: BLOCK }));
    const read = bench.run(READ);
    bench.unit.configure(settings);
    bench.nexus.takeAttention(bench.unit);
    bench.run(WRITE, { dataOut: BLOCK });
    const flushes = (): number =>
      volume.submitted.filter(({ kind }) => kind === IoKind.flush).length;
    volume.release();
    expect([writes[0]?.ends, flushes()]).toEqual([1, 0]);
    volume.release();
    // The read, and the write that is durable by itself, are not waited for.
    expect([writes[1]?.ends, read.ends, flushes(), bench.unit.taskSet.size]).toEqual([1, 0, 1, 2]);
    bench.unit.configure({ writeCache: false });
    expect(flushes()).toBe(1);
  });

  it("an idle one is flushed at once", () => {
    const { unit, volume } = new Bench();
    unit.configure(settings);
    expect(volume.submitted.map(({ kind }) => kind)).toEqual([IoKind.flush]);
    unit.configure({ writeCache: true });
    expect(volume.submitted.length).toBe(1);
  });
});

describe("identify", () => {
  it("gives other names, and says so once", () => {
    const bench = new Bench();
    expect(bench.unit.identify({})).toBe(false);
    expect(bench.unit.identify({ vendor: "ACME", serial: "S1" })).toBe(true);
    expect(bench.unit.identify({ vendor: "ACME", serial: "S1" })).toBe(false);
    expect(attentions(bench.nexus, bench.unit)).toEqual([inquiryDataHasChanged]);
    expect(data(bench, "12 00 00 00ff 00").toString("latin1", 8, 16)).toBe("ACME    ");
    expect(data(bench, "12 01 80 00ff 00").toString("latin1", 4)).toBe("S1");
    expect(bench.unit.identify({})).toBe(true);
    expect(attentions(bench.nexus, bench.unit)).toEqual([inquiryDataHasChanged]);
    const untouched = data(new Bench(), "12 01 83 00ff 00");
    expect(data(bench, "12 01 83 00ff 00")).toEqual(untouched);
  });
});
