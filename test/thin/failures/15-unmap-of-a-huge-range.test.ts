import { expect, test } from "vitest";
import { JOURNAL_OFFSET_BYTES } from "../../../src/thin/format/layout.ts";
import { discard } from "../../../src/util/io-request.ts";
import { EXTENT } from "../pool/support/pool-bench.ts";
import { loggedBench } from "./support/bench.ts";

/**
 * openzfs#11407 and #6307: volumes hold everything up for minutes, and TRIM gets through 100 MB in 4 to 6 seconds where each
 * piece is waited for.
 *
 * Here an UNMAP is logged as a run, however long, and acknowledged without a flush; what it frees is passed down later.
 */

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
