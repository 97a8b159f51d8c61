import { describe, expect, it } from "vitest";
import { numberAttribute, textAttribute } from "../../../src/control/isns/attribute.ts";
import { IsnsFlag } from "../../../src/control/isns/constants.ts";
import { MESSAGE_BYTES_MAX, PDU_PAYLOAD_BYTES_MAX } from "../../../src/control/isns/limits.ts";
import {
  decodeAnswer,
  encodeAnswer,
  encodeMessage,
  isAnswer,
  MessageReader,
} from "../../../src/control/isns/message.ts";
import { IsnsProtocolError } from "../../../src/control/isns/protocol-error.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

const message = (payload: Buffer) => ({
  functionId: 0x8001,
  flags: IsnsFlag.fromServer,
  transactionId: 0x1234,
  payload,
});

describe("a message", () => {
  it("is written as RFC 4171 5.1 has it", () => {
    expect(encodeMessage(message(Buffer.from("00000009", "hex"))).toString("hex")).toBe(
      "0001" + "8001" + "0004" + "4c00" + "1234" + "0000" + "00000009",
    );
  });

  it("takes several PDUs where it is long", () => {
    const payload = Buffer.alloc(2 * PDU_PAYLOAD_BYTES_MAX + 4, 7);
    const bytes = encodeMessage(message(payload));
    expect(bytes.length).toBe(payload.length + 3 * 12);
    const [read] = new MessageReader().push(bytes);
    expect(read?.payload.equals(payload)).toBe(true);
  });

  it("is read wherever it is cut, and one after the other", () => {
    const payload = Buffer.from("00000000", "hex");
    const long = Buffer.alloc(PDU_PAYLOAD_BYTES_MAX + 8, 3);
    const bytes = Buffer.concat([
      encodeMessage(message(payload)),
      encodeMessage(message(Buffer.alloc(0))),
      encodeMessage(message(payload)),
    ]);
    const expected = [message(payload), message(Buffer.alloc(0)), message(payload)];
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new MessageReader();
      const read = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
      expect(read).toEqual(expected);
    }
    const single = new MessageReader();
    expect([...bytes].flatMap((byte) => single.push(Buffer.from([byte])))).toEqual(expected);
    const parts = encodeMessage(message(long));
    for (const cut of [1, 11, 12, 13, PDU_PAYLOAD_BYTES_MAX + 11, PDU_PAYLOAD_BYTES_MAX + 13]) {
      const reader = new MessageReader();
      expect(reader.push(parts.subarray(0, cut))).toEqual([]);
      const [read] = reader.push(parts.subarray(cut));
      // Comparing byte by byte, as toEqual does, takes seconds.
      expect(read?.payload.equals(long)).toBe(true);
    }
  });

  const header = (change: Readonly<Record<number, number>>): Buffer => {
    const bytes = encodeMessage(message(Buffer.alloc(4)));
    for (const [offset, value] of Object.entries(change))
      bytes.writeUInt16BE(value, Number(offset));
    return bytes;
  };

  it.each([
    ["of another version", { 0: 2 }],
    ["that is not padded", { 4: 3 }],
    ["with a signature", { 6: 0x6c00 }],
    ["that begins in its middle", { 6: 0x4800 }],
    ["with a first PDU that is not the first", { 10: 1 }],
  ])("%s is refused", (_, change) => {
    expect(() => new MessageReader().push(header(change))).toThrow(IsnsProtocolError);
  });

  it.each([
    ["of another message", { 6: 0x4800, 8: 1, 10: 1 }],
    ["of another function", { 2: 1, 6: 0x4800, 10: 1 }],
    ["that is one too late", { 6: 0x4800, 10: 2 }],
    ["that begins anew", { 6: 0x4c00, 10: 0 }],
  ])("is refused when its second PDU is one %s", (_, change) => {
    const reader = new MessageReader();
    expect(reader.push(header({ 6: 0x4400 }))).toEqual([]);
    expect(() => reader.push(header(change))).toThrow("not in order");
  });

  it("is refused when it does not end", () => {
    const reader = new MessageReader();
    const pdu = (sequenceId: number): Buffer => {
      const bytes = encodeMessage(message(Buffer.alloc(PDU_PAYLOAD_BYTES_MAX)));
      bytes.writeUInt16BE(sequenceId === 0 ? 0x4400 : 0x4000, 6);
      bytes.writeUInt16BE(sequenceId, 10);
      return bytes;
    };
    const fitting = Math.floor(MESSAGE_BYTES_MAX / PDU_PAYLOAD_BYTES_MAX);
    for (let index = 0; index < fitting; index++) expect(reader.push(pdu(index))).toEqual([]);
    expect(() => reader.push(pdu(fitting))).toThrow("does not end");
  });

  it("never makes the reader fail otherwise, whatever is sent", () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    for (let round = 0; round < 2_000; round++) {
      const bytes = encodeMessage(
        message(encodeAnswer({ status: 0, attributes: [textAttribute(32, "abc")] })),
      );
      for (let change = 0; change < 3; change++) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      try {
        for (const { payload } of new MessageReader().push(bytes)) decodeAnswer(payload);
      } catch (error) {
        expect(error, `THINLUN_SEED=${seed}`).toBeInstanceOf(IsnsProtocolError);
      }
    }
  });
});

describe("an answer", () => {
  const answer = { status: 9, attributes: [numberAttribute(6, 300)] };

  it("is a status and attributes", () => {
    expect(decodeAnswer(encodeAnswer(answer))).toEqual(answer);
    expect(decodeAnswer(Buffer.alloc(4))).toEqual({ status: 0, attributes: [] });
    expect(isAnswer(message(Buffer.alloc(0)))).toBe(true);
    expect(isAnswer({ ...message(Buffer.alloc(0)), functionId: 0x000d })).toBe(false);
  });

  it("is refused when it is cut", () => {
    const bytes = encodeAnswer(answer);
    for (let length = 0; length < bytes.length; length++) {
      if (length === 4) continue;
      expect(() => decodeAnswer(Buffer.from(bytes.subarray(0, length)))).toThrow(IsnsProtocolError);
    }
  });
});
