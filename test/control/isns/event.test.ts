import { duplexPair } from "node:stream";
import { describe, expect, it } from "vitest";
import {
  encodeAttributes,
  numberAttribute,
  textAttribute,
} from "../../../src/control/isns/attribute.ts";
import { answerEvent } from "../../../src/control/isns/event.ts";
import { EventServer } from "../../../src/control/isns/event-server.ts";
import {
  EVENT_BYTES_MAX,
  EVENT_CONNECTIONS_MAX,
  EVENT_IDLE_MS_MAX,
} from "../../../src/control/isns/limits.ts";
import { decodeAnswer, encodeMessage, MessageReader } from "../../../src/control/isns/message.ts";
import { silentLog } from "../../../src/util/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { FakeIsnsServer } from "./support/isns-server.ts";

const A = "iqn.2026-11.net.example:a";

function said(functionId: number, payload: Buffer) {
  const { answer, changeFor } = answerEvent({
    functionId,
    flags: 0x4000,
    transactionId: 9,
    payload,
  });
  const [message] = new MessageReader().push(answer);
  return {
    functionId: message?.functionId,
    changeFor,
    ...decodeAnswer(message?.payload ?? Buffer.alloc(0)),
  };
}

const inquiry = (bytes: number): Buffer => {
  const attribute = { tag: 1, value: Buffer.alloc(bytes) };
  const payload = encodeAttributes([attribute]);
  return encodeMessage({ functionId: 0x000d, flags: 0x4000, transactionId: 9, payload });
};

async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("what a server says", () => {
  it("may be an inquiry, which is answered with what was asked", () => {
    const attributes = [textAttribute(1, "here"), numberAttribute(17, 3260)];
    expect(said(0x000d, encodeAttributes(attributes))).toEqual({
      functionId: 0x800d,
      status: 0,
      attributes,
      changeFor: null,
    });
  });

  it("may be a change for a target", () => {
    const attributes = [textAttribute(32, A), numberAttribute(35, 8)];
    expect(said(0x0008, encodeAttributes(attributes))).toEqual({
      functionId: 0x8008,
      status: 0,
      attributes: [attributes[0]],
      changeFor: A,
    });
  });

  it.each([
    ["a change for nobody", 0x0008, "", 2],
    ["a change for an entity", 0x0008, "000000010000000461000000", 2],
    ["a name without an end", 0x0008, "000000200000000461616161", 2],
    ["half an attribute", 0x000d, "00000001", 2],
    ["a registration", 0x0001, "", 15],
  ])("may be %s, which is refused", (_, functionId, hex, status) => {
    expect(said(functionId, Buffer.from(hex, "hex"))).toMatchObject({ status, changeFor: null });
  });
});

describe("the port for what servers say", () => {
  async function listen() {
    const streams: ((stream: ReturnType<typeof duplexPair>[0]) => void)[] = [];
    const clock = new ManualClock();
    const changes: string[] = [];
    const server = await EventServer.open({
      network: {
        connect: () => Promise.reject(new Error("nobody")),
        listen: (onStream) => {
          streams.push(onStream);
          return Promise.resolve({ port: 1, close: () => undefined });
        },
      },
      clock,
      log: silentLog,
      onChange: (target) => changes.push(target),
    });
    const accept = () => {
      const [near, far] = duplexPair();
      streams[0]?.(near);
      return { near, far };
    };
    return { server, clock, changes, accept };
  }

  it("hangs up on what makes no sense", async () => {
    const { accept, changes } = await listen();
    const { near, far } = accept();
    far.write("GET / HTTP/1.1\r\n\r\n");
    await new Promise((resolve) => near.on("close", resolve));
    expect(changes).toEqual([]);
  });

  it("hangs up on who says nothing", async () => {
    const { accept, clock } = await listen();
    const { near } = accept();
    clock.advance(EVENT_IDLE_MS_MAX - 1);
    expect(near.destroyed).toBe(false);
    clock.advance(1);
    expect(near.destroyed).toBe(true);
  });

  it("reads no more of who does not read the answers, and answers all when that is read", async () => {
    const { accept } = await listen();
    const { near, far } = accept();
    const [bytes, count] = [EVENT_BYTES_MAX / 2, 100];
    for (let sent = 0; sent < count; sent++) far.write(inquiry(bytes));
    await settle();
    expect(near.writableLength).toBeLessThan(3 * EVENT_BYTES_MAX);
    expect(near.destroyed).toBe(false);
    const reader = new MessageReader();
    let answered = 0;
    far.on("data", (chunk: Buffer) => (answered += reader.push(chunk).length));
    for (let turn = 0; turn < count && answered < count; turn++) await settle();
    expect(answered).toBe(count);
  });

  it("hangs up on who does not read the answers for long", async () => {
    const { accept, clock } = await listen();
    const { near, far } = accept();
    for (let sent = 0; sent < 100; sent++) far.write(inquiry(EVENT_BYTES_MAX / 2));
    await settle();
    clock.advance(EVENT_IDLE_MS_MAX);
    expect(near.destroyed).toBe(true);
  });

  it("hangs up on what is larger than anything that servers have to say", async () => {
    const { accept } = await listen();
    const { near, far } = accept();
    far.write(inquiry(EVENT_BYTES_MAX));
    await settle();
    expect(near.destroyed).toBe(true);
  });

  it("is not for many at a time, and all are gone when it closes", async () => {
    const { accept, server } = await listen();
    const accepted = Array.from({ length: EVENT_CONNECTIONS_MAX }, () => accept().near);
    expect(accept().near.destroyed).toBe(true);
    expect(accepted.some(({ destroyed }) => destroyed)).toBe(false);
    server.close();
    expect(accepted.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it("tells of changes", async () => {
    const double = new FakeIsnsServer();
    const changes: string[] = [];
    await EventServer.open({
      network: double.network,
      clock: new ManualClock(),
      log: silentLog,
      onChange: (target) => changes.push(target),
    });
    expect(await double.notify(A)).toMatchObject({ status: 0 });
    expect(changes).toEqual([A]);
  });
});
