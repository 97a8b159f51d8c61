import { describe, expect, it } from "vitest";
import { encodeDataOut } from "../../src/iscsi/pdu/data-out.ts";
import { encodeNopOut } from "../../src/iscsi/pdu/nop.ts";
import { RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { RejectReason } from "../../src/iscsi/pdu/reject.ts";
import { FIRST_CMD_SN, FullFeatureBench } from "./support/full-feature-bench.ts";
import {
  WRITE_FLAGS,
  UNFINISHED_WRITE_FLAGS,
  answeredTags,
  writeCdb,
  LUN,
} from "./support/full-feature-steps.ts";

describe("a command that contradicts itself or the login", () => {
  const data = Buffer.alloc(512);
  it.each([
    ["data of a command that writes nothing", { data }, {}],
    ["no F bit without data", { flags: 0x01 }, {}],
    [
      "immediate data beyond what is expected",
      { flags: WRITE_FLAGS, data, expectedDataTransferBytes: 511 },
      {},
    ],
    ["immediate data, which are off", { flags: WRITE_FLAGS, data }, { immediateData: false }],
    [
      "immediate data beyond FirstBurstLength",
      { flags: WRITE_FLAGS, data },
      { firstBurstLengthBytes: 511 },
    ],
    [
      "unsolicited data, which are off",
      { flags: UNFINISHED_WRITE_FLAGS, expectedDataTransferBytes: 512 },
      {},
    ],
  ])("is rejected: %s", (_what, fields, parameters) => {
    const bench = new FullFeatureBench();
    Object.assign(bench.parameters, parameters);
    bench.command(1, FIRST_CMD_SN, { cdb: writeCdb(1), ...fields });
    expect(bench.rejects).toEqual([RejectReason.invalidPduField]);
    expect(bench.session.tasks.size).toBe(0);
    expect(bench.fullFeature.expCmdSn).toBe(FIRST_CMD_SN + 1);
  });

  it("is rejected: a tag that is in use, and none at all", () => {
    const bench = new FullFeatureBench();
    bench.fake.volume.holding = true;
    const cdb = Buffer.from([0x35, ...Buffer.alloc(15)]);
    bench.command(1, FIRST_CMD_SN, { cdb });
    bench.command(1, FIRST_CMD_SN + 1, { cdb });
    bench.command(RESERVED_TAG, FIRST_CMD_SN + 2, { cdb });
    expect(bench.rejects).toEqual([RejectReason.taskInProgress, RejectReason.invalidPduField]);
    bench.fake.volume.release();
    expect(answeredTags(bench)).toEqual([1]);
  });
});

describe("data that are damaged", () => {
  it("end the stream, with a Reject, where a command came with them", () => {
    const bench = new FullFeatureBench();
    const header = Buffer.alloc(48);
    encodeNopOut(
      header,
      0,
      {
        lun: LUN,
        initiatorTaskTag: 1,
        targetTransferTag: RESERVED_TAG,
        immediate: true,
        cmdSn: 100,
        expStatSn: 0,
      },
      4,
    );
    expect(() => bench.receive(header, Buffer.alloc(4), false)).toThrow(
      expect.objectContaining({ rejectReason: RejectReason.dataDigestError }),
    );
  });

  it("fail the command that they belong to, once the sequence has ended", () => {
    const bench = new FullFeatureBench();
    bench.command(1, FIRST_CMD_SN, {
      flags: WRITE_FLAGS,
      expectedDataTransferBytes: 1024,
      cdb: writeCdb(2),
    });
    const [invitation] = bench.invitations;
    const dataOut = (final: boolean, dataSn: number, good: boolean): void => {
      const header = Buffer.alloc(48);
      encodeDataOut(header, 0, {
        final,
        lun: LUN,
        initiatorTaskTag: 1,
        targetTransferTag: invitation?.targetTransferTag ?? 0,
        expStatSn: 0,
        dataSn,
        bufferOffset: 512 * dataSn,
        dataSegmentBytes: 512,
      });
      bench.receive(header, Buffer.alloc(512), good);
    };
    dataOut(false, 0, false);
    expect(bench.rejects).toEqual([RejectReason.dataDigestError]);
    expect(bench.responses).toEqual([]);
    dataOut(true, 1, true);
    expect(bench.responses).toMatchObject([{ status: 2, initiatorTaskTag: 1 }]);
    expect(bench.sense.readUInt8(12)).toBe(0x47);
    dataOut(true, 0, true);
    expect(bench.rejects.at(-1)).toBe(RejectReason.invalidPduField);
    expect(bench.credit.invite(2 ** 40)).toBe(true);
  });
});

/** Sends the `dataSn`-th 32 KiB of what an R2T invites. */
function sendPiece(
  bench: FullFeatureBench,
  invitation: FullFeatureBench["invitations"][number] | undefined,
  dataSn: number,
  good: boolean,
): void {
  if (invitation === undefined) throw new Error("nobody invited these data");
  const pieceBytes = 32 * 1024;
  const header = Buffer.alloc(48);
  const at = dataSn * pieceBytes;
  encodeDataOut(header, 0, {
    final: at + pieceBytes === invitation.desiredDataTransferBytes,
    lun: LUN,
    initiatorTaskTag: 1,
    targetTransferTag: invitation.targetTransferTag,
    expStatSn: 0,
    dataSn,
    bufferOffset: invitation.bufferOffset + at,
    dataSegmentBytes: pieceBytes,
  });
  bench.receive(header, Buffer.alloc(pieceBytes), good);
}

/** A bench with a command under way whose first 256 KiB are being written, and 256 more invited. */
function benchWithHeldWrite(): FullFeatureBench {
  const bench = new FullFeatureBench();
  const { volume } = bench.fake;
  volume.cold = true;
  volume.holding = true;
  bench.parameters.maxOutstandingR2t = 2;
  const blocks = 1024;
  bench.command(1, FIRST_CMD_SN, {
    flags: WRITE_FLAGS,
    expectedDataTransferBytes: blocks * 512,
    cdb: writeCdb(blocks),
  });
  const [first] = bench.invitations;
  for (let dataSn = 0; dataSn < 8; dataSn += 1) sendPiece(bench, first, dataSn, true);
  expect(volume.held).toHaveLength(1);
  return bench;
}

// The connection was dropped before, which libiscsi's test of wrong DataSNs took for an accident once in a while.
describe("data that are damaged while others of their command are being written", () => {
  it("fail the command when both the write and the sequence have ended, the write first", () => {
    const bench = benchWithHeldWrite();
    const [, second] = bench.invitations;
    for (let dataSn = 0; dataSn < 7; dataSn += 1) sendPiece(bench, second, dataSn, dataSn !== 3);
    bench.fake.volume.release();
    expect(bench.responses).toEqual([]);
    sendPiece(bench, second, 7, true);
    expect(bench.responses).toMatchObject([{ status: 2, initiatorTaskTag: 1 }]);
    expect(bench.sense.readUInt8(12)).toBe(0x47);
    expect(bench.rejects).toEqual([RejectReason.dataDigestError]);
    expect(bench.session.tasks.size).toBe(0);
    expect(bench.credit.invite(2 ** 40)).toBe(true);
  });

  it("fail the command when both have ended, the sequence first, however often they are damaged", () => {
    const bench = benchWithHeldWrite();
    const [, second] = bench.invitations;
    for (let dataSn = 0; dataSn < 8; dataSn += 1) sendPiece(bench, second, dataSn, dataSn < 6);
    expect(bench.rejects).toEqual([RejectReason.dataDigestError, RejectReason.dataDigestError]);
    expect(bench.responses).toEqual([]);
    bench.fake.volume.release();
    expect(bench.responses).toMatchObject([{ status: 2, initiatorTaskTag: 1 }]);
    expect(bench.sense.readUInt8(12)).toBe(0x47);
    expect(bench.session.tasks.size).toBe(0);
    expect(bench.credit.invite(2 ** 40)).toBe(true);
  });

  it("fail it so, too, when one is missing", () => {
    const bench = benchWithHeldWrite();
    const [, second] = bench.invitations;
    for (let dataSn = 1; dataSn < 8; dataSn += 1) sendPiece(bench, second, dataSn, true);
    expect(bench.rejects).toEqual([RejectReason.protocolError]);
    bench.fake.volume.release();
    expect(bench.responses).toMatchObject([{ status: 2, initiatorTaskTag: 1 }]);
    expect(bench.sense.readUInt8(12)).toBe(0x47);
  });
});

describe("data for a task whose unit was taken away", () => {
  it("are dropped, damaged ones too, until the last has come: the session goes on", () => {
    const bench = benchWithHeldWrite();
    const { volume, target } = bench.fake;
    const [, second] = bench.invitations;
    target.device.detach(0, () => undefined);
    for (let dataSn = 0; dataSn < 7; dataSn += 1) sendPiece(bench, second, dataSn, dataSn !== 3);
    expect(bench.rejects).toEqual([RejectReason.dataDigestError]);
    volume.release();
    expect(bench.responses).toEqual([]);
    sendPiece(bench, second, 7, true);
    expect(bench.responses).toMatchObject([{ status: 2, initiatorTaskTag: 1 }]);
    expect(bench.sense.readUInt8(12)).toBe(0x25);
    expect(bench.session.tasks.size).toBe(0);
    expect(bench.rejects).toHaveLength(1);
  });
});
