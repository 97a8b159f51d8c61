import { describe, expect, it } from "vitest";
import { IoKind } from "../../../src/util/io-request.ts";
import { Sense } from "../../../src/scsi/sense.ts";
import { Status } from "../../../src/scsi/status.ts";
import { Bench, CAPACITY_BYTES, cdb, type BenchOptions } from "../support/bench.ts";
import type { FakeTask } from "../support/fake-task.ts";

interface Form {
  readonly name: string;
  readonly read: number;
  readonly write: number;
  readonly lengthByte: number;
  build(operationCode: number, lba: number, blocks: number, flags?: number): Uint8Array;
}

function bytes(length: number, operationCode: number, flags: number): Buffer {
  const buffer = Buffer.alloc(length);
  buffer.writeUInt8(operationCode, 0);
  buffer.writeUInt8(flags, 1);
  return buffer;
}

const TEN: Form = {
  name: "10",
  read: 0x28,
  write: 0x2a,
  lengthByte: 7,
  build(operationCode, lba, blocks, flags = 0) {
    const buffer = bytes(10, operationCode, flags);
    buffer.writeUInt32BE(lba, 2);
    buffer.writeUInt16BE(blocks, 7);
    return buffer;
  },
};
const TWELVE: Form = {
  name: "12",
  read: 0xa8,
  write: 0xaa,
  lengthByte: 6,
  build(operationCode, lba, blocks, flags = 0) {
    const buffer = bytes(12, operationCode, flags);
    buffer.writeUInt32BE(lba, 2);
    buffer.writeUInt32BE(blocks, 6);
    return buffer;
  },
};
const SIXTEEN: Form = {
  name: "16",
  read: 0x88,
  write: 0x8a,
  lengthByte: 10,
  build(operationCode, lba, blocks, flags = 0) {
    const buffer = bytes(16, operationCode, flags);
    buffer.writeBigUInt64BE(BigInt(lba), 2);
    buffer.writeUInt32BE(blocks, 10);
    return buffer;
  },
};
const FORMS = [TEN, TWELVE, SIXTEEN];

function patterned(options?: BenchOptions): Bench {
  const bench = new Bench(options);
  for (let at = 0; at < bench.volume.bytes.length; at += 4)
    bench.volume.bytes.writeUInt32BE(at, at);
  return bench;
}

function expectFailure(task: FakeTask, code: number, field: number = -1): void {
  expect(task.status).toBe(Status.checkCondition);
  expect(task.senseCode.toString(16)).toBe(code.toString(16));
  expect(task.senseData?.field).toBe(field);
  expect(task.solicitedBytes).toBe(0);
  expect(task.dataIn).toBeNull();
  expect(task.ends).toBe(1);
}

const FIELD = (byte: number, bit: number): number => byte | ((8 | bit) << 16);

describe.each([512, 4096] as const)("logical blocks of %i bytes", (blockBytes) => {
  const last = CAPACITY_BYTES / blockBytes - 1;

  it.each(FORMS)("READ ($name) returns the blocks", (form) => {
    const bench = patterned({ blockBytes });
    const task = bench.run(form.build(form.read, 3, 2));
    expect(task.status).toBe(Status.good);
    expect(task.dataIn).toEqual(bench.volume.bytes.subarray(3 * blockBytes, 5 * blockBytes));
    expect(task.ends).toBe(1);
    expect(bench.unit.taskSet.size).toBe(0);
  });

  it.each(FORMS)("WRITE ($name) stores the blocks", (form) => {
    const bench = patterned({ blockBytes });
    const before = Buffer.from(bench.volume.bytes);
    const dataOut = Buffer.alloc(blockBytes, 0x5a);
    const task = bench.run(form.build(form.write, last, 1), { dataOut });
    expect(task.status).toBe(Status.good);
    dataOut.copy(before, last * blockBytes);
    expect(bench.volume.bytes.equals(before)).toBe(true);
    expect(task.forcedUnitAccess).toBe(false);
  });

  it.each(FORMS)("READ and WRITE ($name) stop at the last block exactly", (form) => {
    const bench = patterned({ blockBytes });
    for (const operationCode of [form.read, form.write]) {
      const whole = bench.run(form.build(operationCode, 0, last + 1), {
        dataOut: Buffer.alloc(CAPACITY_BYTES),
      });
      expect(whole.status).toBe(Status.good);
      expect(bench.run(form.build(operationCode, last + 1, 0)).status).toBe(Status.good);
      const beyond: [number, number][] = [
        [last + 1, 1],
        [last, 2],
        [0, last + 2],
        [last + 2, 0],
        [0x8000_0000, 1],
        [0xffff_ffff, 1],
        [0xffff_ffff, 0],
      ];
      for (const [lba, blocks] of beyond) {
        const task = bench.run(form.build(operationCode, lba, blocks));
        expectFailure(task, Sense.logicalBlockAddressOutOfRange);
      }
    }
  });

  it.each(FORMS)("zero blocks of READ and WRITE ($name) move nothing", (form) => {
    const bench = patterned({ blockBytes });
    for (const operationCode of [form.read, form.write]) {
      const task = bench.run(form.build(operationCode, 1, 0));
      expect([task.status, task.dataIn, task.solicitedBytes]).toEqual([Status.good, null, 0]);
    }
  });
});

describe("64-bit addresses", () => {
  it("do not wrap", () => {
    const bench = patterned();
    for (const hex of ["ffffffffffffffff", "8000000000000000", "0020000000000000"]) {
      for (const count of ["00000001", "ffffffff", "00000000"]) {
        for (const operationCode of ["88", "8a"]) {
          const task = bench.run(`${operationCode}00 ${hex} ${count} 0000`);
          expectFailure(task, Sense.logicalBlockAddressOutOfRange);
        }
      }
    }
  });

  it("reach past 2 TiB", () => {
    const bench = new Bench();
    bench.volume.pretendedCapacityBytes = 2 ** 50;
    bench.volume.announce("capacity-changed");
    bench.nexus.takeAttention(bench.unit);
    const offsets: number[] = [];
    bench.volume.tryRead = (_buffer, _at, _length, offset): boolean => offsets.push(offset) > 0;
    bench.run(SIXTEEN.build(0x88, 2 ** 41 - 1, 1));
    expect(offsets).toEqual([2 ** 50 - 512]);
    const task = bench.run(SIXTEEN.build(0x88, 2 ** 41, 1));
    expectFailure(task, Sense.logicalBlockAddressOutOfRange);
  });
});

describe("the six-byte forms", () => {
  it("take zero for 256 blocks", () => {
    const bench = patterned();
    expect(bench.run("08 000002 00 00").dataIn?.length).toBe(256 * 512);
    const dataOut = Buffer.alloc(256 * 512, 7);
    bench.run("0a 000002 00 00", { dataOut });
    expect(bench.volume.bytes.subarray(1024, 1024 + dataOut.length).equals(dataOut)).toBe(true);
    expect(bench.volume.bytes.readUInt32BE(1024 + dataOut.length)).toBe(1024 + dataOut.length);
  });

  it("have addresses of 21 bits", () => {
    const bench = patterned();
    expectFailure(bench.run("08 1fffff 01 00"), Sense.logicalBlockAddressOutOfRange);
    expectFailure(bench.run("08 200000 01 00"), Sense.invalidFieldInCdb, FIELD(1, 7));
    expectFailure(bench.run("0a 0007ff 02 00"), Sense.logicalBlockAddressOutOfRange);
    expect(bench.run("08 0007ff 01 00").dataIn?.readUInt32BE(0)).toBe(0x7ff * 512);
  });
});

describe("flags", () => {
  it.each(FORMS)("RDPROTECT and WRPROTECT are refused in ($name)", (form) => {
    const bench = patterned();
    for (let protect = 1; protect < 8; protect++) {
      for (const operationCode of [form.read, form.write]) {
        const task = bench.run(form.build(operationCode, 0, 1, protect << 5));
        expectFailure(task, Sense.invalidFieldInCdb, FIELD(1, 7));
      }
    }
  });

  it.each(FORMS)("NACA is refused in ($name)", (form) => {
    const command = form.build(form.read, 0, 1);
    command[command.length - 1] = 0x04;
    const task = new Bench().run(command);
    expectFailure(task, Sense.invalidFieldInCdb, FIELD(command.length - 1, 7));
  });

  it.each(FORMS)("FUA of WRITE ($name) reaches the medium", (form) => {
    const bench = patterned();
    const dataOut = Buffer.alloc(512);
    for (const flags of [0x08, 0x18, 0x1a]) {
      expect(bench.run(form.build(form.write, 0, 1, flags), { dataOut }).forcedUnitAccess).toBe(
        true,
      );
    }
    expect(bench.run(form.build(form.write, 0, 1, 0x12), { dataOut }).forcedUnitAccess).toBe(false);
  });

  it.each(FORMS)("FUA of READ ($name) flushes first", (form) => {
    const bench = patterned();
    expect(bench.run(form.build(form.read, 1, 1, 0x16)).dataIn?.readUInt32BE(0)).toBe(512);
    expect(bench.volume.submitted).toEqual([]);
    expect(bench.run(form.build(form.read, 1, 1, 0x08)).dataIn?.readUInt32BE(0)).toBe(512);
    expect(bench.volume.submitted.map(({ kind }) => kind)).toEqual([IoKind.flush]);
    expect(bench.run(form.build(form.read, 1, 0, 0x08)).status).toBe(Status.good);
    expectFailure(
      bench.run(form.build(form.read, 9999, 1, 0x08)),
      Sense.logicalBlockAddressOutOfRange,
    );
  });
});

describe("limits and states", () => {
  it.each([TWELVE, SIXTEEN])("MAXIMUM TRANSFER LENGTH is exact in ($name)", (form) => {
    const bench = new Bench();
    bench.volume.bytes = Buffer.alloc(17 * 1024 * 1024);
    bench.volume.announce("capacity-changed");
    bench.nexus.takeAttention(bench.unit);
    const blocksMax = (16 * 1024 * 1024) / 512;
    expect(bench.run(form.build(form.read, 0, blocksMax)).dataIn?.length).toBe(blocksMax * 512);
    const task = bench.run(form.build(form.write, 0, blocksMax + 1));
    expectFailure(task, Sense.invalidFieldInCdb, form.lengthByte);
  });

  it("a rest of the volume that fills no block is not reachable", () => {
    const bench = new Bench({ capacityBytes: 4096 * 3 + 512, blockBytes: 4096 });
    expect(bench.unit.capacityBlocks).toBe(3);
    expectFailure(bench.run(TEN.build(0x28, 3, 1)), Sense.logicalBlockAddressOutOfRange);
  });

  it.each([...FORMS.map((form) => form.build(form.write, 0, 1)), cdb("0a 000000 01 00")])(
    "a read-only unit refuses to write, before it asks for data",
    (command) => {
      for (const options of [
        { settings: { readOnly: true } },
        { capabilities: { writable: false } },
      ]) {
        expectFailure(new Bench(options).run(command), Sense.writeProtected);
      }
    },
  );

  it("errors of the volume become sense of their own", () => {
    const bench = patterned();
    bench.volume.failing = "medium";
    expect(bench.run(TEN.build(0x28, 0, 1)).senseCode).toBe(Sense.unrecoveredReadError);
    const dataOut = Buffer.alloc(512);
    expect(bench.run(TEN.build(0x2a, 0, 1), { dataOut }).senseCode).toBe(Sense.writeError);
    bench.volume.failing = "space";
    const task = bench.run(TEN.build(0x2a, 0, 1), { dataOut });
    expect(task.senseCode).toBe(Sense.spaceAllocationFailedWriteProtect);
  });

  it("sense comes in descriptor format where D_SENSE is set", () => {
    const bench = new Bench({ settings: { descriptorSense: true } });
    const task = bench.run(TEN.build(0x28, 0xffff_ffff, 1));
    expect(Buffer.from(task.sense.subarray(0, task.senseBytes)).toString("hex")).toBe(
      "7205210000000000",
    );
  });

  it("data that are not resident come later", () => {
    const bench = patterned();
    bench.volume.cold = true;
    bench.volume.holding = true;
    const task = bench.run(TEN.build(0x28, 0, 1));
    expect([task.ends, bench.unit.taskSet.size]).toEqual([0, 1]);
    bench.volume.release();
    expect([task.ends, bench.unit.taskSet.size]).toEqual([1, 0]);
  });
});
