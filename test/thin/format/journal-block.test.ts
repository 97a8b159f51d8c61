import { describe, expect, it } from "vitest";
import { FormatFault } from "../../../src/thin/format/fault.ts";
import {
  JOURNAL_BLOCK_ROOM,
  JOURNAL_HEADER_BYTES,
  mayBeJournalBlock,
  openJournalBlock,
  sealJournalBlock,
} from "../../../src/thin/format/journal-block.ts";
import { encodeRecord, recordBytes } from "../../../src/thin/format/journal-record.ts";
import { blockCrc } from "../../../src/thin/format/page.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { setUint16LE, setUint32LE } from "../../../src/util/little-endian.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { GOLDEN_POOL, goldenJournalHex, goldenRecords } from "./support/golden.ts";
import { hexDump } from "./support/hex-dump.ts";
import { randomRecord, randomUuid, RECORD_KINDS } from "./support/random-structures.ts";

const seed = chooseSeed(process.env);

interface Block {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

function blockOf(poolUuid: string, records: readonly JournalRecord[], dirt: Uint8Array): Block {
  const bytes = dirt.slice();
  let at = JOURNAL_HEADER_BYTES;
  for (const record of records) at = encodeRecord(record, bytes, at);
  const crc = sealJournalBlock(bytes, {
    poolUuid,
    epoch: 3,
    seq: 42,
    prevCrc: 0xdead_beef,
    records: records.length,
    bytes: at - JOURNAL_HEADER_BYTES,
  });
  return { bytes, crc };
}

function resealed(bytes: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  change(copy);
  setUint32LE(copy, 60, blockCrc(copy));
  return copy;
}

describe(`a journal block (THINLUN_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);
  const empty = new Uint8Array(4096);

  it("is read as it was written, over whatever the buffer held", () => {
    for (let round = 0; round < 200; round += 1) {
      const poolUuid = randomUuid(random);
      const records: JournalRecord[] = [];
      let room = JOURNAL_BLOCK_ROOM;
      for (;;) {
        const record = randomRecord(random, random.below(RECORD_KINDS));
        room -= recordBytes(record);
        if (room < 0 || random.chance(0.02)) break;
        records.push(record);
      }
      const { bytes, crc } = blockOf(poolUuid, records, random.bytes(4096));
      expect(openJournalBlock(bytes, poolUuid)).toEqual({
        epoch: 3,
        seq: 42,
        prevCrc: 0xdead_beef,
        crc,
        records,
      });
    }
  });

  it("has the bytes that it always had", () => {
    const { bytes } = blockOf(GOLDEN_POOL, goldenRecords, empty);
    expect(hexDump(bytes)).toBe(goldenJournalHex);
  });

  it("is refused when any of its bytes is another", () => {
    const { bytes } = blockOf(GOLDEN_POOL, goldenRecords, empty);
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
      expect(openJournalBlock(flipped, GOLDEN_POOL), `byte ${at}`).toBeInstanceOf(FormatFault);
    }
  });

  it("says by itself which one it is, for scans that want one of an epoch and hear of later ones", () => {
    const { bytes } = blockOf(GOLDEN_POOL, goldenRecords, empty);
    expect(mayBeJournalBlock(bytes, 3, 42)).toBe(true);
    expect(mayBeJournalBlock(bytes, 3, 41)).toBe(false);
    expect(mayBeJournalBlock(bytes, 2, 41)).toBe(true);
    expect(mayBeJournalBlock(bytes, 4, 42)).toBe(false);
  });

  it("is refused when it is cut off, nothing, or another pool's", () => {
    const { bytes } = blockOf(GOLDEN_POOL, goldenRecords, empty);
    for (const length of [0, 63, 64, 4095]) {
      expect(openJournalBlock(bytes.subarray(0, length), GOLDEN_POOL)).toBeInstanceOf(FormatFault);
    }
    expect(openJournalBlock(empty, GOLDEN_POOL)).toMatchObject({ kind: "absent" });
    expect(openJournalBlock(bytes, randomUuid(random))).toMatchObject({ kind: "misplaced" });
  });

  it("is refused when its counts do not fit its records", () => {
    const { bytes } = blockOf(GOLDEN_POOL, goldenRecords, empty);
    const wrong = [
      resealed(bytes, (copy) => setUint16LE(copy, 4, goldenRecords.length + 1)),
      resealed(bytes, (copy) => setUint16LE(copy, 6, 0xffff)),
      resealed(bytes, (copy) => setUint16LE(copy, 6, 24)),
      resealed(bytes, (copy) => copy.fill(1, 4095)),
      resealed(bytes, (copy) => copy.fill(1, 40, 41)),
      resealed(bytes, (copy) => copy.fill(0xff, 16, 24)),
    ];
    for (const block of wrong) {
      expect(openJournalBlock(block, GOLDEN_POOL)).toMatchObject({ kind: "damaged" });
    }
  });

  it("survives random records under a good checksum", () => {
    for (let round = 0; round < 500; round += 1) {
      const block = random.bytes(4096);
      sealJournalBlock(block, {
        poolUuid: GOLDEN_POOL,
        epoch: 1,
        seq: 1,
        prevCrc: 0,
        records: random.below(100),
        bytes: random.below(JOURNAL_BLOCK_ROOM + 1),
      });
      openJournalBlock(block, GOLDEN_POOL);
    }
  });
});
