import { expect, it } from "vitest";
import {
  decodeResponse,
  encodeResponse,
  responseBytes,
  RESPONSE_TEXT_BYTES_MAX,
} from "../../../src/control/tgt/response.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

it("has the bytes that tgtd sends", () => {
  expect(Buffer.from(encodeResponse({ error: 4, text: "" })).toString("hex")).toBe(
    "0400000008000000",
  );
  const success = "0000000010000000" + Buffer.from("LLDs:\n \0").toString("hex");
  expect(Buffer.from(encodeResponse({ error: 0, text: "LLDs:\n " })).toString("hex")).toBe(success);
  expect(decodeResponse(Buffer.from(success, "hex"))).toEqual({ error: 0, text: "LLDs:\n " });
});

it("ends a text at its NUL, or where the length says", () => {
  expect(decodeResponse(Buffer.from("\0\0\0\0\x0b\0\0\0a\0bcd"))).toEqual({ error: 0, text: "a" });
  expect(decodeResponse(Buffer.from("\0\0\0\0\x0a\0\0\0abcd"))).toEqual({ error: 0, text: "ab" });
});

it("is refused where its length cannot be", () => {
  const header = (length: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(length, 4);
    return bytes;
  };
  expect(decodeResponse(header(8).subarray(0, 7))).toBe("incomplete");
  expect(decodeResponse(header(9))).toBe("incomplete");
  for (const length of [0, 4, 7]) expect(decodeResponse(header(length))).toBe("length-too-small");
  expect(responseBytes(header(8 + RESPONSE_TEXT_BYTES_MAX))).toBe(8 + RESPONSE_TEXT_BYTES_MAX);
  for (const length of [9 + RESPONSE_TEXT_BYTES_MAX, 0xffff_ffff]) {
    expect(responseBytes(header(length))).toBe("text-too-long");
  }
});

it("comes back as it was", () => {
  const seed = chooseSeed(process.env);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 500; round += 1) {
    const text = random.bytes(random.below(40)).toString("hex");
    const response = { error: random.uint32(), text };
    expect(decodeResponse(encodeResponse(response)), `seed ${seed}`).toEqual(response);
  }
});
