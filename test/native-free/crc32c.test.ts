import { describe, expect, it } from "vitest";
import { crc32c, crc32cJavaScript, crc32cOfZeros } from "../../native-free/crc32c.ts";
import { chooseSeed, SeededRandom } from "../../src/util/random.ts";

/** The definition, bit by bit, and nothing clever. */
function oracle(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  let remainder = ~seed >>> 0;
  for (let index = start; index < end; index += 1) {
    remainder ^= bytes[index]!;
    for (let bit = 0; bit < 8; bit += 1) {
      const odd = (remainder & 1) === 1;
      remainder >>>= 1;
      if (odd) remainder ^= 0x82f63b78;
    }
  }
  return ~remainder >>> 0;
}

const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);

/** An iSCSI SCSI Read (10) command PDU, the last example of the RFC. */
const read10 = Buffer.from(
  "01c00000000000000000000000000000" +
    "14000000000004000000001400000018" +
    "28000000000000000200000000000000",
  "hex",
);

/** RFC 3720 B.4, which RFC 7143 A.4 repeats; there the bytes are written in the order of the wire. */
const VECTORS: readonly (readonly [string, Uint8Array, number])[] = [
  ["32 bytes of zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 ascending bytes", ascending, 0x46dd794e],
  ["32 descending bytes", ascending.toReversed(), 0x113fdb5c],
  ["an iSCSI Read (10)", read10, 0xd9963a56],
];

describe.each([
  ["as chosen", crc32c],
  ["in JavaScript only", crc32cJavaScript],
])("CRC32C %s", (_, checksum) => {
  it.each(VECTORS)("agrees with the RFC on %s", (_name, bytes, expected) => {
    expect(checksum(bytes, 0, bytes.length)).toBe(expected);
  });

  it("agrees with the definition for lengths and offsets around every step", () => {
    const bytes = new SeededRandom(1).bytes(1200);
    for (let start = 0; start < 17; start += 1) {
      for (let length = 0; length <= 300; length += 1) {
        const expected = oracle(bytes, start, start + length);
        expect(checksum(bytes, start, start + length)).toBe(expected);
      }
    }
  });

  it("agrees with the definition on random ranges and seeds, in one piece and in several", () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    for (let round = 0; round < 60; round += 1) {
      const bytes = random.bytes(random.chance(0.1) ? 300_000 : random.below(9000));
      const start = random.below(bytes.length + 1);
      const end = random.between(start, bytes.length);
      const middle = random.between(start, end);
      const first = random.uint32();
      const expected = oracle(bytes, start, end, first);
      const replay = `THINLUN_SEED=${seed} round ${round}`;
      expect(checksum(bytes, start, end, first), replay).toBe(expected);
      const half = checksum(bytes, start, middle, first);
      expect(checksum(bytes, middle, end, half), replay).toBe(expected);
    }
  });

  it("looks at the range within the view, not within the memory below it", () => {
    const memory = new SeededRandom(2).bytes(8192);
    const view = memory.subarray(1000, 6000);
    expect(checksum(view, 10, 4500)).toBe(oracle(memory, 1010, 5500));
  });

  it.each([
    [-1, 4],
    [5, 4],
    [0, 9],
  ])("refuses the range from %d to %d of 8 bytes", (start, end) => {
    expect(() => checksum(new Uint8Array(8), start, end)).toThrow(RangeError);
  });
});

describe("crc32cOfZeros", () => {
  it("is what zeros give, byte by byte, however many and after whatever came before", () => {
    const zeros = new Uint8Array(5000);
    for (const seed of [0, 1, 0x8a9136aa, 0xffff_ffff]) {
      for (const count of [0, 1, 2, 3, 7, 64, 255, 256, 1000, 3992, 4008, 4096, 5000]) {
        expect(crc32cOfZeros(count, seed)).toBe(oracle(zeros, 0, count, seed));
      }
    }
  });

  it("takes more zeros than there is memory for", () => {
    const half = crc32cOfZeros(2 ** 30, 0x1234_5678);
    expect(crc32cOfZeros(2 ** 31, 0x1234_5678)).toBe(crc32cOfZeros(2 ** 30, half));
    expect(crc32cOfZeros(2 ** 32 - 1, 7)).toBe(
      crc32cOfZeros(2 ** 31, crc32cOfZeros(2 ** 31 - 1, 7)),
    );
  });
});
