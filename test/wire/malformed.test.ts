import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeText } from "../../src/initiator/text-keys.ts";
import { newCdb } from "../../src/initiator/scsi.ts";
import { TEXT_BYTES_MAX } from "../../src/iscsi/login/limits.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { RejectReason } from "../../src/iscsi/pdu/reject.ts";
import { TaskManagementResponse } from "../../src/scsi/task-management.ts";
import { getUint32BE, setUint24BE, setUint32BE } from "../../src/util/bytes.ts";
import { InProcessTarget } from "../support/in-process-target.ts";
import { RawSession, senseOf, TEST_UNIT_READY } from "./support/raw-session.ts";

const IMMEDIATE = 0x40;

describe("PDUs that make no sense", () => {
  let target: InProcessTarget;
  let witness: RawSession;
  beforeAll(async () => {
    target = await InProcessTarget.start();
    witness = await RawSession.open(target);
  });
  afterAll(async () => {
    await witness.expectAlive();
    await target.close();
  });

  const unchanged = (): void => undefined;

  it.each([0x07, 0x0f, 0x11, 0x1c, 0x1f, 0x20, 0x21, 0x25, 0x31, 0x3f])(
    "opcode %i is rejected, and the session goes on",
    async (opcode) => {
      const session = await RawSession.open(target);
      session.pdu(opcode | IMMEDIATE, unchanged);
      await session.expectReject(RejectReason.commandNotSupported);
      await session.expectAlive();
    },
  );

  it("a SNACK is rejected: recovery level 0 has none", async () => {
    const session = await RawSession.open(target);
    session.pdu(Opcode.snackRequest | IMMEDIATE, unchanged);
    await session.expectReject(RejectReason.snackReject);
    await session.expectAlive();
  });

  it("a login in full-feature phase ends the session", async () => {
    const session = await RawSession.open(target);
    session.pdu(Opcode.loginRequest | IMMEDIATE, unchanged);
    await session.expectReject(RejectReason.protocolError);
    await session.expectClosed();
  });

  it("a tag that is in use is rejected, and the command that has it goes on", async () => {
    const session = await RawSession.open(target, {
      offers: { initialR2t: true, immediateData: false },
    });
    session.write(1, 1);
    const r2t = await session.expectR2t(1);
    session.command({ tag: 1, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++ });
    await session.expectReject(RejectReason.taskInProgress);
    const place = { dataSn: 0, bufferOffset: 0, final: true };
    session.dataOut(1, r2t.targetTransferTag, place, Buffer.alloc(512));
    await session.expectResponse(1, 0);
  });

  it("the reserved tag on a command is rejected", async () => {
    const session = await RawSession.open(target);
    session.command({ tag: RESERVED_TAG, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++ });
    await session.expectReject(RejectReason.invalidPduField);
    await session.expectAlive();
  });

  it("a data segment longer than was declared ends the connection before it is held", async () => {
    const session = await RawSession.open(target);
    const before = process.memoryUsage().arrayBuffers;
    session.pdu(Opcode.nopOut | IMMEDIATE, (header) => setUint24BE(header, 5, 0xff_ffff));
    await session.expectClosed();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });

  it.each([
    ["an additional header that is longer than it is", Uint8Array.of(0xff, 0xff, 1, 0)],
    ["an additional header without a length", Uint8Array.of(0, 0, 1, 0)],
    ["an extended CDB that stops short", Uint8Array.of(0, 40, 1, 0, 1, 2, 3, 4)],
    [
      "an extended CDB that is too long",
      Buffer.concat([Uint8Array.of(1, 0, 1), Buffer.alloc(257)]),
    ],
    ["a read length of another length", Uint8Array.of(0, 4, 2, 0, 1, 2, 3, 0)],
    ["a good additional header and a bad one", Uint8Array.of(0, 5, 2, 0, 0, 0, 0, 9, 0, 9, 1, 0)],
  ])("%s is rejected, and the command does not run", async (_name, additionalHeader) => {
    const session = await RawSession.open(target);
    const fields = { cdb: TEST_UNIT_READY, additionalHeader };
    session.command({ tag: 1, cmdSn: session.cmdSn++, ...fields });
    await session.expectReject(RejectReason.invalidPduField);
    await session.expectAlive();
    session.command({ tag: 1, cmdSn: session.cmdSn++, cdb: TEST_UNIT_READY });
    await session.expectResponse(1, 0);
  });

  it.each([
    ["of a type that does not exist", Uint8Array.of(0, 5, 63, 0, 1, 2, 3, 4)],
    ["of 255 words", Buffer.concat([Uint8Array.of(0x03, 0xf9, 63), Buffer.alloc(1017)])],
  ])("an additional header %s is passed over", async (_name, additionalHeader) => {
    const session = await RawSession.open(target);
    const fields = { cdb: TEST_UNIT_READY, additionalHeader };
    session.command({ tag: 1, cmdSn: session.cmdSn++, ...fields });
    await session.expectResponse(1, 0);
    await session.expectAlive();
  });

  it("a CDB of 260 bytes is taken and judged", async () => {
    const session = await RawSession.open(target);
    const additionalHeader = new Uint8Array(248);
    additionalHeader.set([0, 245, 1, 0]);
    const cdb = newCdb(16, 0x7f);
    cdb[7] = 252;
    session.command({ tag: 1, cdb, cmdSn: session.cmdSn++, additionalHeader });
    const response = await session.expectResponse(1, 2);
    expect(senseOf(response)).toMatch(/^5\/2[04]\/00$/);
  });

  it.each([
    ["a key that is not one", "NoSuchKey=1\0", /NotUnderstood/],
    ["a key of the login", "MaxBurstLength=512\0", /^MaxBurstLength=Reject\0$/],
    ["no text at all", "", /^$/],
  ])("text with %s is answered", async (_name, text, answer) => {
    const session = await RawSession.open(target);
    session.pdu(Opcode.textRequest | IMMEDIATE, unchanged, Buffer.from(text));
    const pdu = await session.expect(Opcode.textResponse, 0x7777);
    expect(Buffer.from(pdu.data).toString()).toMatch(answer);
  });

  it.each([
    ["a pair without a value", "SendTargets\0"],
    ["no end of its last pair, and no more to come", "SendTargets=All"],
    ["the same key twice", "SendTargets=All\0SendTargets=All\0"],
    ["bytes that are not text", Buffer.from([0xff, 0xfe, 0x3d, 0xff, 0])],
  ])("text with %s is rejected, and the session goes on", async (_name, text) => {
    const session = await RawSession.open(target);
    session.pdu(Opcode.textRequest | IMMEDIATE, unchanged, Buffer.from(text));
    await session.expectReject(RejectReason.protocolError);
    await session.expectAlive();
  });

  it("text that goes on and on is cut off", async () => {
    const session = await RawSession.open(target);
    const data = Buffer.alloc(8192, "x");
    let targetTransferTag = RESERVED_TAG;
    const partial = (header: Uint8Array): void => {
      header[1] = 0x40;
      setUint32BE(header, 20, targetTransferTag);
    };
    for (let bytes = data.length; bytes <= TEXT_BYTES_MAX; bytes += data.length) {
      session.pdu(Opcode.textRequest | IMMEDIATE, partial, data);
      const pdu = await session.expect(Opcode.textResponse);
      targetTransferTag = getUint32BE(pdu.header, 20);
    }
    session.pdu(Opcode.textRequest | IMMEDIATE, partial, data);
    await session.expectReject(RejectReason.protocolError);
    await session.expectAlive();
  });

  it("a transfer tag in text that was not given out is rejected", async () => {
    const session = await RawSession.open(target);
    const stray = (header: Uint8Array): void => setUint32BE(header, 20, 0x1234);
    const text = encodeText([["SendTargets", "All"]]);
    session.pdu(Opcode.textRequest | IMMEDIATE, stray, text);
    await session.expectReject(RejectReason.protocolError);
    await session.expectAlive();
  });

  it.each([3, 127])(
    "a logout for the reason %i, which does not exist, is rejected",
    async (reason) => {
      const session = await RawSession.open(target);
      session.pdu(Opcode.logoutRequest | IMMEDIATE, (header) => (header[1] = 0x80 | reason));
      await session.expectReject(RejectReason.invalidPduField);
      await session.expectAlive();
    },
  );

  it.each([
    [8, TaskManagementResponse.taskReassignNotSupported],
    [50, TaskManagementResponse.functionNotSupported],
    [127, TaskManagementResponse.functionNotSupported],
  ])("task management function %i is refused with response %i", async (code, response) => {
    const session = await RawSession.open(target);
    session.pdu(Opcode.taskManagementRequest | IMMEDIATE, (header) => {
      header[1] = 0x80 | code;
    });
    const pdu = await session.expect(Opcode.taskManagementResponse);
    expect(pdu.header[2]).toBe(response);
    await session.expectAlive();
  });

  it("too many immediate commands are rejected, not kept", async () => {
    const session = await RawSession.open(target, {
      offers: { initialR2t: true, immediateData: false },
    });
    const cdb = newCdb(10, 0x2a);
    cdb[8] = 1;
    let rejected = 0;
    for (let tag = 0; tag < 300; tag += 1) {
      const flags = 0xa1;
      const fields = { cdb, flags, expectedBytes: 512, immediate: true };
      session.command({ tag, cmdSn: session.cmdSn, ...fields });
      const pdu = await session.receive();
      if (pdu.header[0] === Opcode.reject) rejected += 1;
      else expect(pdu.header[0]).toBe(Opcode.readyToTransfer);
    }
    expect(rejected).toBeGreaterThan(100);
    await session.expectAlive();
  });

  it("every refusal is in the log with its reason", () => {
    const rejected = target.log.filter(({ message }) => message === "PDU rejected");
    expect(rejected.length).toBeGreaterThan(20);
    for (const { level, fields } of rejected) {
      expect(level).toBe("warn");
      expect(fields).toMatchObject({
        peer: expect.stringContaining("127.0.0.1"),
        why: expect.any(String),
      });
    }
  });
});
