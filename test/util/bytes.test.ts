import { describe, expect, it } from "vitest";
import * as bytes from "../../src/util/bytes.ts";
import { chooseSeed, SeededRandom } from "../../src/util/random.ts";

const seed = chooseSeed(process.env);
const random = new SeededRandom(seed);
const LENGTH = 24;

/** Both ways of each width, with the Buffer's own as the oracle, which is written apart from them. */
const widths = [
  {
    name: "8 bits",
    length: 1,
    get: bytes.getUint8,
    set: bytes.setUint8,
    oracle: (b: Buffer, at: number) => b.readUInt8(at),
  },
  {
    name: "16 bits",
    length: 2,
    get: bytes.getUint16BE,
    set: bytes.setUint16BE,
    oracle: (b: Buffer, at: number) => b.readUInt16BE(at),
  },
  {
    name: "24 bits",
    length: 3,
    get: bytes.getUint24BE,
    set: bytes.setUint24BE,
    oracle: (b: Buffer, at: number) => b.readUIntBE(at, 3),
  },
  {
    name: "32 bits",
    length: 4,
    get: bytes.getUint32BE,
    set: bytes.setUint32BE,
    oracle: (b: Buffer, at: number) => b.readUInt32BE(at),
  },
  {
    name: "64 bits",
    length: 8,
    get: bytes.getUint64BE,
    set: bytes.setUint64BE,
    oracle: (b: Buffer, at: number) => Number(b.readBigUInt64BE(at)),
  },
];

describe.each(widths)(`big-endian access, $name (THINLUN_SEED=${seed})`, (width) => {
  it("reads what the Buffer reads, at every offset", () => {
    for (let round = 0; round < 200; round += 1) {
      const buffer = random.bytes(LENGTH);
      const at = random.below(LENGTH - width.length + 1);
      expect(width.get(buffer, at)).toBe(width.oracle(buffer, at));
    }
  });

  it("writes what it reads, and nothing around it", () => {
    const most = Math.min(2 ** (8 * width.length), Number.MAX_SAFE_INTEGER);
    for (let round = 0; round < 200; round += 1) {
      const buffer = Buffer.alloc(LENGTH, 0xa5);
      const at = random.below(LENGTH - width.length + 1);
      const value = random.below(most);
      width.set(buffer, at, value);
      expect(width.oracle(buffer, at)).toBe(value);
      const around = [...buffer.subarray(0, at), ...buffer.subarray(at + width.length)];
      expect(around.every((byte) => byte === 0xa5)).toBe(true);
    }
  });

  it("takes the smallest and the largest", () => {
    const buffer = Buffer.alloc(width.length);
    const most = Math.min(2 ** (8 * width.length) - 1, Number.MAX_SAFE_INTEGER);
    for (const value of [0, most]) {
      width.set(buffer, 0, value);
      expect(width.get(buffer, 0)).toBe(value);
    }
  });
});

it("a 64-bit number past 2^53 stays larger than every capacity", () => {
  const buffer = Buffer.alloc(8, 0xff);
  expect(bytes.getUint64BE(buffer, 0)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
});
