import { expect, it } from "vitest";
import * as bytes from "../../src/util/bytes.ts";
import { describeWidths } from "./support/byte-access.ts";

describeWidths("big-endian", [
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
]);

it("a 64-bit number past 2^53 stays larger than every capacity", () => {
  const buffer = Buffer.alloc(8, 0xff);
  expect(bytes.getUint64BE(buffer, 0)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
});
