import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { framePdu } from "../../src/initiator/connection.ts";
import { cdb16 } from "../../src/initiator/scsi.ts";
import { encodeDataOut } from "../../src/iscsi/pdu/data-out.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { RejectReason } from "../../src/iscsi/pdu/reject.ts";
import { InProcessTarget } from "../support/in-process-target.ts";
import { RawSession, senseOf, statusOf, TEST_UNIT_READY } from "./support/raw-session.ts";

const DIGESTS = { header: "required", data: "required" } as const;

/** Lets the next PDU leave with one bit of one byte turned; `at` counts from the end where negative. */
function damageNext(session: RawSession, at: number): void {
  const { connection } = session;
  const nothing = new Uint8Array(0);
  connection.send = (header: Uint8Array, data?: Uint8Array, additional?: Uint8Array): void => {
    Reflect.deleteProperty(connection, "send");
    const frame = framePdu(header, additional ?? nothing, data ?? nothing, connection.digests);
    const index = at < 0 ? frame.length + at : at;
    frame[index] = (frame[index] ?? 0) ^ 0x10;
    connection.sendBytes(frame);
  };
}

describe("digests, RFC 7143 7.8", () => {
  let target: InProcessTarget;
  beforeAll(async () => {
    target = await InProcessTarget.start();
  });
  afterAll(async () => {
    await target.close();
  });

  it.each([0, 1, 16, 20, 47, 48, 51])(
    "a header that differs in byte %i ends the connection without an answer",
    async (at) => {
      const session = await RawSession.open(target, { digests: DIGESTS });
      damageNext(session, at);
      session.command({ tag: 1, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn });
      await session.expectClosed();
    },
  );

  it("an additional header is under the header digest", async () => {
    const session = await RawSession.open(target, { digests: DIGESTS });
    const additionalHeader = Uint8Array.of(0, 5, 1, 0, 1, 2, 3, 4);
    const fields = { cdb: TEST_UNIT_READY, additionalHeader };
    session.command({ tag: 1, cmdSn: session.cmdSn++, ...fields });
    await session.expectResponse(1, 0);
    damageNext(session, 52);
    session.command({ tag: 2, cmdSn: session.cmdSn++, ...fields });
    await session.expectClosed();
  });

  it("immediate data that differ are rejected, and end a session that cannot recover the command", async () => {
    const session = await RawSession.open(target, { digests: DIGESTS });
    damageNext(session, 60);
    session.write(1, 1, Buffer.alloc(512, 1));
    await session.expectReject(2);
    await session.expectClosed();
  });

  it.each([
    ["data", 60],
    ["padding", -5],
    ["digest", -1],
  ])("a ping whose %s differ is rejected", async (_name, at) => {
    const session = await RawSession.open(target, { digests: DIGESTS });
    damageNext(session, at);
    session.nop(7, session.cmdSn, true, Buffer.from("odd length..."));
    await session.expectReject(2);
  });

  it("solicited data that differ are rejected, and the command fails when all has come", async () => {
    const offers = { initialR2t: true, immediateData: false, maxBurstLength: 1024 };
    const session = await RawSession.open(target, { digests: DIGESTS, offers });
    session.write(1, 2);
    const r2t = await session.expectR2t(1);
    damageNext(session, 70);
    const tag = r2t.targetTransferTag;
    session.dataOut(1, tag, { dataSn: 0, bufferOffset: 0, final: false }, Buffer.alloc(512, 2));
    session.dataOut(1, tag, { dataSn: 1, bufferOffset: 512, final: true }, Buffer.alloc(512, 2));
    await session.expectReject(2);
    const response = await session.receive();
    expect(statusOf(response)).toBe(2);
    // PROTOCOL SERVICE CRC ERROR, as RFC 7143 11.4.7.2 has it.
    expect(senseOf(response)).toBe("11/47/05");
    await session.expectAlive();
  });

  it("unsolicited data that differ leave the disk and the session usable", async () => {
    const session = await RawSession.open(target, { digests: DIGESTS });
    session.write(1, 2, Buffer.alloc(512, 3), false);
    damageNext(session, 70);
    const place = { dataSn: 0, bufferOffset: 512, final: true };
    session.dataOut(1, RESERVED_TAG, place, Buffer.alloc(512, 3));
    await session.expectReject(2);
    await session.expectResponse(1, 2);
    session.read(2, 1);
    await session.expect(Opcode.dataIn, 2);
  });

  it("only one of the two may be on", async () => {
    for (const digests of [
      { header: "required", data: "none" },
      { header: "none", data: "required" },
    ] as const) {
      const session = await target.connect({ digests });
      await session.execute({ lun: 0, cdb: TEST_UNIT_READY });
      const data = Buffer.alloc(8192, 9);
      const write = { lun: 0, cdb: cdb16(0x8a, 0, 16), dataOut: data };
      expect((await session.execute(write)).status).toBe(0);
      const read = { lun: 0, cdb: cdb16(0x88, 0, 16), expectedInBytes: 8192 };
      expect(Buffer.compare((await session.execute(read)).dataIn, data)).toBe(0);
      await session.logout();
    }
  });

  it("a wrong digest on data for no task is rejected too", async () => {
    const session = await RawSession.open(target, { digests: DIGESTS });
    const header = new Uint8Array(48);
    encodeDataOut(header, 0, {
      final: true,
      lun: new Uint8Array(8),
      initiatorTaskTag: 4242,
      targetTransferTag: 1,
      expStatSn: 0,
      dataSn: 0,
      bufferOffset: 0,
      dataSegmentBytes: 4,
    });
    damageNext(session, 53);
    session.connection.send(header, Buffer.from("data"));
    await session.expectReject(RejectReason.invalidPduField);
    await session.expectAlive();
  });
});
