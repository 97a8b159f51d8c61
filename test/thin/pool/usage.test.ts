import { expect, test } from "vitest";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

test("usage adds up", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", 100 * MIB);
  await bench.fill(volume, 0, 10, 1);
  const clone = await bench.snapshot(volume, "clone", false);
  await bench.fill(clone, 0, 2, 2);
  await bench.pass(1000);
  const usage = bench.pool.usage();
  expect(usage).toMatchObject({
    virtualBytes: 200 * MIB,
    mappedBytes: 20 * EXTENT,
    dataBytes: 12 * EXTENT,
    sharedBytes: 8 * EXTENT,
    quarantinedBytes: 0,
    overcommit: (200 * MIB) / usage.capacityBytes,
  });
  expect(usage.dataBytes + usage.metadataBytes + usage.freeBytes).toBe(usage.capacityBytes);
  expect(usage.volumes).toMatchObject([
    { name: "data", mappedBytes: 10 * EXTENT, ownedBytes: 0 },
    { name: "clone", mappedBytes: 10 * EXTENT, ownedBytes: 2 * EXTENT },
  ]);
});
