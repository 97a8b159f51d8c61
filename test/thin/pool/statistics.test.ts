import { expect, test } from "vitest";
import { MIB, PoolBench } from "./support/pool-bench.ts";

/** How many values a histogram has. */
function total({ counts }: { readonly counts: Float64Array }): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

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
  expect(idle.barrierRunningMs).toBe(0);
  await bench.close();
});

test("statistics tell how many writers share a block of the journal, and how many barriers there were", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", 10 * MIB);
  await bench.pass(10_000);
  const before = bench.pool.statistics();
  const [blocks, barriers] = [total(before.journalBlockRecords), total(before.barrierDurationsMs)];
  const records = before.journalBlockRecords.sum;
  await bench.fill(volume, 0, 64, 1);
  await bench.pass(5000);
  const { journalBlockRecords, journalAppendsTotal, barrierDurationsMs } = bench.pool.statistics();
  const appends = journalAppendsTotal - before.journalAppendsTotal;
  expect(appends).toBeGreaterThan(0);
  expect(total(journalBlockRecords)).toBeGreaterThan(blocks);
  expect(journalBlockRecords.sum - records).toBeGreaterThanOrEqual(appends);
  expect(total(barrierDurationsMs)).toBeGreaterThan(barriers);
  await bench.close();
});

test("statistics name all thresholds, each once, and below what the pool grows", async () => {
  const grower = (): Promise<readonly never[]> => Promise.resolve([]);
  const bench = await PoolBench.make({
    thresholds: [0.5, 0.8],
    settings: {
      thresholds: [0.8, 0.7],
      growth: { lowWaterBytes: MIB, stepBytes: MIB, grower },
    },
  });
  const { thresholds, lowWaterBytes, isFull } = bench.pool.statistics();
  expect({ thresholds, lowWaterBytes, isFull }).toEqual({
    thresholds: [0.5, 0.7, 0.8],
    lowWaterBytes: MIB,
    isFull: false,
  });
  await bench.close();
  const plain = await PoolBench.make();
  expect(plain.pool.statistics().lowWaterBytes).toBe(null);
  await plain.close();
});
