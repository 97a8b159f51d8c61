import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  CHAP_ALGORITHMS,
  ChapExchange,
  chapResponse,
  type ChapAlgorithm,
} from "../../src/initiator/chap.ts";
import {
  decodeBinary,
  encodeBinary,
  valueOf,
  type TextPair,
} from "../../src/initiator/text-keys.ts";

const challenge = Buffer.from("an arbitrary challenge");
const fixed = (lengthBytes: number): Uint8Array => Buffer.alloc(lengthBytes, 0x31);

function asked(code: string, changes: Record<string, string> = {}): TextPair[] {
  const pairs = { CHAP_A: code, CHAP_I: "7", CHAP_C: encodeBinary(challenge), ...changes };
  return Object.entries(pairs);
}

describe("CHAP, RFC 1994 and RFC 7143 12.1.3", () => {
  it("digests identifier, secret and challenge in this order", () => {
    const expected = createHash("md5").update("\x07sesame").update(challenge).digest("hex");
    expect(chapResponse("md5", 7, "sesame", challenge).toString("hex")).toBe(expected);
  });

  it.each(Object.entries(CHAP_ALGORITHMS) as [ChapAlgorithm, number][])(
    "answers with %s when the target chooses %i",
    (algorithm, code) => {
      const exchange = new ChapExchange({ user: "alice", secret: "sesame" }, fixed);
      expect(exchange.offer()).toEqual([["CHAP_A", "8,7,6,5"]]);
      const answer = exchange.answer(asked(String(code)));
      expect(valueOf(answer, "CHAP_N")).toBe("alice");
      const response = decodeBinary(valueOf(answer, "CHAP_R") ?? "");
      expect(response).toEqual(chapResponse(algorithm, 7, "sesame", challenge));
      expect(valueOf(answer, "CHAP_C")).toBeUndefined();
      exchange.verify([]);
    },
  );

  it.each([
    ["an algorithm that was not offered", asked("5")],
    ["no algorithm", asked("")],
    ["an identifier beyond a byte", asked("7", { CHAP_I: "256" })],
    ["an identifier that is none", asked("7", { CHAP_I: "x" })],
    ["an empty challenge", asked("7", { CHAP_C: "0x" })],
    ["a challenge that is not binary", asked("7", { CHAP_C: "hello" })],
    ["a challenge that is too long", asked("7", { CHAP_C: encodeBinary(Buffer.alloc(1025)) })],
  ])("refuses %s", (_name, pairs) => {
    const credentials = { user: "alice", secret: "sesame", algorithms: ["sha256"] } as const;
    expect(() => new ChapExchange(credentials, fixed).answer(pairs)).toThrow(/CHAP/);
  });

  describe("mutual", () => {
    const mutual = { user: "bob", secret: "another secret" };
    function answered(): { exchange: ChapExchange; proof: string } {
      const exchange = new ChapExchange({ user: "alice", secret: "sesame", mutual }, fixed);
      const answer = exchange.answer(asked("8"));
      const own = decodeBinary(valueOf(answer, "CHAP_C") ?? "") ?? Buffer.alloc(0);
      expect(own).toHaveLength(32);
      const identifier = Number(valueOf(answer, "CHAP_I"));
      const proof = chapResponse("sha3-256", identifier, mutual.secret, own);
      return { exchange, proof: encodeBinary(proof) };
    }

    it("accepts the target that knows the secret", () => {
      const { exchange, proof } = answered();
      exchange.verify([
        ["CHAP_N", "bob"],
        ["CHAP_R", proof],
      ]);
    });

    it.each([
      ["nothing", "bob", undefined],
      ["another secret", "bob", encodeBinary(Buffer.alloc(32, 1))],
      ["a short answer", "bob", "0x00"],
    ])("refuses one that proves %s", (_name, user, proof) => {
      const { exchange } = answered();
      const pairs: TextPair[] = [["CHAP_N", user]];
      if (proof !== undefined) pairs.push(["CHAP_R", proof]);
      expect(() => exchange.verify(pairs)).toThrow(/authenticate itself/);
    });

    it("refuses one with another name", () => {
      const { exchange, proof } = answered();
      const pairs: TextPair[] = [
        ["CHAP_N", "mallory"],
        ["CHAP_R", proof],
      ];
      expect(() => exchange.verify(pairs)).toThrow(/name or secret/);
    });
  });
});
