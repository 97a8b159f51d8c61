import { expect, test } from "vitest";
import { JOURNAL_OFFSET_BYTES } from "../../../src/thin/format/layout.ts";
import { EXTENT } from "../pool/support/pool-bench.ts";
import { BLOCK, type LoggedBench, loggedBench, readBlocks, writeBlocks } from "./support/bench.ts";

/**
 * spdk#359, longhorn#10247 and #6612: the first write to a cluster of 1 to 4 MiB copies or zeroes all of it: from 147,000
 * operations a second to 5.
 *
 * Here 4 KiB written for the first time, to a hole or after a snapshot, write 4 KiB of data and one block of the journal, and read
 * nothing.
 */

/** What the device was asked to do: bytes of data, blocks of the journal, reads. */
function costs({ bench, log }: LoggedBench): { data: number[]; journal: number; reads: number } {
  const extentsAt = bench.pool.state.addresses.offsetOf(0);
  const writes = log.writes();
  const inJournal = writes.filter(
    ({ offsetBytes }) => offsetBytes >= JOURNAL_OFFSET_BYTES && offsetBytes < extentsAt,
  );
  const data = writes.filter(({ offsetBytes }) => offsetBytes >= extentsAt);
  expect(inJournal.length + data.length).toBe(writes.length);
  expect(log.flushes).toBe(0);
  return {
    data: data.map(({ lengthBytes }) => lengthBytes),
    journal: inJournal.length,
    reads: log.devices[0]!.reads.length,
  };
}

test("4 KiB cost 4 KiB and a record: in a hole, in an extent of unknown content, and after a snapshot", async () => {
  for (const garbage of [undefined, 0xee]) {
    const logged = await loggedBench(garbage === undefined ? {} : { garbage });
    const { bench, log } = logged;
    const volume = await bench.create("data", 64 * EXTENT);
    const { space } = volume.engine.state;
    // The first extents were free when the pool was opened: what they hold is not known. Those behind them are zeros.
    for (let lext = 16; garbage === undefined && !space.lastIsZero; lext += 1) {
      await bench.fill(volume, lext, 1, 2);
    }
    await log.begin();
    await writeBlocks(bench, volume, 3, [7]);
    expect(costs(logged)).toEqual({ data: [BLOCK], journal: 1, reads: 0 });
    expect(space.lastIsZero).toBe(garbage === undefined);

    await bench.fill(volume, 8, 1, 1);
    const copy = await bench.snapshot(volume, "before");
    await log.begin();
    await writeBlocks(bench, volume, 8 * 16 + 5, [9]);
    expect(costs(logged)).toEqual({ data: [BLOCK], journal: 1, reads: 0 });
    // The next one into the same extent as well, and one into a place that is its own nothing but the block.
    await log.begin();
    await writeBlocks(bench, volume, 8 * 16 + 6, [10]);
    expect(costs(logged)).toEqual({ data: [BLOCK], journal: 1, reads: 0 });
    await log.begin();
    await writeBlocks(bench, volume, 8 * 16 + 6, [11]);
    expect(costs(logged)).toEqual({ data: [BLOCK], journal: 0, reads: 0 });

    expect(await readBlocks(bench, volume, 2, 3)).toEqual([0, 7, 0]);
    expect(await readBlocks(bench, volume, 8 * 16 + 4, 4)).toEqual([1, 9, 11, 1]);
    expect(await readBlocks(bench, copy, 8 * 16 + 4, 4)).toEqual([1, 1, 1, 1]);
  }
});
