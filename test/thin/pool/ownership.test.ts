import { expect, test } from "vitest";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

test("what a volume shared with a snapshot is its own again when that is gone", async () => {
  const bench = await PoolBench.make();
  const sizeBytes = 4 * MIB;
  const spec = { name: "kept", uuid: bench.uuid(), sizeBytes, reservedBytes: sizeBytes };
  const volume = await bench.drive(bench.pool.createVolume(spec));
  await bench.fill(volume, 0, 10, 1);
  expect(bench.pool.usage().reservedBytes).toBe(sizeBytes - 10 * EXTENT);
  const snapshot = await bench.snapshot(volume, "monday");
  await bench.fill(volume, 0, 3, 2);
  expect(bench.pool.usage().reservedBytes).toBe(sizeBytes - 3 * EXTENT);
  await bench.drive(bench.pool.delete(snapshot));
  await bench.pass(1000);
  expect(bench.pool.usage().reservedBytes).toBe(sizeBytes - 10 * EXTENT);
  await bench.expectSound();
});

test("a volume that is given a reservation has what it owns counted: a replay does not", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", 4 * MIB);
  await bench.fill(volume, 0, 3, 1);
  await bench.snapshot(volume, "copy");
  await bench.fill(volume, 0, 10, 2);
  await bench.kill();
  const reservedBytes = 4 * MIB;
  await bench.drive(bench.pool.setAttributes(bench.pool.volume("data"), { reservedBytes }));
  expect(bench.pool.usage().reservedBytes).toBe(reservedBytes - 10 * EXTENT);
  await bench.expectSound();
});
