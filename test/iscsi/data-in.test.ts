import { describe, expect, it } from "vitest";

import { STAGED_READ_BYTES_MAX } from "../../src/iscsi/limits.ts";
import { DataInFlag } from "../../src/iscsi/pdu/data-in.ts";
import { NO_DEBTS, TransferBench, VOLUME_BYTES } from "./support/transfer-bench.ts";

const { final, status, underflow, overflow } = DataInFlag;
const KIB = 1024;

function read(bench: TransferBench, offsetBytes: number, bytes: number, expected = bytes) {
  const task = bench.task({ expectedInBytes: expected });
  task.transferIn(bench.volume, offsetBytes, bytes);
  return task;
}

describe("DataInTransfer", () => {
  it("sends a short read in one PDU, which carries the status", () => {
    const bench = new TransferBench();
    const task = read(bench, 4096, 4096);
    expect(bench.dataIn).toEqual([
      expect.objectContaining({
        flags: final | status,
        status: 0,
        initiatorTaskTag: 7,
        targetTransferTag: 0xffff_ffff,
        dataSn: 0,
        bufferOffset: 0,
        residualBytes: 0,
      }),
    ]);
    expect(bench.pdus).toHaveLength(1);
    expect(bench.dataInBytes.equals(bench.volume.bytes.subarray(4096, 8192))).toBe(true);
    expect(bench.retired).toEqual([task]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("cuts PDUs at the initiator's segment length, and sequences at MaxBurstLength", () => {
    const bench = new TransferBench({
      initiatorMaxRecvDataSegmentLengthBytes: 3 * KIB,
      maxBurstLengthBytes: 8 * KIB,
    });
    read(bench, 0, 20 * KIB);
    expect(bench.dataIn.map(({ dataSn, bufferOffset }) => [dataSn, bufferOffset / KIB])).toEqual([
      [0, 0],
      [1, 3],
      [2, 6],
      [3, 8],
      [4, 11],
      [5, 14],
      [6, 16],
      [7, 19],
    ]);
    expect(bench.dataIn.map(({ flags }) => flags)).toEqual([
      0,
      0,
      final,
      0,
      0,
      final,
      0,
      final | status,
    ]);
    expect(bench.dataInBytes.equals(bench.volume.bytes.subarray(0, 20 * KIB))).toBe(true);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("puts no more than fits beside others into one PDU, whatever the initiator takes", () => {
    const bench = new TransferBench({
      initiatorMaxRecvDataSegmentLengthBytes: 16_777_215,
      maxBurstLengthBytes: 16_776_192,
    });
    read(bench, 0, 1024 * KIB);
    expect(bench.dataIn).toHaveLength(4);
    expect(bench.dataInBytes.equals(bench.volume.bytes.subarray(0, 1024 * KIB))).toBe(true);
  });

  it.each([
    ["less than the initiator expects", 1024, 4096, underflow, 1024, 3072],
    ["more than the initiator expects", 4096, 1000, overflow, 1000, 3096],
  ])("tells of %s", (_what, wanted, expected, flag, sent, residual) => {
    const bench = new TransferBench();
    read(bench, 0, wanted, expected);
    expect(bench.dataIn).toMatchObject([{ flags: final | status | flag, residualBytes: residual }]);
    expect(bench.dataInBytes).toHaveLength(sent);
    const [pdu] = bench.pdus;
    expect(pdu?.padding.every((byte) => byte === 0)).toBe(true);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("answers with a response alone where the initiator expects nothing", () => {
    const bench = new TransferBench();
    read(bench, 0, 512, 0);
    expect(bench.dataIn).toEqual([]);
    expect(bench.responses).toMatchObject([{ residualFlags: overflow, residualBytes: 512 }]);
  });

  it("sends bytes from memory the same way", () => {
    const bench = new TransferBench({ initiatorMaxRecvDataSegmentLengthBytes: 512 });
    const data = bench.volume.bytes.subarray(0, 1300);
    bench.task({ expectedInBytes: 1200 }).returnData(data, 1300);
    expect(bench.dataInBytes.equals(data.subarray(0, 1200))).toBe(true);
    expect(bench.dataIn.at(-1)).toMatchObject({
      flags: final | status | overflow,
      dataSn: 2,
      bufferOffset: 1024,
      residualBytes: 100,
    });
    expect(bench.debts).toEqual(NO_DEBTS);
  });
});

describe("a read of what is not resident", () => {
  it.each([true, false])("goes through staging (completes within submit: %s)", (atOnce) => {
    const bench = new TransferBench({ maxBurstLengthBytes: 16 * KIB });
    bench.volume.cold = true;
    bench.volume.holding = !atOnce;
    const task = read(bench, 512, 40 * KIB);
    let rounds = 0;
    while (bench.volume.held.length !== 0) {
      expect(task.ioRunning).toBe(true);
      expect(bench.dataIn).toHaveLength(rounds);
      rounds += 1;
      bench.volume.release();
      expect(bench.flushWanted).toBe(true);
    }
    expect(bench.dataIn.map(({ dataSn }) => dataSn)).toEqual([0, 1, 2, 3, 4]);
    expect(bench.dataInBytes.equals(bench.volume.bytes.subarray(512, 512 + 40 * KIB))).toBe(true);
    expect(bench.retired).toEqual([task]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("sends what was read before it fails, and then the sense", () => {
    const bench = new TransferBench();
    bench.volume.cold = true;
    bench.volume.holding = true;
    const task = read(bench, 0, 24 * KIB);
    bench.volume.release();
    bench.volume.failing = "medium";
    bench.volume.release();
    expect(bench.dataIn).toHaveLength(1);
    expect(bench.dataIn).toMatchObject([{ flags: 0 }]);
    expect(bench.responses).toMatchObject([
      { status: 2, expDataSn: 1, residualFlags: underflow, residualBytes: 24 * KIB },
    ]);
    expect(bench.sense.readUInt8(2) & 0xf).toBe(3);
    expect(bench.retired).toEqual([task]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("is left to the volume when it is aborted, and its data go nowhere", () => {
    const bench = new TransferBench();
    bench.volume.cold = true;
    bench.volume.holding = true;
    const task = read(bench, 0, 24 * KIB);
    bench.volume.release();
    bench.abort(task);
    expect(bench.abortedTasks).toEqual([]);
    expect(bench.pools.lentBytes).not.toBe(0);
    bench.volume.release();
    expect(bench.abortedTasks).toEqual([task]);
    expect(bench.dataIn).toHaveLength(1);
    expect(bench.responses).toEqual([]);
    expect(bench.debts).toEqual(NO_DEBTS);
    task.reset();
  });

  it("goes on under a task that was expelled and answered, and holds up nobody", () => {
    const bench = new TransferBench();
    bench.volume.cold = true;
    bench.volume.holding = true;
    const task = read(bench, 0, 24 * KIB);
    bench.volume.release();
    bench.flushWanted = false;
    let left = false;
    bench.expel(task, () => (left = true));
    expect(bench.flushWanted).toBe(true);
    expect(bench.responses).toMatchObject([
      { status: 2, expDataSn: 1, residualFlags: underflow, residualBytes: 24 * KIB },
    ]);
    expect([bench.retired, bench.reused, left]).toEqual([[task], [], false]);
    // The read has its memory to itself until it is over, but no share of what the connection may read.
    expect(bench.stagedReadBytes).toBe(0);
    expect(bench.pools.lentBytes).not.toBe(0);
    expect(() => task.reset()).toThrow("reused");
    bench.volume.release();
    expect([bench.reused, left]).toEqual([[task], true]);
    expect(bench.dataIn).toHaveLength(1);
    expect(bench.responses).toHaveLength(1);
    expect(bench.debts).toEqual(NO_DEBTS);
    task.reset();
  });

  it("waits no more for room when it was expelled", () => {
    const bench = new TransferBench({ initiatorMaxRecvDataSegmentLengthBytes: 256 * KIB });
    const task = read(bench, 0, VOLUME_BYTES);
    bench.expel(task);
    expect([task.dataIn.waiting, bench.retired]).toEqual([false, [task]]);
    expect(bench.responses).toHaveLength(1);
    expect(bench.dataInBytes.length).toBeLessThan(VOLUME_BYTES);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("waits where too much is read already, unless nothing is", () => {
    const bench = new TransferBench();
    bench.volume.cold = true;
    bench.volume.holding = true;
    bench.stagedReadBytes = STAGED_READ_BYTES_MAX - 1;
    const task = read(bench, 0, 512);
    expect(bench.volume.held).toHaveLength(0);
    expect(task.dataIn.waiting).toBe(true);
    bench.stagedReadBytes = 0;
    bench.drain();
    expect(bench.volume.held).toHaveLength(1);
    bench.volume.release();
    expect(bench.dataIn).toHaveLength(1);
    expect(bench.debts).toEqual(NO_DEBTS);
  });
});

describe("a read that the peer does not take", () => {
  it("stops at a full queue and goes on when there is room", () => {
    const bench = new TransferBench({ initiatorMaxRecvDataSegmentLengthBytes: 256 * KIB });
    const task = read(bench, 0, VOLUME_BYTES);
    expect(task.dataIn.waiting).toBe(true);
    expect(bench.sendQueue.high).toBe(true);
    expect(bench.sendQueue.overfull).toBe(false);
    expect(bench.dataInBytes.equals(bench.volume.bytes)).toBe(true);
    expect(bench.retired).toEqual([task]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("waits no more when it is aborted, and may be used again at once", () => {
    const bench = new TransferBench({ initiatorMaxRecvDataSegmentLengthBytes: 256 * KIB });
    const task = read(bench, 0, VOLUME_BYTES);
    bench.abort(task);
    expect(bench.abortedTasks).toEqual([task]);
    const sentBefore = bench.sendQueue.queuedBytes;
    task.reset();
    bench.prepare(task, { expectedInBytes: 512, tag: 8 });
    task.transferIn(bench.volume, 0, 512);
    expect(task.dataIn.waiting).toBe(true);
    bench.drain();
    expect(bench.dataInBytes.length).toBeLessThan(sentBefore + 512);
    expect(bench.dataIn.filter(({ initiatorTaskTag }) => initiatorTaskTag === 8)).toMatchObject([
      { dataSn: 0, bufferOffset: 0, flags: final | status },
    ]);
    expect(bench.retired).toEqual([task]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });
});
