import { describe, expect, it } from "vitest";
import { crc32c } from "../../native-free/crc32c.ts";
import { LoadAction, type Load } from "../../src/initiator/load.ts";
import { LoadFrames } from "../../src/initiator/load-frames.ts";
import { DEFAULT_OFFERS, defaultParameters } from "../../src/initiator/parameters.ts";
import { PduReader } from "../../src/initiator/pdu-reader.ts";

const LOAD: Load = {
  kind: "write",
  pattern: "random",
  lun: 7,
  luns: [1, 2],
  commandBytes: 8192,
  queueDepth: 4,
  blockBytes: 512,
  capacityBlocks: 2048,
};

const PARAMETERS = {
  ...defaultParameters(DEFAULT_OFFERS),
  initialR2t: false,
  targetMaxRecvDataSegmentLength: 2048,
  firstBurstLength: 6144,
};
const WITH_DIGESTS = { ...PARAMETERS, headerDigest: true, dataDigest: true };

/** The PDUs in some bytes; throws for a digest that is wrong. */
function pdusOf(bytes: Buffer, digests: boolean): { header: Uint8Array; data: Uint8Array }[] {
  const reader = new PduReader(1 << 20);
  reader.headerDigest = digests;
  reader.dataDigest = digests;
  reader.push(bytes);
  const pdus = [];
  for (let pdu = reader.next(); pdu !== undefined; pdu = reader.next()) {
    pdus.push({ header: Uint8Array.from(pdu.header), data: Uint8Array.from(pdu.data) });
  }
  return pdus;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe.each([
  ["without digests", PARAMETERS, false],
  ["with digests", WITH_DIGESTS, true],
] as const)("the frames of a load, %s,", (_name, parameters, digests) => {
  it("carry a write, its unsolicited data, and what an R2T asks for", () => {
    const frames = new LoadFrames(LOAD, parameters);
    const frame = frames.make(3, LoadAction.write, 77);
    frames.prepare(frame, 0x1234, 0xaabb, 0xccdd);
    const [command, ...dataOut] = pdusOf(frame.bytes, digests);
    expect(hex(command?.header.subarray(0, 48) ?? new Uint8Array())).toBe(
      // Write and not final, 2048 bytes along, LUN 2, tag 3, 8192 bytes in all, CmdSN and ExpStatSN, WRITE (16) of 16 blocks.
      "0121000000000800" +
        "0002000000000000" +
        "0000000300002000" +
        "0000aabb0000ccdd" +
        "8a00000000000000" +
        "1234000000100000",
    );
    expect(command?.data.length).toBe(2048);
    expect(dataOut.map(({ data }) => data.length)).toEqual([2048, 2048]);
    const request = {
      initiatorTaskTag: 3,
      targetTransferTag: 9,
      r2tSn: 0,
      bufferOffset: 6144,
      desiredDataTransferBytes: 2048,
    };
    const answer = pdusOf(Buffer.concat(frames.answer(frame, request, 5)), digests);
    expect(answer).toHaveLength(1);
    expect(answer[0]?.data.every((byte) => byte === 0x5a)).toBe(true);
    // Final, tag of the R2T, ExpStatSN 5, DataSN 0, at 6144.
    expect(hex(answer[0]?.header.subarray(16, 48) ?? new Uint8Array())).toBe(
      "0000000300000009" + "0000000000000005" + "0000000000000000" + "0000180000000000",
    );
  });

  it("carry an UNMAP whose list is signed anew for each address", () => {
    const frames = new LoadFrames({ ...LOAD, kind: "unmap" }, parameters);
    const frame = frames.make(0, LoadAction.unmap, 0);
    for (const block of [16, 0x1_0000_0010]) {
      frames.prepare(frame, block, 1, 1);
      const [pdu, ...rest] = pdusOf(frame.bytes, digests);
      expect(rest).toEqual([]);
      expect(hex(pdu?.header.subarray(32, 42) ?? new Uint8Array())).toBe("42000000000000001800");
      const list = Buffer.from(pdu?.data ?? []);
      expect(list.length).toBe(24);
      expect([list.readUInt16BE(0), list.readUInt16BE(2)]).toEqual([22, 16]);
      expect(list.readBigUInt64BE(8)).toBe(BigInt(block));
      expect(list.readUInt32BE(16)).toBe(16);
    }
  });

  it("carry a flush of everything", () => {
    const frames = new LoadFrames({ ...LOAD, flushEvery: 2 }, parameters);
    const frame = frames.make(0, LoadAction.flush, 0);
    frames.prepare(frame, 0, 5, 6);
    const [pdu] = pdusOf(frame.bytes, digests);
    expect(hex(pdu?.header.subarray(32, 48) ?? new Uint8Array())).toBe(`91${"00".repeat(15)}`);
    expect(pdu?.header[1]).toBe(0x81);
  });

  it("know what follows a header that comes", () => {
    const frames = new LoadFrames({ ...LOAD, kind: "read" }, parameters);
    expect(frames.bytesAfterHeader(0)).toBe(digests ? 4 : 0);
    expect(frames.bytesAfterHeader(5)).toBe(digests ? 16 : 8);
  });
});

it("a digest is that of the header as it is sent", () => {
  const frames = new LoadFrames({ ...LOAD, kind: "read" }, WITH_DIGESTS);
  const { bytes } = frames.make(1, LoadAction.read, 0);
  expect(bytes.readUInt32LE(48)).toBe(crc32c(bytes, 0, 48));
});
