import { describe, expect, it } from "vitest";
import { IoKind } from "../../../src/util/io-request.ts";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench, CAPACITY_BYTES } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
const FORMS = [
  {
    name: "10",
    command: (flags: string, lba: number, count: number) =>
      `2f ${flags} ${hex(lba, 8)} 00 ${hex(count, 4)} 00`,
  },
  {
    name: "12",
    command: (flags: string, lba: number, count: number) =>
      `af ${flags} ${hex(lba, 8)} ${hex(count, 8)} 00 00`,
  },
  {
    name: "16",
    command: (flags: string, lba: number, count: number) =>
      `8f ${flags} ${hex(lba, 16)} ${hex(count, 8)} 00 00`,
  },
];

function patterned(): Bench {
  const bench = new Bench();
  for (let at = 0; at < CAPACITY_BYTES; at += 4) bench.volume.bytes.writeUInt32BE(at, at);
  return bench;
}

describe.each(FORMS)("VERIFY ($name)", ({ command }) => {
  it("reads the range in steps", () => {
    const bench = patterned();
    expect(bench.run(command("00", 1, 1100)).status).toBe(0);
    const step = 256 * 1024;
    expect(bench.volume.submitted).toEqual(
      [
        [512, step],
        [512 + step, step],
        [512 + 2 * step, 1100 * 512 - 2 * step],
      ].map(([offsetBytes, lengthBytes]) => ({
        kind: IoKind.read,
        offsetBytes,
        lengthBytes,
        forceUnitAccess: false,
      })),
    );
  });

  it("reports a range that cannot be read", () => {
    const bench = patterned();
    bench.volume.failing = "medium";
    expectSense(bench.run(command("10", 1, 3)), Sense.unrecoveredReadError);
  });

  it.each([false, true])("compares all bytes (cold: %s)", (cold) => {
    const bench = patterned();
    bench.volume.cold = cold;
    const from = 3 * 512;
    const dataOut = Buffer.from(bench.volume.bytes.subarray(from, from + 1000 * 512));
    expect(bench.run(command("02", 3, 1000), { dataOut }).status).toBe(0);
    for (const at of [0, 511, 512, 300_000, 1000 * 512 - 1]) {
      const wrong = Buffer.from(dataOut);
      wrong.writeUInt8(wrong.readUInt8(at) ^ 0x10, at);
      const task = bench.run(command("02", 3, 1000), { dataOut: wrong });
      expectSense(task, Sense.miscompareDuringVerifyOperation);
      expect(task.senseData?.information).toBe(at);
    }
    expect(bench.volume.submitted.every(({ kind }) => kind === IoKind.read)).toBe(true);
  });

  it("tells a failed read from a difference", () => {
    const bench = patterned();
    bench.volume.failing = "medium";
    const task = bench.run(command("02", 0, 1), { dataOut: Buffer.alloc(512) });
    expectSense(task, Sense.unrecoveredReadError);
  });

  it("compares one block with all", () => {
    const bench = patterned();
    const block = Buffer.alloc(512, 0x33);
    for (let at = 100; at < 1900; at++) bench.volume.bytes.set(block, at * 512);
    expect(bench.run(command("06", 100, 1800), { dataOut: block }).status).toBe(0);
    const task = bench.run(command("06", 101, 1800), { dataOut: block });
    expectSense(task, Sense.miscompareDuringVerifyOperation);
    expect(task.senseData?.information).toBe(0);
    const short = bench.run(command("06", 0, 1), { dataOut: block.subarray(1) });
    expectSense(short, Sense.invalidFieldInCdb);
  });

  it("asks for no data before the range is checked", () => {
    const bench = patterned();
    for (const flags of ["00", "02", "06"]) {
      for (const [lba, count] of [
        [2048, 1],
        [2047, 2],
        [2049, 0],
        [0xffff_ffff, 1],
      ] as const) {
        const task = bench.run(command(flags, lba, count), { dataOut: Buffer.alloc(512) });
        expectSense(task, Sense.logicalBlockAddressOutOfRange);
        expect(task.solicitedBytes).toBe(0);
      }
      expect(bench.run(command(flags, 2048, 0)).status).toBe(0);
    }
  });

  it("refuses BYTCHK 10b, VRPROTECT and reserved bits", () => {
    const bench = patterned();
    expectSense(bench.run(command("04", 0, 1)), Sense.invalidFieldInCdb, cdbField(1, 2));
    for (let protect = 1; protect < 8; protect++) {
      const task = bench.run(command(hex(protect << 5, 2), 0, 1));
      expectSense(task, Sense.invalidFieldInCdb, cdbField(1, 7));
    }
    expectSense(bench.run(command("08", 0, 1)), Sense.invalidFieldInCdb, cdbField(1, 3));
    expectSense(bench.run(command("01", 0, 1)), Sense.invalidFieldInCdb, cdbField(1, 0));
  });

  it("works on a read-only unit", () => {
    const bench = new Bench({ settings: { readOnly: true } });
    expect(bench.run(command("02", 0, 1), { dataOut: Buffer.alloc(512) }).status).toBe(0);
  });
});
