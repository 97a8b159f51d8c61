import { expect, test } from "vitest";
import { isFault } from "../../../src/thin/format/fault.ts";
import { openJournalBlock } from "../../../src/thin/format/journal-block.ts";
import { JOURNAL_OFFSET_BYTES } from "../../../src/thin/format/layout.ts";
import { discard } from "../../../src/util/io-request.ts";
import { EXTENT, POOL_UUID } from "../pool/support/pool-bench.ts";
import { BLOCK, loggedBench, type LoggedBench, writeBlocks } from "./support/bench.ts";

/**
 * openzfs#11407 and #6307: volumes hold everything up for minutes, and TRIM gets through 100 MB in 4 to 6 seconds where each
 * piece is waited for.
 *
 * Here an UNMAP is logged as a run, however long, and acknowledged without a flush; what it frees is passed down later.
 */

/** The records that were appended: kind and run of each unmap, the kind of others. */
function records({ log }: LoggedBench): string[] {
  return log.events.flatMap(({ event }) => {
    if (event.kind !== "write" || event.bytes.length !== BLOCK) return [];
    const block = openJournalBlock(event.bytes, POOL_UUID);
    if (isFault(block)) return [];
    return block.records.map((each) => (each.kind === "unmap" ? `unmap ${each.run}` : each.kind));
  });
}

test("an UNMAP of a thousand mapped extents is a record for each leaf of the map", async () => {
  const logged = await loggedBench({ sizesMib: [96] });
  const { bench, log } = logged;
  const volume = await bench.create("data", 1200 * EXTENT);
  for (let lext = 0; lext < 1100; lext += 1) await writeBlocks(bench, volume, lext * 16, [1]);
  await log.begin();
  await bench.drive(discard(volume, 0, 1200 * EXTENT));
  expect(records(logged)).toEqual(["unmap 1008", "unmap 92"]);
  expect(log.flushes).toBe(0);
  expect(bench.pool.usage().mappedBytes).toBe(0);
});

test("an UNMAP of 256 TiB is a record or two, without a flush, and without a discard before its answer", async () => {
  const { bench, log } = await loggedBench();
  const sizeBytes = 2 ** 48;
  const volume = await bench.create("data", sizeBytes);
  const places = [0, 1, 5000, 3_000_000, sizeBytes / EXTENT - 1];
  for (const lext of places) await bench.fill(volume, lext, 1, 1);
  await log.begin();
  await bench.drive(discard(volume, 0, sizeBytes));
  const extentsAt = bench.pool.state.addresses.offsetOf(0);
  const writes = log.writes();
  expect(writes.length).toBeGreaterThan(0);
  expect(writes.length).toBeLessThanOrEqual(4);
  for (const { offsetBytes, lengthBytes } of writes) {
    expect(lengthBytes).toBe(4096);
    expect(offsetBytes).toBeGreaterThanOrEqual(JOURNAL_OFFSET_BYTES);
    expect(offsetBytes).toBeLessThan(extentsAt);
  }
  expect(log.events.filter(({ event }) => event.kind !== "write")).toEqual([]);
  for (const lext of places) expect(await bench.byteAt(volume, lext)).toBe(0);
  expect(bench.pool.usage().mappedBytes).toBe(0);
  const before = bench.pool.usage().freeBytes;
  await bench.drive(bench.pool.sync());
  await bench.pass(250);
  expect(bench.pool.usage().freeBytes).toBe(before + places.length * EXTENT);
  await bench.kill();
  expect(bench.pool.usage().mappedBytes).toBe(0);
  await bench.expectSound();
}, 60_000);
