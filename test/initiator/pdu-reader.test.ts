import { describe, expect, it } from "vitest";
import { framePdu } from "../../src/initiator/connection.ts";
import { InitiatorError } from "../../src/initiator/initiator-error.ts";
import { digestAt, PduReader } from "../../src/initiator/pdu-reader.ts";
import { setUint24BE } from "../../src/util/bytes.ts";

interface Shape {
  readonly additionalWords: number;
  readonly dataBytes: number;
}

const SHAPES: readonly Shape[] = [
  { additionalWords: 0, dataBytes: 0 },
  { additionalWords: 2, dataBytes: 0 },
  { additionalWords: 0, dataBytes: 5 },
  { additionalWords: 1, dataBytes: 512 },
];

function headerOf({ additionalWords, dataBytes }: Shape): Uint8Array {
  const header = Uint8Array.from({ length: 48 }, (_, index) => index);
  header[4] = additionalWords;
  setUint24BE(header, 5, dataBytes);
  return header;
}

function frameOf(shape: Shape, digests: { header: boolean; data: boolean }): Buffer {
  const additional = new Uint8Array(shape.additionalWords * 4).fill(0xaa);
  const data = new Uint8Array(shape.dataBytes).fill(0xdd);
  return framePdu(headerOf(shape), additional, data, digests);
}

function readerFor(digests: { header: boolean; data: boolean }): PduReader {
  const reader = new PduReader(1024);
  reader.headerDigest = digests.header;
  reader.dataDigest = digests.data;
  return reader;
}

const SWITCHES = [
  { header: false, data: false },
  { header: true, data: false },
  { header: false, data: true },
  { header: true, data: true },
];

describe.each(SWITCHES)("PDUs with digests %j", (digests) => {
  it("have the length that the RFC says", () => {
    for (const shape of SHAPES) {
      const padded = Math.ceil(shape.dataBytes / 4) * 4;
      const expected =
        48 +
        shape.additionalWords * 4 +
        (digests.header ? 4 : 0) +
        padded +
        (digests.data && padded > 0 ? 4 : 0);
      expect(frameOf(shape, digests)).toHaveLength(expected);
    }
  });

  it("are read wherever the stream is cut", () => {
    const stream = Buffer.concat(SHAPES.map((shape) => frameOf(shape, digests)));
    for (let at = 0; at <= stream.length; at += 1) {
      const reader = readerFor(digests);
      const seen: Shape[] = [];
      for (const piece of [stream.subarray(0, at), stream.subarray(at)]) {
        reader.push(piece);
        for (let pdu = reader.next(); pdu !== undefined; pdu = reader.next()) {
          expect(pdu.header).toHaveLength(48);
          expect(pdu.data.every((byte) => byte === 0xdd)).toBe(true);
          expect(pdu.additionalHeader.every((byte) => byte === 0xaa)).toBe(true);
          const additionalWords = pdu.additionalHeader.length / 4;
          seen.push({ additionalWords, dataBytes: pdu.data.length });
        }
      }
      expect(seen).toEqual(SHAPES);
      expect(reader.bufferedBytes).toBe(0);
    }
  });

  it("are refused where a byte under a digest differs", () => {
    const shape = { additionalWords: 1, dataBytes: 6 };
    const frame = frameOf(shape, digests);
    const headerEnd = 52 + (digests.header ? 4 : 0);
    for (let at = 8; at < frame.length; at += 1) {
      const covered = at < headerEnd ? digests.header : digests.data;
      const damaged = Buffer.from(frame);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      const reader = readerFor(digests);
      reader.push(damaged);
      if (covered) expect(() => reader.next()).toThrow(InitiatorError);
      else expect(reader.next()).toBeDefined();
    }
  });
});

describe("a PDU reader", () => {
  it("takes no longer segment than was declared", () => {
    const reader = new PduReader(512);
    reader.push(frameOf({ additionalWords: 0, dataBytes: 513 }, { header: false, data: false }));
    expect(() => reader.next()).toThrow(/513 bytes, but 512/);
  });

  it("reads digests with their least significant byte first", () => {
    expect(digestAt(Uint8Array.of(0, 0x78, 0x56, 0x34, 0xf2), 1)).toBe(0xf2345678);
  });
});
