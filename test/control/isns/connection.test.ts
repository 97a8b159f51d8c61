import { type Duplex, duplexPair } from "node:stream";
import { beforeEach, expect, it } from "vitest";
import {
  encodeAttributes,
  numberAttribute,
  textAttribute,
} from "../../../src/control/isns/attribute.ts";
import { IsnsConnection } from "../../../src/control/isns/connection.ts";
import { EVENT_BYTES_MAX, REQUEST_MS_MAX } from "../../../src/control/isns/limits.ts";
import {
  encodeAnswer,
  encodeMessage,
  type IsnsMessage,
  MessageReader,
} from "../../../src/control/isns/message.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { exchange } from "./support/isns-server.ts";

const A = "iqn.2026-11.net.example:a";

let clock: ManualClock;
let near: Duplex;
let far: Duplex;
let changes: string[];
let connection: IsnsConnection;

beforeEach(() => {
  [near, far] = duplexPair();
  clock = new ManualClock();
  changes = [];
  connection = new IsnsConnection({
    stream: near,
    clock,
    onChange: (target) => changes.push(target),
  });
});

/** The next message that the client sends. */
function heard(): Promise<IsnsMessage> {
  const reader = new MessageReader();
  return new Promise((resolve) =>
    far.on("data", (chunk: Buffer) => {
      const [message] = reader.push(chunk);
      if (message !== undefined) resolve(message);
    }),
  );
}

const reply = (changesOf: Partial<IsnsMessage>): Buffer =>
  encodeMessage({
    functionId: 0x8002,
    flags: 0x4000,
    transactionId: 1,
    payload: encodeAnswer({ status: 0, attributes: [numberAttribute(6, 60)] }),
    ...changesOf,
  });

it("asks, and waits for the answer to what it has asked", async () => {
  const asked = heard();
  const answer = connection.request(0x0002, [textAttribute(32, A)], 0x1000);
  expect(await asked).toEqual({
    functionId: 0x0002,
    flags: 0x9000,
    transactionId: 1,
    payload: encodeAttributes([textAttribute(32, A)]),
  });
  far.write(reply({ transactionId: 2 }));
  far.write(reply({ functionId: 0x8001 }));
  far.write(reply({ payload: encodeAnswer({ status: 0, attributes: [numberAttribute(6, 61)] }) }));
  expect(await answer).toEqual({ status: 0, attributes: [numberAttribute(6, 61)] });
});

it("answers what the server says in between", async () => {
  const payload = encodeAttributes([textAttribute(32, A), numberAttribute(35, 8)]);
  const said = { functionId: 0x0008, flags: 0x4000, transactionId: 5, payload };
  expect(await exchange(far, said)).toMatchObject({ status: 0 });
  expect(changes).toEqual([A]);
});

const inquiry = (bytes: number): Buffer => {
  const payload = encodeAttributes([{ tag: 1, value: Buffer.alloc(bytes) }]);
  return encodeMessage({ functionId: 0x000d, flags: 0x4000, transactionId: 5, payload });
};

it("reads no more of a server that does not read what it is answered", async () => {
  for (let sent = 0; sent < 100; sent++) far.write(inquiry(EVENT_BYTES_MAX / 2));
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(near.writableLength).toBeLessThan(3 * EVENT_BYTES_MAX);
  const answer = connection.request(0x0002, []);
  far.write(reply({}));
  far.resume();
  expect(await answer).toMatchObject({ status: 0 });
});

it("gives up a server that says what is larger than anything that servers have to say", async () => {
  const answer = connection.request(0x0002, []);
  far.write(inquiry(EVENT_BYTES_MAX));
  await expect(answer).rejects.toThrow("does not end");
});

it("gives up a server that does not answer", async () => {
  const answer = connection.request(0x0002, []);
  clock.advance(REQUEST_MS_MAX);
  await expect(answer).rejects.toThrow("does not answer");
  expect(connection.isOpen).toBe(false);
  await expect(connection.request(0x0002, [])).rejects.toThrow("does not answer");
});

it.each([
  ["hangs up", () => far.end(), /hung up/],
  ["says what is no message", () => far.write("HTTP/1.1 400 Bad Request\r\n"), /version/],
  [
    "answers with half an attribute",
    () => far.write(reply({ payload: Buffer.alloc(8) })),
    /cut off/,
  ],
])("gives up a server that %s", async (_, act, message) => {
  const answer = connection.request(0x0002, []);
  act();
  await expect(answer).rejects.toThrow(message);
  expect(connection.isOpen).toBe(false);
});

it("can be closed, whatever it waits for", async () => {
  const answer = connection.request(0x0002, []);
  connection.close();
  connection.close();
  await expect(answer).rejects.toThrow("not needed");
});
