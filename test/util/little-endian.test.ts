import { describe, expect, it } from "vitest";
import * as bytes from "../../src/util/little-endian.ts";
import { describeWidths } from "./support/byte-access.ts";

describeWidths("little-endian", [
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
]);

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
