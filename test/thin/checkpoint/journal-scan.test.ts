import { describe, expect, it } from "vitest";
import type { BlockDevice } from "../../../src/device/block-device.ts";
import { ErrorFilter, type ErrorRule } from "../../../src/device/error-filter.ts";
import {
  chooseReplay,
  isBlockLost,
  scanJournal,
} from "../../../src/thin/checkpoint/journal-scan.ts";
import type { Recovered } from "../../../src/thin/checkpoint/recovery.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { appendRecord, syncBarrier } from "../../../src/thin/log/promises.ts";
import { IoKind } from "../../../src/util/io-request.ts";
import { attributesOf, copyOf, dump, formatted, opened, POOL_UUID } from "./fixture.ts";

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

/** Blocks of a pool's ring that cannot be read, `count` from `seq` on. */
function unreadable({ superblocks }: Recovered, seq: number, count = 1): ErrorRule {
  const { offsetBytes, blocks } = superblocks.last.journal;
  const startBytes = offsetBytes + (seq % blocks) * 4096;
  return { error: "medium", kind: IoKind.read, startBytes, endBytes: startBytes + count * 4096 };
}

describe("a journal with blocks that cannot be read", () => {
  const openWith = (device: BlockDevice, rule: ErrorRule, boot: number): Promise<Recovered> =>
    opened([new ErrorFilter(device, [rule])], boot);

  it("ends where the power has torn a block so that its disk gives it back no more", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
    await syncBarrier(pool.barrier);
    const expected = await dump(pool.state);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(2) });
    const torn = unreadable(pool, pool.journal.appliedSeq);
    const back = await openWith(copyOf(device!), torn, 2);
    expect(await dump(back.state)).toBe(expected);
    expect(back.report).toMatchObject({ fellBack: false, discarded: 0 });
    // Nothing was written to its place before the process died again.
    const again = await openWith(copyOf(device!), torn, 1);
    expect(await dump(again.state)).toBe(expected);
  });

  it("is opened where they are needed by nobody, whatever the boot", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
    await syncBarrier(pool.barrier);
    const expected = await dump(pool.state);
    for (const distance of [2, 100, 254]) {
      const rule = unreadable(pool, pool.journal.appliedSeq + distance);
      for (const boot of [1, 2]) {
        const back = await openWith(copyOf(device!), rule, boot);
        expect(await dump(back.state)).toBe(expected);
      }
    }
  });

  it("is refused where a barrier or the boot says that one of them was whole", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
    const rule = unreadable(pool, pool.journal.appliedSeq);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(2) });
    const uncovered = copyOf(device!);
    await syncBarrier(pool.barrier);
    const message = /block \d+ of the journal is broken, and was whole before/;
    for (const boot of [1, 2]) {
      await expect(openWith(copyOf(device!), rule, boot)).rejects.toThrow(message);
    }
    await expect(openWith(copyOf(uncovered), rule, 1)).rejects.toThrow(message);
    expect((await openWith(uncovered, rule, 2)).state.volumes.size).toBe(0);
  });

  it("names them, and is none at all where a whole stretch of it is gone, or the device", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    for (let id = 1; id <= 5; id += 1) {
      await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(id) });
    }
    const { epoch, checkpointSeq, journal } = pool.superblocks.last;
    const scan = (rule: ErrorRule): ReturnType<typeof scanJournal> => {
      const ring = { device: new ErrorFilter(device!, [rule]), poolUuid: POOL_UUID, ...journal };
      return scanJournal(ring, epoch, checkpointSeq);
    };
    const some = await scan(unreadable(pool, checkpointSeq + 3, 2));
    expect(some.unreadable).toEqual([checkpointSeq + 3, checkpointSeq + 4]);
    expect(some.blocks.map(({ seq }) => seq - checkpointSeq)).toEqual([1, 2]);
    expect(some.beyond.map(({ seq }) => seq - checkpointSeq)).toEqual([5]);
    expect((await scan(unreadable(pool, -1))).unreadable).toEqual([]);
    const rest = {
      startBytes: journal.offsetBytes,
      endBytes: journal.offsetBytes + journal.blocks * 4096,
    };
    await expect(scan({ error: "medium", ...rest })).rejects.toMatchObject({ kind: "medium" });
    await expect(scan({ error: "gone", times: 1 })).rejects.toMatchObject({ kind: "gone" });
  });
});
