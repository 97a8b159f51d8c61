import { describe, expect, it } from "vitest";
import * as bytes from "../../src/util/little-endian.ts";
import { chooseSeed, SeededRandom } from "../../src/util/random.ts";

const seed = chooseSeed(process.env);
const random = new SeededRandom(seed);
const LENGTH = 24;

/** Both ways of each width, with the Buffer's own as the oracle, which is written apart from them. */
const widths = [
  {
    name: "16 bits",
    length: 2,
    get: bytes.getUint16LE,
    set: bytes.setUint16LE,
    oracle: (b: Buffer, at: number) => b.readUInt16LE(at),
  },
  {
    name: "32 bits",
    length: 4,
    get: bytes.getUint32LE,
    set: bytes.setUint32LE,
    oracle: (b: Buffer, at: number) => b.readUInt32LE(at),
  },
  {
    name: "64 bits",
    length: 8,
    get: bytes.getUint64LE,
    set: bytes.setUint64LE,
    oracle: (b: Buffer, at: number) => Number(b.readBigUInt64LE(at)),
  },
];

describe.each(widths)(`little-endian access, $name (THINLUN_SEED=${seed})`, (width) => {
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
      buffer.fill(0xa5, at, at + width.length);
      expect(buffer).toEqual(Buffer.alloc(LENGTH, 0xa5));
    }
  });

  it("holds its largest value", () => {
    const most = Math.min(2 ** (8 * width.length) - 1, Number.MAX_SAFE_INTEGER);
    const buffer = Buffer.alloc(LENGTH);
    width.set(buffer, 3, most);
    expect(width.get(buffer, 3)).toBe(most);
  });
});

describe("little-endian access", () => {
  it("tells 64-bit values that a number cannot hold", () => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigUInt64LE(2n ** 53n);
    expect(Number.isSafeInteger(bytes.getUint64LE(buffer, 0))).toBe(false);
    buffer.writeBigUInt64LE(2n ** 53n - 1n);
    expect(bytes.getUint64LE(buffer, 0)).toBe(2 ** 53 - 1);
  });

  it("reads and writes doubles like the Buffer", () => {
    for (const value of [0, 0.8, -1.5, Infinity, 1e300]) {
      const buffer = Buffer.alloc(10);
      bytes.setFloat64LE(buffer, 1, value);
      expect(buffer.readDoubleLE(1)).toBe(value);
      expect(bytes.getFloat64LE(buffer, 1)).toBe(value);
    }
  });
});
