import { describe, expect, it } from "vitest";
import { chooseReplay, isBlockLost } from "../../../src/thin/checkpoint/journal-scan.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";

const unsafe: JournalRecord = { kind: "delete", volume: 1 };
const safe: JournalRecord = { kind: "unmap", volume: 1, lext: 0, run: 1 };
const barrier = (upto: number): JournalRecord => ({ kind: "barrier", upto });

function blocksOf(
  ...records: JournalRecord[][]
): { seq: number; crc: number; records: JournalRecord[] }[] {
  return records.map((some, index) => ({ seq: 11 + index, crc: 0, records: some }));
}

describe("what of a journal is carried out", () => {
  it("is all of it after a kill", () => {
    const chosen = chooseReplay(blocksOf([unsafe], [barrier(11)], [unsafe]), true, 10);
    expect(chosen.records.map(({ seq }) => seq)).toEqual([11, 13]);
    expect([chosen.replayed, chosen.discarded]).toEqual([3, 0]);
  });

  it("is what a barrier covers, and on while records are safe, after a power loss", () => {
    const blocks = blocksOf([unsafe], [unsafe], [barrier(12), safe], [safe, unsafe, safe], [safe]);
    const chosen = chooseReplay(blocks, false, 10);
    expect(chosen.records.map(({ seq }) => seq)).toEqual([11, 12, 13, 14]);
    expect([chosen.replayed, chosen.discarded]).toEqual([3, 2]);
  });

  it("is also what a newer checkpoint had covered", () => {
    expect(chooseReplay(blocksOf([unsafe], [unsafe]), false, 11).records).toHaveLength(1);
  });

  it("is nothing where a block is lost that was there", () => {
    const blocks = blocksOf([safe], [safe]);
    const after = (record: JournalRecord) => [{ seq: 14, crc: 0, records: [record] }];
    expect(isBlockLost({ blocks, beyond: [] }, 10, true)).toBe(false);
    expect(isBlockLost({ blocks, beyond: after(safe) }, 10, true)).toBe(true);
    expect(isBlockLost({ blocks, beyond: after(safe) }, 10, false)).toBe(false);
    expect(isBlockLost({ blocks, beyond: after(barrier(12)) }, 10, false)).toBe(false);
    expect(isBlockLost({ blocks, beyond: after(barrier(13)) }, 10, false)).toBe(true);
  });
});
