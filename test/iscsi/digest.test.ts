import { describe, expect, it } from "vitest";

import { digestMatches, writeDigest } from "../../src/iscsi/digest.ts";

/** RFC 3720 B.4: the examples, with the digest in the order in which its bytes are sent. */
const EXAMPLES: readonly (readonly [string, Buffer, string])[] = [
  ["32 zeros", Buffer.alloc(32), "aa36918a"],
  ["32 ones", Buffer.alloc(32, 0xff), "43aba862"],
  ["0 to 31", Buffer.from(Array.from({ length: 32 }, (_, index) => index)), "4e79dd46"],
  ["31 to 0", Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), "5cdb3f11"],
  [
    "a SCSI Read (10) command PDU",
    Buffer.from(
      "01c00000000000000000000000000000140000000000040000000014000000182800000000000000" +
        "0200000000000000",
      "hex",
    ),
    "563a96d9",
  ],
];

describe("the digest", () => {
  it.each(EXAMPLES)("of %s is the RFC's", (_what, data, digest) => {
    const bytes = Buffer.alloc(data.length + 10, 0x55);
    data.copy(bytes, 3);
    writeDigest(bytes, 3, 3 + data.length);
    expect(bytes.subarray(3 + data.length, 7 + data.length).toString("hex")).toBe(digest);
    expect([...bytes.subarray(0, 3), ...bytes.subarray(7 + data.length)]).toEqual(
      Array.from({ length: 6 }, () => 0x55),
    );
    expect(digestMatches(bytes, 3, 3 + data.length)).toBe(true);
  });

  it("does not match when any one bit is wrong", () => {
    const bytes = Buffer.alloc(16 + 4, 7);
    writeDigest(bytes, 0, 16);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const wrong = Buffer.from(bytes);
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(digestMatches(wrong, 0, 16), `bit ${bit}`).toBe(false);
    }
  });
});
