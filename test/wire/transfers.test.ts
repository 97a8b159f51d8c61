import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cdb16 } from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { decodeDataIn } from "../../src/iscsi/pdu/data-in.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { RejectReason } from "../../src/iscsi/pdu/reject.ts";
import { decodeReadyToTransfer } from "../../src/iscsi/pdu/ready-to-transfer.ts";
import { decodeScsiResponse, ResidualFlag } from "../../src/iscsi/pdu/scsi-response.ts";

import { InProcessTarget } from "../support/in-process-target.ts";
import { RawSession, senseOf, WRITE_FLAGS } from "./support/raw-session.ts";

let target: InProcessTarget;
beforeAll(async () => {
  target = await InProcessTarget.start();
});
afterAll(async () => {
  await target.close();
});

function numbered(lengthBytes: number): Buffer {
  return Buffer.from(
    Uint8Array.from({ length: lengthBytes }, (_, index) => index * 7 + (index >> 9)),
  );
}

const SMALL = { maxRecvDataSegmentLength: 1024, maxBurstLength: 4096, firstBurstLength: 2048 };

describe("Data-In, RFC 7143 11.7", () => {
  it("is cut to the initiator's segments, numbered, in bursts, with the status in the last", async () => {
    const session = await RawSession.open(target, { offers: SMALL });
    session.read(1, 20);
    for (let dataSn = 0; dataSn < 10; dataSn += 1) {
      const pdu = await session.expect(Opcode.dataIn, 1);
      const fields = decodeDataIn(pdu.header, 0);
      expect(fields).toMatchObject({ dataSn, bufferOffset: dataSn * 1024, status: 0 });
      expect(fields.targetTransferTag).toBe(RESERVED_TAG);
      expect(pdu.data).toHaveLength(1024);
      // F ends each burst of 4 KiB, and S comes with the very last.
      expect(fields.flags & 0x80, `F of ${dataSn}`).toBe(
        dataSn % 4 === 3 || dataSn === 9 ? 0x80 : 0,
      );
      expect(fields.flags & 0x01, `S of ${dataSn}`).toBe(dataSn === 9 ? 1 : 0);
    }
    await session.expectAlive();
  });

  it.each([
    ["the same length", 4096, "none", 0, 4096],
    ["less than the initiator has room for", 8192, "underflow", 4096, 4096],
    ["more than the initiator has room for", 1000, "overflow", 3096, 1000],
    ["more than the initiator has room for, by one byte", 4095, "overflow", 1, 4095],
  ] as const)("counts what is %s", async (_name, expectedInBytes, kind, bytes, received) => {
    const session = await target.connect();
    await session.execute({ lun: 0, cdb: new Uint8Array(6) });
    const result = await session.execute({ lun: 0, cdb: cdb16(0x88, 0, 8), expectedInBytes });
    expect(result.status).toBe(0);
    expect(result.residual).toEqual({ kind, bytes });
    expect(result.dataIn).toHaveLength(received);
    expect(result.statusInData).toBe(true);
  });

  it("is left out where the initiator has no room at all", async () => {
    const session = await target.connect();
    await session.execute({ lun: 0, cdb: new Uint8Array(6) });
    const result = await session.execute({ lun: 0, cdb: cdb16(0x88, 0, 8) });
    expect(result).toMatchObject({ status: 0, dataInPdus: 0 });
    expect(result.residual).toEqual({ kind: "overflow", bytes: 4096 });
  });
});

async function open(offers: Parameters<InProcessTarget["connect"]>[0]): Promise<InitiatorSession> {
  const session = await target.connect(offers ?? {});
  await session.execute({ lun: 0, cdb: new Uint8Array(6) });
  return session;
}

describe("Data-Out, RFC 7143 4.2.5.2", () => {
  const modes = [
    [{ initialR2t: true, immediateData: false }],
    [{ initialR2t: true, immediateData: true }],
    [{ initialR2t: false, immediateData: false }],
    [{ initialR2t: false, immediateData: true }],
  ] as const;

  it.each(modes)("takes writes of any size with %j", async (mode) => {
    const session = await open({ offers: { ...mode, ...SMALL } });
    for (const blocks of [1, 2, 3, 4, 5, 8, 16, 33, 300]) {
      const data = numbered(blocks * 512);
      const write = await session.execute({ lun: 0, cdb: cdb16(0x8a, 40, blocks), dataOut: data });
      expect(write).toMatchObject({ status: 0, residual: { kind: "none" } });
      const cdb = cdb16(0x88, 40, blocks);
      const read = await session.execute({ lun: 0, cdb, expectedInBytes: data.length });
      expect(Buffer.compare(read.dataIn, data)).toBe(0);
    }
  });

  it("asks for bursts no longer than agreed, several at a time, numbered without gaps", async () => {
    const offers = { ...SMALL, initialR2t: true, immediateData: false, maxOutstandingR2t: 3 };
    const session = await RawSession.open(target, { offers });
    const data = numbered(20_480);
    session.write(1, 40);
    const answered: number[] = [];
    for (let r2tSn = 0; r2tSn < 5; r2tSn += 1) {
      const r2t = await session.expectR2t(1);
      expect(r2t).toMatchObject({
        r2tSn,
        bufferOffset: r2tSn * 4096,
        desiredDataTransferBytes: 4096,
      });
      answered.push(r2t.targetTransferTag);
      // The first three come without an answer; each further one after one was answered.
      if (r2tSn < 2) continue;
      const index = r2tSn - 2;
      sendBurst(session, answered[index] ?? 0, data, index * 4096);
    }
    sendBurst(session, answered[3] ?? 0, data, 3 * 4096);
    sendBurst(session, answered[4] ?? 0, data, 4 * 4096);
    const response = await session.expectResponse(1, 0);
    expect(decodeScsiResponse(response.header, 0)).toMatchObject({
      residualFlags: 0,
      // It counts Data-In alone (RFC 7143 11.4.8).
      expDataSn: 0,
    });
    expect(new Set(answered).size).toBe(5);
  });

  function sendBurst(session: RawSession, tag: number, data: Buffer, offset: number): void {
    for (let dataSn = 0; dataSn < 4; dataSn += 1) {
      const start = offset + dataSn * 1024;
      const place = { dataSn, bufferOffset: start, final: dataSn === 3 };
      session.dataOut(1, tag, place, data.subarray(start, start + 1024));
    }
  }

  it("asks for no more than FirstBurst left over", async () => {
    const session = await RawSession.open(target, { offers: SMALL });
    session.write(1, 8, numbered(1024), false);
    session.dataOut(
      1,
      RESERVED_TAG,
      { dataSn: 0, bufferOffset: 1024, final: true },
      numbered(1024),
    );
    const r2t = await session.expectR2t(1);
    expect(r2t).toMatchObject({ bufferOffset: 2048, desiredDataTransferBytes: 2048, r2tSn: 0 });
    const place = { dataSn: 0, bufferOffset: 2048, final: true };
    session.dataOut(1, r2t.targetTransferTag, place, numbered(2048));
    await session.expectResponse(1, 0);
  });

  it("takes an empty final Data-Out as the end of what comes unasked", async () => {
    const session = await RawSession.open(target, { offers: SMALL });
    session.write(1, 2, numbered(512), false);
    session.dataOut(1, RESERVED_TAG, { dataSn: 0, bufferOffset: 512, final: true }, numbered(0));
    const r2t = await session.expectR2t(1);
    expect(r2t).toMatchObject({ bufferOffset: 512, desiredDataTransferBytes: 512 });
    const place = { dataSn: 0, bufferOffset: 512, final: true };
    session.dataOut(1, r2t.targetTransferTag, place, numbered(512));
    await session.expectResponse(1, 0);
  });

  it.each([
    ["gives more than the command takes", 8192, "underflow", 4096],
    ["gives less than the command takes", 2048, "overflow", 2048],
    ["gives nothing", 0, "overflow", 4096],
  ] as const)("counts the residual where the initiator %s", async (_name, given, kind, bytes) => {
    for (const mode of [{}, { initialR2t: true, immediateData: false }]) {
      const session = await open({ offers: { ...SMALL, ...mode } });
      const cdb = cdb16(0x8a, 0, 8);
      const result = await session.execute({ lun: 0, cdb, dataOut: numbered(given) });
      expect(result.residual).toEqual({ kind, bytes });
    }
  });

  it("solicits nothing for a command that fails, and drops what it brought unasked", async () => {
    const session = await RawSession.open(target);
    const flags = WRITE_FLAGS;
    const fields = { cdb: cdb16(0x8a, 2 ** 40, 1000), expectedBytes: 512_000, flags };
    session.command({ tag: 1, cmdSn: session.cmdSn++, data: numbered(512), ...fields });
    session.dataOut(1, RESERVED_TAG, { dataSn: 0, bufferOffset: 512, final: true }, numbered(512));
    const response = await session.expectResponse(1, 2);
    expect(senseOf(response)).toBe("5/21/00");
    expect(decodeScsiResponse(response.header, 0)).toMatchObject({
      residualFlags: ResidualFlag.underflow,
      residualBytes: 512_000,
    });
    await session.expectAlive();
  });

  it("moves 16 MiB in one command, both ways", async () => {
    const session = await open({});
    const data = numbered(16 * 1024 * 1024);
    const blocks = data.length / 512;
    const write = await session.execute({ lun: 0, cdb: cdb16(0x8a, 8, blocks), dataOut: data });
    expect(write).toMatchObject({ status: 0, residual: { kind: "none" } });
    const command = { lun: 0, cdb: cdb16(0x88, 8, blocks), expectedInBytes: data.length };
    const read = await session.execute(command);
    expect(Buffer.compare(read.dataIn, data)).toBe(0);
  });
});

describe("Data-Out that is wrong", () => {
  const offers = { ...SMALL, initialR2t: true, immediateData: false };

  async function soliciting(): Promise<{ session: RawSession; tag: number }> {
    const session = await RawSession.open(target, { offers });
    session.write(1, 8);
    const pdu = await session.expect(Opcode.readyToTransfer, 1);
    return { session, tag: decodeReadyToTransfer(pdu.header, 0).targetTransferTag };
  }

  /** A Reject says why, and the session ends: at recovery level 0 the command cannot go on. No other session minds. */
  async function expectRefused(session: RawSession): Promise<void> {
    await session.expectReject(RejectReason.invalidPduField);
    await session.expectClosed();
    const other = await open({});
    expect((await other.execute({ lun: 0, cdb: new Uint8Array(6) })).status).toBe(0);
    await other.logout();
  }

  it("for a task that is not there is rejected, and nothing else happens", async () => {
    const session = await RawSession.open(target);
    session.dataOut(99, 5, { dataSn: 0, bufferOffset: 0, final: true }, numbered(512));
    await session.expectReject(9);
    await session.expectAlive();
  });

  it("with a transfer tag that was not given out", async () => {
    const { session, tag } = await soliciting();
    const place = { dataSn: 0, bufferOffset: 0, final: true };
    session.dataOut(1, (tag + 1000) >>> 0, place, numbered(1024));
    await expectRefused(session);
  });

  it("with a DataSN that is not the next", async () => {
    const { session, tag } = await soliciting();
    session.dataOut(1, tag, { dataSn: 5, bufferOffset: 0, final: true }, numbered(1024));
    await session.expectReject(RejectReason.protocolError);
    // RFC 7143 7.9: data were lost, so the command fails once what was invited has been sent.
    expect(senseOf(await session.expectResponse(1, 2))).toBe("11/47/05");
    await session.expectAlive();
  });

  it("beyond what the R2T asked for", async () => {
    const { session, tag } = await soliciting();
    session.dataOut(1, tag, { dataSn: 0, bufferOffset: 0, final: true }, numbered(8192));
    await expectRefused(session);
  });

  it("at an offset out of order", async () => {
    const { session, tag } = await soliciting();
    session.dataOut(1, tag, { dataSn: 0, bufferOffset: 2048, final: false }, numbered(1024));
    await expectRefused(session);
  });

  it("at an offset beyond the end of the command", async () => {
    const { session, tag } = await soliciting();
    session.dataOut(1, tag, { dataSn: 0, bufferOffset: 0xffff_fff0, final: true }, numbered(1024));
    await expectRefused(session);
  });

  it("that ends before the R2T is fulfilled", async () => {
    const { session, tag } = await soliciting();
    session.dataOut(1, tag, { dataSn: 0, bufferOffset: 0, final: true }, numbered(512));
    await expectRefused(session);
  });

  it("unasked, where that was negotiated off", async () => {
    const session = await RawSession.open(target, { offers });
    session.write(1, 8, numbered(512), true);
    await session.expectReject(9);
    session.write(2, 8, numbered(0), false);
    await session.expectReject(9);
    await session.expectAlive();
  });

  it("unasked, and more than FirstBurstLength", async () => {
    const session = await RawSession.open(target, { offers: SMALL });
    session.write(1, 8, numbered(1024), false);
    session.dataOut(
      1,
      RESERVED_TAG,
      { dataSn: 0, bufferOffset: 1024, final: false },
      numbered(1024),
    );
    session.dataOut(
      1,
      RESERVED_TAG,
      { dataSn: 1, bufferOffset: 2048, final: true },
      numbered(1024),
    );
    await expectRefused(session);
  });

  it("immediate, with a command that reads, or longer than expected", async () => {
    const session = await RawSession.open(target);
    const cdb = cdb16(0x88, 0, 1);
    const cmdSn = session.cmdSn++;
    session.command({ tag: 1, cdb, cmdSn, flags: 0xc1, expectedBytes: 512, data: numbered(512) });
    await session.expectReject(9);
    session.write(2, 1, numbered(1024));
    await session.expectReject(9);
    await session.expectAlive();
  });

  it("leaves the buffers of the server free", async () => {
    await target.close();
    expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
    target = await InProcessTarget.start();
  });
});
