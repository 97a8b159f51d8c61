import { describe, expect, it, vi } from "vitest";

import type { DataOutTransfer } from "../../src/iscsi/data-out.ts";
import type { IscsiTask } from "../../src/iscsi/iscsi-task.ts";
import { DORMANT_BYTES_MAX, SOLICITED_BYTES_MAX } from "../../src/iscsi/limits.ts";
import { ResidualFlag } from "../../src/iscsi/pdu/scsi-response.ts";
import { ProtocolError } from "../../src/iscsi/protocol-error.ts";
import { CompareSink } from "../../src/scsi/commands/compare-sink.ts";
import { Status } from "../../src/scsi/status.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { SeededRandom } from "../../src/util/random.ts";
import { NO_DEBTS, sendDataOut, TransferBench } from "./support/transfer-bench.ts";

const KIB = 1024;
const NOTHING = Buffer.alloc(0);
const DATA = new SeededRandom(1).bytes(1024 * KIB);

interface WriteSpec {
  readonly bytes: number;
  readonly expected?: number;
  readonly immediate?: Buffer;
  readonly unsolicited?: boolean;
  readonly force?: boolean;
  readonly at?: number;
}

/** A write command with its own PDU. */
function write(bench: TransferBench, spec: WriteSpec): IscsiTask {
  const { bytes, expected = bytes, immediate = NOTHING, at = 4096 } = spec;
  const task = bench.task({ expectedOutBytes: expected });
  if (spec.unsolicited === true) task.dataOut.expectUnsolicited();
  task.transferOut(bench.volume, at, bytes, spec.force ?? false);
  if (!task.retired) task.dataOut.begin(immediate, 0, immediate.length);
  return task;
}

/** Answers the newest invitation, in PDUs of `pieceBytes`. */
function answer(bench: TransferBench, task: IscsiTask, pieceBytes = 64 * KIB, index = -1): void {
  const invitation = bench.invitations.at(index);
  if (invitation === undefined) throw new Error("nothing was invited");
  const { targetTransferTag: tag, bufferOffset, desiredDataTransferBytes } = invitation;
  const end = bufferOffset + desiredDataTransferBytes;
  let dataSn = 0;
  for (let at = bufferOffset; at < end; at += pieceBytes) {
    const pieceEnd = Math.min(end, at + pieceBytes);
    const data = DATA.subarray(at, pieceEnd);
    expect(sendDataOut(task, { at, data, tag, dataSn, final: pieceEnd === end })).toBe(true);
    dataSn += 1;
  }
}

function written(bench: TransferBench, bytes: number, at = 4096): boolean {
  return bench.volume.bytes.subarray(at, at + bytes).equals(DATA.subarray(0, bytes));
}

describe("DataOutTransfer", () => {
  it("writes immediate data and answers", () => {
    const bench = new TransferBench();
    const task = write(bench, { bytes: 4096, immediate: DATA.subarray(0, 4096) });
    expect(written(bench, 4096)).toBe(true);
    expect(bench.volume.submitted).toEqual([]);
    expect(bench.invitations).toEqual([]);
    expect(bench.responses).toMatchObject([{ status: 0, residualFlags: 0, residualBytes: 0 }]);
    expect(bench.retired).toEqual([task]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("takes unsolicited data until the final PDU, then invites the rest", () => {
    const bench = new TransferBench({ firstBurstLengthBytes: 16 * KIB });
    const immediate = DATA.subarray(0, 3000);
    const task = write(bench, { bytes: 64 * KIB, immediate, unsolicited: true });
    expect(bench.invitations).toEqual([]);
    sendDataOut(task, { at: 3000, data: DATA.subarray(3000, 9000), final: false });
    expect(bench.invitations).toEqual([]);
    sendDataOut(task, { at: 9000, data: DATA.subarray(9000, 16 * KIB), dataSn: 1 });
    expect(bench.invitations).toMatchObject([
      { r2tSn: 0, bufferOffset: 16 * KIB, desiredDataTransferBytes: 48 * KIB },
    ]);
    answer(bench, task, 7000);
    expect(written(bench, 64 * KIB)).toBe(true);
    expect(bench.responses).toMatchObject([{ status: 0 }]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("invites sequences of MaxBurstLength, as many at a time as was agreed, with a short last one", () => {
    const bench = new TransferBench({ maxBurstLengthBytes: 16 * KIB, maxOutstandingR2t: 2 });
    const task = write(bench, { bytes: 40 * KIB });
    const seen = (): (readonly number[])[] =>
      bench.invitations.map((r2t) => [
        r2t.r2tSn,
        r2t.bufferOffset / KIB,
        r2t.desiredDataTransferBytes / KIB,
      ]);
    expect(seen()).toEqual([
      [0, 0, 16],
      [1, 16, 16],
    ]);
    answer(bench, task, 10_000, 0);
    expect(seen().at(-1)).toEqual([2, 32, 8]);
    expect(new Set(bench.invitations.map((r2t) => r2t.targetTransferTag)).size).toBe(3);
    answer(bench, task, 10_000, 1);
    expect(bench.responses).toEqual([]);
    answer(bench, task, 10_000, 2);
    expect(written(bench, 40 * KIB)).toBe(true);
    expect(bench.invitations).toHaveLength(3);
    expect(bench.responses).toMatchObject([{ status: 0 }]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("writes whole blocks of what the initiator announced, and tells the overflow", () => {
    const bench = new TransferBench();
    const before = Buffer.from(bench.volume.bytes);
    const immediate = DATA.subarray(0, 1000);
    write(bench, { bytes: 4096, expected: 1000, immediate });
    expect(written(bench, 512)).toBe(true);
    expect(bench.volume.bytes.subarray(4608).equals(before.subarray(4608))).toBe(true);
    expect(bench.responses).toMatchObject([
      { residualFlags: ResidualFlag.overflow, residualBytes: 3096 },
    ]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("drops what the initiator sends beyond the command's length, and tells the underflow", () => {
    const bench = new TransferBench();
    const before = Buffer.from(bench.volume.bytes);
    const immediate = DATA.subarray(0, 2000);
    const task = write(bench, { bytes: 1024, expected: 4096, immediate, unsolicited: true });
    expect(bench.responses).toEqual([]);
    sendDataOut(task, { at: 2000, data: DATA.subarray(2000, 4096) });
    expect(written(bench, 1024)).toBe(true);
    expect(bench.volume.bytes.subarray(5120).equals(before.subarray(5120))).toBe(true);
    expect(bench.responses).toMatchObject([
      { residualFlags: ResidualFlag.underflow, residualBytes: 3072 },
    ]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("answers a write of nothing", () => {
    const bench = new TransferBench();
    write(bench, { bytes: 0 });
    expect(bench.responses).toMatchObject([{ status: 0, residualFlags: 0 }]);
  });

  it.each([true, false])("writes what is not resident in large pieces (at once: %s)", (atOnce) => {
    const bench = new TransferBench({ maxBurstLengthBytes: 512 * KIB });
    bench.volume.cold = true;
    bench.volume.holding = !atOnce;
    const task = write(bench, { bytes: 512 * KIB });
    answer(bench, task, 8 * KIB);
    expect(bench.volume.submitted.map(({ lengthBytes }) => lengthBytes / KIB)).toEqual([256, 256]);
    while (bench.volume.held.length !== 0) {
      expect(task.ioRunning).toBe(true);
      expect(bench.responses).toEqual([]);
      bench.volume.release();
    }
    expect(written(bench, 512 * KIB)).toBe(true);
    expect(bench.responses).toMatchObject([{ status: 0 }]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("keeps the bytes in their places when the volume is resident now and then", () => {
    const random = new SeededRandom(5);
    const bench = new TransferBench();
    bench.volume.holding = true;
    const task = write(bench, { bytes: 256 * KIB });
    const tag = bench.invitations[0]?.targetTransferTag ?? 0;
    let dataSn = 0;
    for (let at = 0; at < 256 * KIB;) {
      const end = Math.min(256 * KIB, at + random.pick([4096, 8192, 1, 512, 5000]));
      bench.volume.cold = random.chance(0.5);
      const data = DATA.subarray(at, end);
      sendDataOut(task, { at, data, tag, dataSn, final: end === 256 * KIB });
      if (random.chance(0.3) && bench.volume.held.length !== 0) bench.volume.release();
      at = end;
      dataSn += 1;
    }
    while (bench.volume.held.length !== 0) bench.volume.release();
    expect(written(bench, 256 * KIB)).toBe(true);
    expect(bench.responses).toMatchObject([{ status: 0 }]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("forces every byte to the medium where the command asks for it", () => {
    const bench = new TransferBench();
    write(bench, { bytes: 4096, immediate: DATA.subarray(0, 4096), force: true });
    expect(bench.volume.submitted).toEqual([
      { kind: IoKind.write, offsetBytes: 4096, lengthBytes: 4096, forceUnitAccess: true },
    ]);
    expect(bench.responses).toMatchObject([{ status: 0 }]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("keeps what comes for a command that waits for others, and invites from where it ends", () => {
    const bench = new TransferBench();
    const task = bench.task({ expectedOutBytes: 16 * KIB });
    task.dataOut.expectUnsolicited();
    const first = Buffer.from(DATA.subarray(0, 3000));
    task.dataOut.begin(first, 0, first.length);
    first.fill(0);
    sendDataOut(task, { at: 3000, data: DATA.subarray(3000, 5000) });
    expect(bench.invitations).toEqual([]);
    task.transferOut(bench.volume, 4096, 16 * KIB, false);
    expect(bench.invitations).toMatchObject([{ bufferOffset: 5000 }]);
    answer(bench, task);
    expect(written(bench, 16 * KIB)).toBe(true);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("gathers parameters, then takes the step", () => {
    const bench = new TransferBench();
    const task = bench.task({ expectedOutBytes: 100 });
    const steps: string[] = [];
    task.collect(200, (unit, stepped) => {
      expect([unit, stepped]).toEqual([bench.unit, task]);
      steps.push(Buffer.from(task.parameter.subarray(0, task.parameterBytes)).toString("hex"));
      task.complete(0);
    });
    task.dataOut.begin(DATA, 0, 40);
    answer(bench, task, 33);
    expect(steps).toEqual([DATA.subarray(0, 100).toString("hex")]);
    expect(bench.responses).toMatchObject([
      { residualFlags: ResidualFlag.overflow, residualBytes: 100 },
    ]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });
});

describe("data that break what was agreed", () => {
  const bench = new TransferBench({ maxOutstandingR2t: 2, maxBurstLengthBytes: 4096 });
  const task = write(bench, { bytes: 16 * KIB, immediate: DATA.subarray(0, 512) });
  const [first, second] = bench.invitations;
  const tag = first?.targetTransferTag ?? 0;
  const data = DATA.subarray(0, 512);

  it.each([
    ["nobody invited", { at: 512, data }],
    ["of the second R2T before the first", { at: 512, data, tag: second?.targetTransferTag ?? 0 }],
    ["of no R2T", { at: 512, data, tag: tag + 7 }],
    ["at another place", { at: 1024, data, tag }],
    ["more than was invited", { at: 512, data: DATA.subarray(0, 4097), tag }],
    ["that end too soon", { at: 512, data, tag, final: true }],
  ])("are refused: %s", (_what, spec) => {
    const send = (): boolean => sendDataOut(task, { final: false, ...spec });
    expect(send).toThrow(ProtocolError);
    expect(task.dataOut.receivedBytes).toBe(512);
  });

  it("are not taken after a hole in their numbers", () => {
    expect(sendDataOut(task, { at: 512, data, tag, dataSn: 1, final: false })).toBe(false);
  });

  it("may not go past FirstBurstLength unsolicited", () => {
    const other = new TransferBench({ firstBurstLengthBytes: 1024 });
    const open = write(other, { bytes: 4096, immediate: DATA.subarray(0, 512), unsolicited: true });
    const send = (): boolean => sendDataOut(open, { at: 512, data: DATA.subarray(512, 1025) });
    expect(send).toThrow("more data than were invited");
  });
});

describe("a write that fails", () => {
  it("answers only when all that was invited has come, and keeps no memory", () => {
    const bench = new TransferBench({ maxOutstandingR2t: 2, maxBurstLengthBytes: 256 * KIB });
    bench.volume.cold = true;
    bench.volume.holding = true;
    const task = write(bench, { bytes: 1024 * KIB });
    answer(bench, task, 64 * KIB, 0);
    bench.volume.failing = "medium";
    bench.volume.release();
    expect(bench.responses).toEqual([]);
    answer(bench, task, 64 * KIB, 1);
    answer(bench, task, 64 * KIB, 2);
    expect(bench.invitations).toHaveLength(3);
    expect(bench.responses).toMatchObject([{ status: 2, residualBytes: 1024 * KIB }]);
    expect(bench.sense.readUInt8(2) & 0xf).toBe(3);
    expect(bench.retired).toEqual([task]);
    expect(bench.debts).toEqual(NO_DEBTS);
    task.reset();
  });

  /** Its task was pooled with half a piece in a staging buffer: the next command that got it ended the process. */
  it("gives back a piece that was begun when the one before it failed", () => {
    const bench = new TransferBench({ maxBurstLengthBytes: 256 * KIB });
    bench.volume.cold = true;
    bench.volume.holding = true;
    const task = write(bench, { bytes: 1024 * KIB, immediate: DATA.subarray(0, 1000) });
    answer(bench, task);
    expect(bench.volume.held).toHaveLength(1);
    const { targetTransferTag: tag, bufferOffset } = bench.invitations.at(-1) ?? {
      targetTransferTag: 0,
      bufferOffset: 0,
    };
    const half = DATA.subarray(bufferOffset, bufferOffset + 128 * KIB);
    sendDataOut(task, { at: bufferOffset, data: half, tag, final: false });
    bench.volume.failing = "medium";
    bench.volume.release();
    const at = bufferOffset + 128 * KIB;
    const rest = DATA.subarray(at, at + 128 * KIB);
    sendDataOut(task, { at, data: rest, tag, dataSn: 1 });
    expect(bench.responses).toMatchObject([{ status: 2 }]);
    expect(bench.debts).toEqual(NO_DEBTS);
    task.reset();
  });

  it("answers at once when it was refused before any data were due", () => {
    const bench = new TransferBench();
    const task = bench.task({ expectedOutBytes: 4096 });
    task.fail(0x5_24_00);
    expect(bench.responses).toMatchObject([{ status: 2, residualBytes: 4096 }]);
    expect(bench.retired).toEqual([task]);
  });

  it("takes and drops the unsolicited data of a command that was refused", () => {
    const bench = new TransferBench();
    const task = bench.task({ expectedOutBytes: 4096 });
    task.dataOut.expectUnsolicited();
    task.fail(0x5_24_00);
    task.dataOut.begin(DATA, 0, 512);
    sendDataOut(task, { at: 512, data: DATA.subarray(0, 512), final: false });
    expect(bench.responses).toEqual([]);
    sendDataOut(task, { at: 1024, data: DATA.subarray(0, 512), dataSn: 1 });
    expect(bench.responses).toMatchObject([{ status: 2 }]);
    expect(bench.debts).toEqual(NO_DEBTS);
  });
});

describe("a peer that sends more for a command whose parameters are complete", () => {
  /** It could end the process: the answer was sent for a command that was still at work. */
  it("does not hurry the answer", () => {
    const bench = new TransferBench();
    bench.volume.holding = true;
    const task = bench.task({ expectedOutBytes: 512 });
    task.collect(512, (_unit, stepped) => {
      stepped.runIo(IoKind.flush, 0, 0, false, (_again, done) => done.complete(0));
    });
    task.dataOut.begin(DATA, 0, 512);
    sendDataOut(task, { at: 512, data: DATA.subarray(0, 512) });
    expect(bench.responses).toEqual([]);
    bench.volume.release();
    expect(bench.responses).toMatchObject([{ status: 0 }]);
    expect(bench.retired).toEqual([task]);
  });
});

describe("a write that waits for credit", () => {
  function waiting(): { bench: TransferBench; task: IscsiTask } {
    const bench = new TransferBench();
    bench.credit.invite(SOLICITED_BYTES_MAX);
    const task = write(bench, { bytes: 64 * KIB, immediate: DATA.subarray(0, 1000) });
    expect(bench.invitations).toEqual([]);
    return { bench, task };
  }

  it("goes on when there is some, and says that there is something to send", () => {
    const { bench, task } = waiting();
    bench.flushWanted = false;
    bench.credit.settle(SOLICITED_BYTES_MAX);
    expect(bench.flushWanted).toBe(true);
    answer(bench, task);
    expect(written(bench, 64 * KIB)).toBe(true);
    expect(bench.debts).toEqual(NO_DEBTS);
  });

  it("waits no more when it is aborted", () => {
    const { bench, task } = waiting();
    bench.abort(task);
    expect(bench.abortedTasks).toEqual([task]);
    bench.credit.settle(SOLICITED_BYTES_MAX);
    expect(bench.invitations).toEqual([]);
    expect(bench.debts).toEqual(NO_DEBTS);
    task.reset();
  });

  /** It sent an R2T for a command that was answered, and owed the credit for it for ever. */
  it("waits no more when it has failed", () => {
    const { bench, task } = waiting();
    task.fail(0xb_47_05);
    bench.credit.settle(SOLICITED_BYTES_MAX);
    expect(bench.invitations).toEqual([]);
    expect(bench.responses).toHaveLength(1);
    expect(bench.debts).toEqual(NO_DEBTS);
    task.reset();
  });

  it("is in the line once, however often its task is aborted and used again", () => {
    const bench = new TransferBench();
    bench.credit.invite(SOLICITED_BYTES_MAX);
    let woken = 0;
    const task = write(bench, { bytes: 512 });
    for (let round = 0; round < 10; round += 1) {
      bench.abort(task);
      task.reset();
      bench.prepare(task, { expectedOutBytes: 512 });
      task.transferOut(bench.volume, 0, 512, false);
      task.dataOut.begin(NOTHING, 0, 0);
    }
    const transfer: DataOutTransfer = task.dataOut;
    const wake = transfer.creditFreed.bind(transfer);
    transfer.creditFreed = () => {
      woken += 1;
      wake();
    };
    bench.credit.settle(SOLICITED_BYTES_MAX);
    expect(woken).toBe(1);
    expect(bench.invitations).toHaveLength(1);
  });
});

describe("an aborted write", () => {
  it("gives its invitations back, and keeps its buffers until the volume is done with them", () => {
    const bench = new TransferBench({ maxBurstLengthBytes: 256 * KIB, maxOutstandingR2t: 2 });
    bench.volume.cold = true;
    bench.volume.holding = true;
    const submit = vi.spyOn(bench.volume, "submit");
    const task = write(bench, { bytes: 1024 * KIB });
    answer(bench, task, 64 * KIB, 0);
    const { targetTransferTag: tag, bufferOffset: at } = bench.invitations[1] ?? {
      targetTransferTag: 0,
      bufferOffset: 0,
    };
    const data = DATA.subarray(at, at + 64 * KIB);
    sendDataOut(task, { at, data, tag, final: false });
    const abandoned = (): boolean[] => submit.mock.calls.map(([request]) => request.abandoned);
    expect(abandoned()).toContain(false);
    bench.abort(task);
    expect(abandoned()).not.toContain(false);
    expect(bench.abortedTasks).toEqual([]);
    expect(bench.debts.stagedBytes).toBe(256 * KIB);
    bench.volume.release();
    expect(bench.abortedTasks).toEqual([task]);
    expect(bench.responses).toEqual([]);
    expect(bench.debts).toEqual(NO_DEBTS);
    task.reset();
  });

  it("is gone at once when the volume has nothing of it", () => {
    const bench = new TransferBench();
    const task = write(bench, { bytes: 64 * KIB, immediate: DATA.subarray(0, 1000) });
    bench.abort(task);
    expect(bench.abortedTasks).toEqual([task]);
    expect(bench.debts).toEqual(NO_DEBTS);
    task.reset();
  });
});

describe("commands that wait for a write of the same connection", () => {
  it("do not take the credit that it needs with the data that they keep", () => {
    const bench = new TransferBench({ firstBurstLengthBytes: 256 * KIB });
    const first = write(bench, { bytes: 512 * KIB });
    for (let tag = 100; tag < 100 + SOLICITED_BYTES_MAX / (256 * KIB); tag += 1) {
      const later = bench.task({ expectedOutBytes: 256 * KIB, tag });
      later.dataOut.begin(DATA, 0, 256 * KIB);
    }
    answer(bench, first, 64 * KIB, 0);
    expect(bench.invitations).toHaveLength(2);
    answer(bench, first, 64 * KIB, 1);
    expect(bench.responses).toHaveLength(1);
  });

  it("are told that the task set is full when they bring more than can be kept", () => {
    const bench = new TransferBench({ firstBurstLengthBytes: 256 * KIB });
    const count = DORMANT_BYTES_MAX / (256 * KIB);
    const tasks = Array.from({ length: count + 2 }, (_, index) => {
      const task = bench.task({ expectedOutBytes: 512 * KIB, tag: index });
      task.dataOut.expectUnsolicited();
      return task;
    });
    for (const task of tasks) {
      task.dataOut.begin(DATA, 0, 128 * KIB);
      const data = DATA.subarray(128 * KIB, 256 * KIB);
      sendDataOut(task, { at: 128 * KIB, data });
    }
    expect(
      bench.responses.map(({ initiatorTaskTag, status }) => [initiatorTaskTag, status]),
    ).toEqual([
      [count, Status.taskSetFull],
      [count + 1, Status.taskSetFull],
    ]);
    bench.abort(tasks[0] as IscsiTask);
    tasks[1]?.transferOut(bench.volume, 0, 256 * KIB, false);
    expect(written(bench, 256 * KIB, 0)).toBe(true);
    for (let index = 0; index < 4; index += 1) {
      expect(bench.credit.hold(128 * KIB), `${index}`).toBe(true);
    }
    expect(bench.credit.hold(1)).toBe(false);
  });
});

describe("a write whose unit is taken away", () => {
  /** The first of two pieces is being written, the second was invited; `left` when nothing uses memory any more. */
  function half(): { bench: TransferBench; task: IscsiTask; left: boolean[] } {
    const bench = new TransferBench({ maxBurstLengthBytes: 256 * KIB, maxOutstandingR2t: 2 });
    bench.volume.cold = true;
    bench.volume.holding = true;
    const task = write(bench, { bytes: 512 * KIB });
    answer(bench, task, 64 * KIB, 0);
    const left: boolean[] = [];
    bench.expel(task, () => left.push(true));
    return { bench, task, left };
  }

  function expectUnsupported(bench: TransferBench): void {
    expect(bench.responses).toMatchObject([
      { status: 2, residualFlags: ResidualFlag.underflow, residualBytes: 512 * KIB },
    ]);
    expect([bench.sense.readUInt8(2) & 0xf, bench.sense.readUInt8(12)]).toEqual([5, 0x25]);
    expect(bench.debts).toEqual(NO_DEBTS);
  }

  it("is answered when what is written has ended and what was invited has come", () => {
    const { bench, task, left } = half();
    expect([bench.responses, left]).toEqual([[], []]);
    bench.volume.release();
    expect([bench.responses, left]).toEqual([[], [true]]);
    answer(bench, task, 64 * KIB, 1);
    expect(bench.volume.submitted).toHaveLength(1);
    expectUnsupported(bench);
    expect(bench.retired).toEqual([task]);
    task.reset();
  });

  it("is answered in the other order as well", () => {
    const { bench, task } = half();
    answer(bench, task, 64 * KIB, 1);
    expect(bench.responses).toEqual([]);
    bench.volume.release();
    expect(bench.volume.submitted).toHaveLength(1);
    expectUnsupported(bench);
  });

  it("gives back what was put together, and its place in the line for credit", () => {
    const bench = new TransferBench();
    bench.volume.cold = true;
    const task = write(bench, { bytes: 512 * KIB });
    const { targetTransferTag: tag = 0 } = bench.invitations[0] ?? {};
    sendDataOut(task, { at: 0, data: DATA.subarray(0, 4096), tag, final: false });
    expect(bench.pools.lentBytes).not.toBe(0);
    bench.expel(task);
    expect(bench.pools.lentBytes).toBe(0);
    expect(bench.responses).toEqual([]);
    const rest = { at: 4096, data: DATA.subarray(4096, 512 * KIB), tag, dataSn: 1 };
    sendDataOut(task, rest);
    expectUnsupported(bench);
  });

  it("is answered once although what compares its data is still reading", () => {
    const bench = new TransferBench({ maxBurstLengthBytes: 256 * KIB, maxOutstandingR2t: 2 });
    bench.volume.cold = true;
    bench.volume.holding = true;
    const task = bench.task({ expectedOutBytes: 512 * KIB });
    task.writes = false;
    task.transferOut(new CompareSink(bench.volume, 0), 0, 512 * KIB, false);
    task.dataOut.begin(NOTHING, 0, 0);
    answer(bench, task, 64 * KIB, 0);
    expect(task.ioRunning).toBe(true);
    const left: boolean[] = [];
    bench.expel(task, () => left.push(true));
    expect(bench.responses).toEqual([]);
    answer(bench, task, 64 * KIB, 1);
    expect([bench.responses.length, bench.reused, left]).toEqual([1, [], []]);
    while (bench.volume.held.length !== 0) bench.volume.release();
    expect([bench.reused, left]).toEqual([[task], [true]]);
    expectUnsupported(bench);
  });
});
