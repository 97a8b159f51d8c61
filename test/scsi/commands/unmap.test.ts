import { describe, expect, it } from "vitest";
import { IoKind } from "../../../src/util/io-request.ts";
import { cdbField, dataField, Sense } from "../../../src/scsi/sense.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";
import type { FakeTask } from "../support/fake-task.ts";

function list(...ranges: [lba: number, blocks: number][]): Buffer {
  const data = Buffer.alloc(8 + ranges.length * 16);
  data.writeUInt16BE(data.length - 2, 0);
  data.writeUInt16BE(ranges.length * 16, 2);
  for (const [index, [lba, blocks]] of ranges.entries()) {
    data.writeBigUInt64BE(BigInt(lba), 8 + index * 16);
    data.writeUInt32BE(blocks, 16 + index * 16);
  }
  return data;
}

function unmap(bench: Bench, dataOut: Buffer, listBytes: number = dataOut.length): FakeTask {
  return bench.run(`42 00 00000000 00 ${listBytes.toString(16).padStart(4, "0")} 00`, { dataOut });
}

describe("UNMAP", () => {
  it("discards each range in turn", () => {
    const bench = new Bench();
    bench.volume.bytes.fill(0xff);
    expect(unmap(bench, list([8, 8], [0, 0], [2040, 8])).status).toBe(0);
    expect(bench.volume.submitted).toEqual([
      { kind: IoKind.discard, offsetBytes: 4096, lengthBytes: 4096, forceUnitAccess: false },
      { kind: IoKind.discard, offsetBytes: 2040 * 512, lengthBytes: 4096, forceUnitAccess: false },
    ]);
    expect(bench.volume.bytes.readUInt8(4095)).toBe(0xff);
    expect(bench.volume.bytes.readUInt8(4096)).toBe(0);
  });

  it("makes one range of those that follow each other", () => {
    const bench = new Bench();
    const data = list([0, 8], [8, 8], [99, 0], [16, 8], [40, 8], [32, 8]);
    expect(unmap(bench, data).status).toBe(0);
    const ranges = bench.volume.submitted.map(({ offsetBytes, lengthBytes }) => [
      offsetBytes / 512,
      lengthBytes / 512,
    ]);
    expect(ranges).toEqual([
      [0, 24],
      [40, 8],
      [32, 8],
    ]);
  });

  it("waits for one range before the next", () => {
    const bench = new Bench();
    bench.volume.holding = true;
    const task = unmap(bench, list([0, 1], [2, 1]));
    expect([bench.volume.held.length, task.ends]).toEqual([1, 0]);
    bench.volume.release();
    bench.volume.release();
    expect(task.ends).toBe(1);
  });

  it("has nothing to do for an empty list", () => {
    const bench = new Bench();
    expect(unmap(bench, Buffer.alloc(0)).solicitedBytes).toBe(0);
    expect(unmap(bench, list()).status).toBe(0);
    expect(unmap(bench, Buffer.alloc(8)).status).toBe(0);
    expect(unmap(bench, list([2048, 0])).status).toBe(0);
    expect(bench.volume.submitted).toEqual([]);
  });

  it("does nothing at all when one range is wrong", () => {
    const bench = new Bench();
    for (const wrong of [
      [2048, 1],
      [2047, 2],
      [2 ** 53 - 1, 1],
      [2049, 0],
    ] as [number, number][]) {
      expectSense(unmap(bench, list([0, 8], wrong)), Sense.logicalBlockAddressOutOfRange);
    }
    const wrapping = list([0, 8], [0, 2]);
    wrapping.fill(0xff, 24, 32);
    expectSense(unmap(bench, wrapping), Sense.logicalBlockAddressOutOfRange);
    expect(bench.volume.submitted).toEqual([]);
  });

  it("refuses lists that lie about their length", () => {
    const bench = new Bench();
    for (let length = 1; length < 8; length++) {
      const task = unmap(bench, Buffer.alloc(length));
      expectSense(task, Sense.parameterListLengthError);
      expect(task.solicitedBytes).toBe(0);
    }
    expectSense(unmap(bench, list([0, 8]).subarray(0, 23)), Sense.parameterListLengthError);
    expectSense(unmap(bench, list([0, 8]).subarray(0, 20), 24), Sense.parameterListLengthError);
    const short = list([0, 8]);
    short.writeUInt16BE(6, 0);
    expectSense(unmap(bench, short), Sense.parameterListLengthError);
    expect(bench.volume.submitted).toEqual([]);
  });

  it("ignores an incomplete last descriptor", () => {
    const bench = new Bench();
    const data = list([0, 8], [8, 8]);
    data.writeUInt16BE(31, 2);
    expect(unmap(bench, data).status).toBe(0);
    expect(bench.volume.submitted.length).toBe(1);
  });

  it("keeps the limits of the Block Limits page", () => {
    const bench = new Bench({ capacityBytes: 1 });
    bench.volume.pretendedCapacityBytes = 2 ** 45;
    bench.volume.announce("capacity-changed");
    bench.nexus.takeAttention(bench.unit);
    const empty: [number, number][] = Array.from({ length: 256 }, () => [0, 0]);
    expect(unmap(bench, list(...empty)).status).toBe(0);
    expectSense(
      unmap(bench, list(...empty, [0, 0])),
      Sense.invalidFieldInParameterList,
      dataField(2),
    );
    expectSense(
      unmap(bench, list([0, 2 ** 19], [0, 2 ** 19], [0, 1])),
      Sense.invalidFieldInParameterList,
      dataField(48),
    );
    const long = unmap(bench, Buffer.alloc(0), 0xffff);
    expectSense(long, Sense.invalidFieldInCdb, cdbField(7));
    expect(long.solicitedBytes).toBe(0);
  });

  it("is not there where the volume cannot", () => {
    const bench = new Bench({ capabilities: { discardGranularityBytes: 0 } });
    expectSense(unmap(bench, list([0, 8])), Sense.invalidCommandOperationCode);
  });

  it("refuses ANCHOR, and a read-only unit", () => {
    const anchored = new Bench().run("42 01 00000000 00 0018 00", { dataOut: list([0, 8]) });
    expectSense(anchored, Sense.invalidFieldInCdb, cdbField(1, 7));
    expectSense(
      unmap(new Bench({ settings: { readOnly: true } }), list([0, 8])),
      Sense.writeProtected,
    );
  });

  it("stops at the range that failed", () => {
    const bench = new Bench();
    bench.volume.holding = true;
    const task = unmap(bench, list([0, 8], [16, 8], [32, 8]));
    bench.volume.release();
    bench.volume.failing = "medium";
    bench.volume.release();
    expectSense(task, Sense.writeError);
    expect(bench.volume.submitted.length).toBe(2);
  });
});
