import { afterEach, describe, expect, it } from "vitest";

import type { ReceivedPdu } from "../../src/initiator/pdu-reader.ts";
import { Connection } from "../../src/iscsi/connection.ts";
import {
  RECEIVE_BUFFER_BYTES,
  SEND_CHUNK_BYTES,
  SEND_QUEUE_BYTES_MAX,
} from "../../src/iscsi/limits.ts";
import { initiatorTaskTagOf, opcodeOf } from "../../src/iscsi/pdu/basic-header.ts";
import { encodeNopOut } from "../../src/iscsi/pdu/nop.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { encodeTextRequest } from "../../src/iscsi/pdu/text.ts";
import { eventually, InProcessTarget, type TargetSpec } from "../support/in-process-target.ts";

let target: InProcessTarget | null = null;

afterEach(async () => {
  await target?.close();
  expect(target?.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
  target = null;
});

function nopOut(tag: number, data: Buffer): Buffer {
  const header = Buffer.alloc(48);
  const tags = { initiatorTaskTag: tag, targetTransferTag: RESERVED_TAG };
  const fields = { ...tags, lun: new Uint8Array(8), immediate: true, cmdSn: 0, expStatSn: 0 };
  encodeNopOut(header, 0, fields, data.length);
  return Buffer.concat([header, data]);
}

function sendTargets(tag: number): Buffer {
  const header = Buffer.alloc(48);
  const text = Buffer.from("SendTargets=All\0");
  const fields = {
    immediate: true,
    final: true,
    continued: false,
    initiatorTaskTag: tag,
    targetTransferTag: RESERVED_TAG,
    cmdSn: 0,
    expStatSn: 0,
  };
  encodeTextRequest(header, 0, fields, text.length);
  return Buffer.concat([header, text]);
}

describe("Connection", () => {
  it("gives every answer of its own a number, and shows the next one elsewhere", async () => {
    expect(Connection.name).toBe("Connection");
    target = await InProcessTarget.start();
    const session = await target.connect();
    const seen: ReceivedPdu[] = [];
    session.connection.listen(
      (pdu) => seen.push(pdu),
      () => undefined,
    );
    for (let tag = 1; tag <= 3; tag += 1)
      session.connection.sendBytes(nopOut(tag, Buffer.alloc(0)));
    await eventually(() => seen.length === 3, "all are answered");
    const numbers = seen.map(({ header }) => Buffer.from(header).readUInt32BE(24));
    const [first = 0] = numbers;
    expect(numbers).toEqual([first, first + 1, first + 2]);
  });

  it("shows the header of what it rejects", async () => {
    target = await InProcessTarget.start();
    const session = await target.connect();
    const seen: ReceivedPdu[] = [];
    session.connection.listen(
      (pdu) => seen.push(pdu),
      () => undefined,
    );
    const header = Buffer.alloc(48, 0x11);
    header.writeUInt8(0x5f, 0);
    header.writeUInt32BE(0, 4);
    session.connection.sendBytes(header);
    await eventually(() => seen.length === 1, "it is rejected");
    const [pdu] = seen;
    expect(opcodeOf(pdu?.header ?? header, 0)).toBe(Opcode.reject);
    expect(Buffer.from(pdu?.data ?? []).equals(header)).toBe(true);
  });

  /** What one received chunk asked for was queued to the end: hundreds of megabytes for one that asked for lists. */
  it("queues no more than its limit, however much a peer asks for that does not read", async () => {
    const targets: TargetSpec[] = Array.from({ length: 60 }, (_, index) => ({
      name: `iqn.2026-11.net.example:${"d".repeat(150)}${index}`,
    }));
    target = await InProcessTarget.start({ targets });
    const session = await target.connect({ sessionType: "discovery" });
    const { connection } = session;
    const tags: number[] = [];
    let lentBytesMax = 0;
    connection.socket.pause();
    connection.listen(
      ({ header }) => tags.push(initiatorTaskTagOf(header, 0)),
      () => undefined,
    );
    const count = 2000;
    const stream = Buffer.concat(Array.from({ length: count }, (_, index) => sendTargets(index)));
    expect(stream.length).toBeLessThan(RECEIVE_BUFFER_BYTES);
    connection.sendBytes(stream);
    for (let turn = 0; turn < 300; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      lentBytesMax = Math.max(lentBytesMax, target.server.statistics.lentBytes);
    }
    expect(lentBytesMax).toBeGreaterThan(0);
    expect(lentBytesMax).toBeLessThan(SEND_QUEUE_BYTES_MAX + 3 * SEND_CHUNK_BYTES);
    connection.socket.resume();
    await eventually(() => tags.length === count, "all are answered");
    expect(tags.every((tag, index) => tag === index)).toBe(true);
  });

  it("echoes long pings byte for byte, in order, while it holds back what is too much", async () => {
    target = await InProcessTarget.start();
    const session = await target.connect();
    const { connection } = session;
    const seen: string[] = [];
    connection.socket.pause();
    connection.listen(
      ({ header, data }) => {
        const tag = initiatorTaskTagOf(header, 0);
        const same = Buffer.from(data).equals(Buffer.alloc(200_000, tag));
        seen.push(`${tag} ${same}`);
      },
      () => undefined,
    );
    for (let tag = 1; tag <= 60; tag += 1) {
      connection.sendBytes(nopOut(tag, Buffer.alloc(200_000, tag)));
    }
    for (let turn = 0; turn < 100; turn += 1) await new Promise((done) => setImmediate(done));
    // Of a chunk that two of them fill, a quarter stays free.
    expect(target.server.statistics.lentBytes).toBeLessThan(2 * SEND_QUEUE_BYTES_MAX);
    connection.socket.resume();
    await eventually(() => seen.length === 60, "all are answered");
    expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => `${index + 1} true`));
  });
});
