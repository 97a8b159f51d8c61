import { describe, expect, it } from "vitest";
import { IoKind } from "../../../src/util/io-request.ts";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
const FORMS = [
  {
    name: "10",
    lengthByte: 7,
    command: (flags: string, lba: number, count: number) =>
      `41 ${flags} ${hex(lba, 8)} 00 ${hex(count, 4)} 00`,
  },
  {
    name: "16",
    lengthByte: 10,
    command: (flags: string, lba: number, count: number) =>
      `93 ${flags} ${hex(lba, 16)} ${hex(count, 8)} 00 00`,
  },
];

const ZEROES = Buffer.alloc(512);
const PATTERN = Buffer.alloc(512).map((_byte, index) => index * 7 + 1);

describe.each(FORMS)("WRITE SAME ($name)", ({ command, lengthByte }) => {
  it("repeats a pattern, and touches nothing else", () => {
    for (const count of [1, 3, 511, 512, 513, 1300]) {
      const bench = new Bench();
      const expected = Buffer.alloc(bench.volume.bytes.length);
      for (let block = 5; block < 5 + count; block++) expected.set(PATTERN, block * 512);
      const task = bench.run(command("00", 5, count), { dataOut: PATTERN });
      expect([task.status, task.ends]).toEqual([0, 1]);
      expect(bench.volume.bytes.equals(expected)).toBe(true);
    }
  });

  it("writes zeros through the operation for it", () => {
    const bench = new Bench();
    for (const flags of ["00", "08"]) {
      expect(bench.run(command(flags, 8, 16), { dataOut: ZEROES }).status).toBe(0);
    }
    const zeroed = {
      kind: IoKind.writeZeroes,
      offsetBytes: 4096,
      lengthBytes: 8192,
      forceUnitAccess: false,
    };
    expect(bench.volume.submitted).toEqual([zeroed, zeroed]);
  });

  it("writes a pattern out although UNMAP is set", () => {
    const bench = new Bench();
    expect(bench.run(command("08", 2047, 1), { dataOut: PATTERN }).status).toBe(0);
    expect(bench.volume.bytes.subarray(2047 * 512).equals(PATTERN)).toBe(true);
  });

  it("refuses zero blocks, as WSNZ says, and too many", () => {
    const bench = new Bench();
    const none = bench.run(command("00", 0, 0), { dataOut: ZEROES });
    expectSense(none, Sense.invalidFieldInCdb, cdbField(lengthByte));
    expect(none.solicitedBytes).toBe(0);
  });

  it("checks the range before it asks for data", () => {
    const bench = new Bench();
    for (const [lba, count] of [
      [2048, 1],
      [2047, 2],
      [0, 2049],
      [0xffff_ffff, 0xffff],
      [2049, 0],
    ] as const) {
      const task = bench.run(command("00", lba, count), { dataOut: ZEROES });
      expectSense(task, Sense.logicalBlockAddressOutOfRange);
      expect(task.solicitedBytes).toBe(0);
    }
  });

  it("refuses data-out of another size than one block", () => {
    const bench = new Bench();
    for (const bytes of [0, 256, 511, 513, 1024]) {
      const task = bench.run(command("08", 0, 1), { dataOut: Buffer.alloc(bytes) });
      expectSense(task, Sense.invalidFieldInCdb);
    }
    const short = bench.run(command("00", 0, 1), {
      dataOut: ZEROES.subarray(1),
      expectedOutBytes: 512,
    });
    expectSense(short, Sense.invalidFieldInCdb);
    expect(bench.volume.submitted).toEqual([]);
  });

  it("refuses WRPROTECT, ANCHOR, PBDATA and LBDATA", () => {
    const bench = new Bench();
    for (const [flags, bit] of [
      ["20", 7],
      ["e0", 7],
      ["18", 7],
      ["04", 2],
      ["02", 2],
    ] as const) {
      const task = bench.run(command(flags, 0, 1), { dataOut: ZEROES });
      expectSense(task, Sense.invalidFieldInCdb, cdbField(1, bit));
    }
  });

  it("cannot unmap where the volume cannot, and not write where it is read-only", () => {
    const thick = new Bench({ capabilities: { discardGranularityBytes: 0 } });
    expectSense(
      thick.run(command("08", 0, 1), { dataOut: ZEROES }),
      Sense.invalidFieldInCdb,
      cdbField(1, 3),
    );
    expect(thick.run(command("00", 0, 1), { dataOut: ZEROES }).status).toBe(0);
    const readOnly = new Bench({ settings: { readOnly: true } });
    expectSense(readOnly.run(command("00", 0, 1), { dataOut: ZEROES }), Sense.writeProtected);
  });

  it("stops between steps when it was aborted, and reports what failed", () => {
    const bench = new Bench();
    bench.volume.holding = true;
    const task = bench.run(command("00", 0, 2000), { dataOut: PATTERN });
    bench.volume.release();
    bench.unit.taskSet.abort([task], () => undefined);
    bench.volume.release();
    expect([task.responses, task.forgotten, bench.volume.held.length]).toEqual([0, 1, 0]);
    const failing = bench.run(command("00", 0, 2000), { dataOut: PATTERN });
    bench.volume.failing = "space";
    bench.volume.release();
    expectSense(failing, Sense.spaceAllocationFailedWriteProtect);
  });
});

describe("WRITE SAME (16)", () => {
  it("needs no data with NDOB", () => {
    const bench = new Bench();
    bench.volume.bytes.fill(0xff);
    for (const flags of ["01", "09"]) {
      const task = bench.run(`93 ${flags} 0000000000000001 00000002 00 00`);
      expect([task.status, task.solicitedBytes]).toEqual([0, 0]);
    }
    expect(bench.volume.bytes.subarray(512, 1536).equals(Buffer.alloc(1024))).toBe(true);
    expect(bench.volume.bytes.readUInt8(511) + bench.volume.bytes.readUInt8(1536)).toBe(510);
  });

  it("is limited to MAXIMUM WRITE SAME LENGTH", () => {
    const bench = new Bench();
    bench.unit.capacityBlocks = 2 ** 30;
    const task = bench.run("93 01 0000000000000000 00008001 00 00");
    expectSense(task, Sense.invalidFieldInCdb, cdbField(10));
  });
});
