import { describe, expect, it } from "vitest";

import { TEXT_BYTES_MAX } from "../../../src/iscsi/login/limits.ts";
import {
  NO_TRANSFER_TAG,
  TextExchange,
  type TextPart,
  type TextReply,
} from "../../../src/iscsi/text/text-exchange.ts";
import { encodeTextPairs, type TextPair } from "../../../src/iscsi/text/text-pairs.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

const TAG = 5;
const SEGMENT_BYTES = 64;

/** An exchange that answers with its questions, each value three times as long. */
function open(asked: TextPair[] = []): TextExchange {
  return new TextExchange({
    transferTag: TAG,
    answer: (pairs) => {
      asked.push(...pairs);
      if (pairs.some((pair) => pair.key === "Bad")) return { reject: "bad" };
      return { pairs: pairs.map(({ key, value }) => ({ key, value: value.repeat(3) })) };
    },
  });
}

function part(text: string, fields: Partial<TextPart> = {}): TextPart {
  return {
    final: true,
    continued: false,
    targetTransferTag: NO_TRANSFER_TAG,
    text: Buffer.from(text),
    ...fields,
  };
}

function accepted(reply: TextReply): TextPart {
  if ("reject" in reply) throw new Error(reply.reject);
  return reply;
}

describe("TextExchange", () => {
  it("answers one request with one response", () => {
    const exchange = open();
    const reply = accepted(exchange.receive(part("A=x\0"), SEGMENT_BYTES));
    expect(reply).toMatchObject({
      final: true,
      continued: false,
      targetTransferTag: NO_TRANSFER_TAG,
    });
    expect(Buffer.from(reply.text).toString()).toBe("A=xxx\0");
    expect(exchange.ended).toBe(true);
  });

  it("answers an empty request with nothing", () => {
    const reply = accepted(open().receive(part(""), SEGMENT_BYTES));
    expect(reply).toMatchObject({ final: true, continued: false });
    expect(reply.text).toHaveLength(0);
  });

  it("does not end the exchange before the initiator does", () => {
    const exchange = open();
    const reply = accepted(exchange.receive(part("A=x\0", { final: false }), SEGMENT_BYTES));
    expect(reply).toMatchObject({ final: false, continued: false, targetTransferTag: TAG });
    expect(exchange.ended).toBe(false);
    const last = accepted(exchange.receive(part("", { targetTransferTag: TAG }), SEGMENT_BYTES));
    expect(last).toMatchObject({ final: true, targetTransferTag: NO_TRANSFER_TAG });
    expect(last.text).toHaveLength(0);
  });

  it("takes a request that is cut at any byte", () => {
    const text = "A=x\0B=yy\0";
    for (let cut = 0; cut <= text.length; cut++) {
      const asked: TextPair[] = [];
      const exchange = open(asked);
      const first = accepted(
        exchange.receive(
          part(text.slice(0, cut), { final: false, continued: true }),
          SEGMENT_BYTES,
        ),
      );
      expect(first).toMatchObject({ final: false, continued: false, targetTransferTag: TAG });
      expect(asked).toEqual([]);
      const second = accepted(
        exchange.receive(part(text.slice(cut), { targetTransferTag: TAG }), SEGMENT_BYTES),
      );
      expect(Buffer.from(second.text).toString()).toBe("A=xxx\0B=yyyyyy\0");
    }
  });

  it("cuts a long answer to the initiator's segments", () => {
    const pairs = Array.from({ length: 20 }, (_, index) => ({ key: `K${index}`, value: "v" }));
    const question = Buffer.from(encodeTextPairs(pairs)).toString();
    for (const segmentBytes of [1, 7, 64, 180, 100_000]) {
      const exchange = open();
      let reply = accepted(exchange.receive(part(question), segmentBytes));
      const pieces = [reply.text];
      while (reply.continued) {
        expect(reply).toMatchObject({ final: false, targetTransferTag: TAG });
        expect(reply.text).toHaveLength(segmentBytes);
        reply = accepted(exchange.receive(part("", { targetTransferTag: TAG }), segmentBytes));
        pieces.push(reply.text);
      }
      expect(reply.final).toBe(true);
      expect(Buffer.concat(pieces).toString()).toBe(question.replaceAll("=v", "=vvv"));
    }
  });

  it("starts anew on the reserved tag", () => {
    const asked: TextPair[] = [];
    const exchange = open(asked);
    exchange.receive(part("A=", { final: false, continued: true }), SEGMENT_BYTES);
    accepted(exchange.receive(part("B=1\0"), SEGMENT_BYTES));
    expect(asked).toEqual([{ key: "B", value: "1" }]);
  });

  it.each<[string, readonly Partial<TextPart>[]]>([
    ["F and C", [{ continued: true }]],
    ["a first request with a tag", [{ targetTransferTag: TAG }]],
    ["a strange tag", [{ final: false }, { targetTransferTag: TAG + 1 }]],
    ["a malformed text", [{ text: Buffer.from("A") }]],
    ["a key twice", [{ text: Buffer.from("A=1\0A=1\0") }]],
    ["what the answer refuses", [{ text: Buffer.from("Bad=1\0") }]],
  ])("rejects %s", (_what, requests) => {
    const exchange = open();
    const replies = requests.map((fields) => exchange.receive(part("", fields), SEGMENT_BYTES));
    expect(replies.at(-1)).toHaveProperty("reject");
    expect(exchange.ended).toBe(true);
  });

  it("rejects text before the rest of the answer was fetched", () => {
    const exchange = open();
    accepted(exchange.receive(part("A=xxxxx\0"), 4));
    expect(exchange.receive(part("B=1\0", { targetTransferTag: TAG }), 4)).toHaveProperty("reject");
  });

  it("bounds the text of a request", () => {
    const exchange = open();
    const fields = { final: false, continued: true };
    const piece = "A".repeat(TEXT_BYTES_MAX / 2);
    accepted(exchange.receive(part(piece, fields), SEGMENT_BYTES));
    accepted(exchange.receive(part(piece, { ...fields, targetTransferTag: TAG }), SEGMENT_BYTES));
    const over = exchange.receive(part("A", { ...fields, targetTransferTag: TAG }), SEGMENT_BYTES);
    expect(over).toHaveProperty("reject");
  });

  const seed = chooseSeed(process.env);
  it(`neither throws nor holds more than it may on random requests (seed ${seed})`, () => {
    const random = new SeededRandom(seed);
    const texts = ["", "", "A=1\0", "A=", "B=xx\0", "A", "\0", "Bad=1\0", "X".repeat(300)];
    let answered = 0;
    for (let round = 0; round < 2000; round++) {
      const exchange = open();
      for (let step = 0; step < 40 && !exchange.ended; step++) {
        const request = part(random.pick(texts), {
          final: random.chance(0.6),
          continued: random.chance(0.2),
          targetTransferTag: random.chance(step === 0 ? 0.9 : 0.1) ? NO_TRANSFER_TAG : TAG,
        });
        const reply = exchange.receive(request, 2);
        if ("reject" in reply) continue;
        answered++;
        expect(reply.text.length).toBeLessThanOrEqual(2);
        expect(reply.final && (reply.continued || !request.final)).toBe(false);
        expect(reply.final).toBe(reply.targetTransferTag === NO_TRANSFER_TAG);
        expect(reply.final).toBe(exchange.ended);
      }
    }
    expect(answered).toBeGreaterThan(1000);
  });
});
