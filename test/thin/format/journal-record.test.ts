import { describe, expect, it } from "vitest";
import { FormatFault } from "../../../src/thin/format/fault.ts";
import {
  decodeRecord,
  encodeRecord,
  recordBytes,
} from "../../../src/thin/format/journal-record.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { goldenRecords } from "./support/golden.ts";
import { RECORD_KINDS, randomRecord } from "./support/random-structures.ts";

const seed = chooseSeed(process.env);

describe(`journal records (THINLUN_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);

  it("are read as they were written, of each kind, at every place", () => {
    for (let round = 0; round < 300 * RECORD_KINDS; round += 1) {
      const record = randomRecord(random, round % RECORD_KINDS);
      const offset = random.below(50);
      const bytes = random.bytes(offset + recordBytes(record) + 7);
      const end = encodeRecord(record, bytes, offset);
      expect(end).toBe(offset + recordBytes(record));
      expect(decodeRecord(bytes, offset, bytes.length)).toEqual({ record, next: end });
    }
  });

  it("are refused where they are cut off", () => {
    for (const record of goldenRecords) {
      const bytes = new Uint8Array(recordBytes(record));
      encodeRecord(record, bytes, 0);
      for (let end = 0; end < bytes.length; end += 1) {
        expect(decodeRecord(bytes, 0, end)).toBeInstanceOf(FormatFault);
      }
    }
  });

  it("are refused with a length that is not theirs", () => {
    for (const record of goldenRecords) {
      const bytes = new Uint8Array(recordBytes(record) + 300);
      const length = encodeRecord(record, bytes, 0);
      for (let wrong = 0; wrong < bytes.length; wrong += 1) {
        if (wrong === length) continue;
        bytes[2] = wrong;
        bytes[3] = wrong >> 8;
        expect(decodeRecord(bytes, 0, bytes.length), record.kind).toBeInstanceOf(FormatFault);
      }
    }
  });

  it("are refused when they are of an unknown kind, or have an unknown flag", () => {
    const bytes = new Uint8Array(64);
    for (const kind of [0, 15, 255]) {
      encodeRecord({ kind: "delete", volume: 1 }, bytes, 0);
      bytes[0] = kind;
      expect(decodeRecord(bytes, 0, 64)).toMatchObject({ kind: "unsupported" });
    }
    encodeRecord({ kind: "delete", volume: 1 }, bytes, 0);
    bytes[1] = 1;
    expect(decodeRecord(bytes, 0, 64)).toMatchObject({ kind: "unsupported" });
  });

  it.each<[string, number, number, number]>([
    ["a map of no extent", 0, 20, 0],
    ["a map that crosses a leaf", 0, 21, 4],
    ["a map past all volumes", 0, 12, 17],
    ["a map past all extents", 0, 19, 0xff],
    ["a map of volume 0", 0, 4, 0],
    ["an unmap of more than a volume", 4, 21, 0xff],
    ["a rollback to volume 0", 7, 8, 0],
    ["a size that is not whole sectors", 8, 8, 1],
    ["a grown device that is another", 12, 4, 0],
    ["a virgin mark of no segment", 13, 4, 64],
    ["a threshold count without thresholds", 14, 4 + 72, 9],
  ])("are refused with impossible values: %s", (_, index, at, value) => {
    const record = goldenRecords[index];
    if (record === undefined) throw new Error("no such record");
    const bytes = new Uint8Array(recordBytes(record));
    encodeRecord(record, bytes, 0);
    bytes[at] = value;
    expect(decodeRecord(bytes, 0, bytes.length)).toMatchObject({ kind: "damaged" });
  });

  it("never read as more than they say, whatever their bytes are", () => {
    for (let round = 0; round < 5000; round += 1) {
      const record = randomRecord(random, round % RECORD_KINDS);
      const bytes = new Uint8Array(recordBytes(record));
      encodeRecord(record, bytes, 0);
      bytes[random.between(4, bytes.length - 1)] = random.below(256);
      const decoded = decodeRecord(bytes, 0, bytes.length);
      if (decoded instanceof FormatFault) continue;
      const again = new Uint8Array(bytes.length);
      encodeRecord(decoded.record, again, 0);
      expect(Buffer.compare(again, bytes)).toBe(0);
    }
  });
});
