import { expect, test } from "vitest";
import { MIB, PoolBench } from "./support/pool-bench.ts";

test("statistics tell what the journal holds, what is durable, and what checkpoints do about it", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", 10 * MIB);
  const before = bench.pool.statistics();
  await bench.fill(volume, 0, 4, 1);
  const written = bench.pool.statistics();
  expect(written.journalWrittenTotal).toBeGreaterThan(before.journalWrittenTotal);
  expect(written.journalBlocksInUse).toBeGreaterThan(before.journalBlocksInUse);
  expect(written.journalBlocks).toBeGreaterThan(written.journalBlocksInUse);
  expect(written.leaves).toBe(1);
  expect(written.leafDirtyPages).toBeGreaterThan(0);
  expect(written.leafResidentBytes).toBeGreaterThan(0);
  expect(written.leafMemoryBytes).toBeGreaterThanOrEqual(written.leafResidentBytes);
  // An idle pool writes a checkpoint by itself.
  await bench.pass(120_000);
  const idle = bench.pool.statistics();
  expect(idle.checkpointsTotal).toBeGreaterThan(written.checkpointsTotal);
  expect(idle.flushesTotal).toBeGreaterThan(written.flushesTotal);
  expect(idle.journalVolatileBlocks).toBe(0);
  expect(idle).toMatchObject({ isCheckpointing: false, leafDirtyPages: 0 });
  await bench.close();
});
