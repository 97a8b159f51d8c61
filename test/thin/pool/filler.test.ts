import { expect, test } from "vitest";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

test("PARTIAL extents are completed when nobody writes, and their bases come free", async () => {
  const bench = await PoolBench.make({ settings: { fillBytesPerSecond: 4 * MIB } });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 32, 1);
  const snapshot = await bench.snapshot(volume, "monday");
  for (let lext = 0; lext < 32; lext += 1) {
    await bench.drive(writeBytes(volume, lext * EXTENT, Buffer.alloc(4096, 2)));
  }
  await bench.drive(bench.pool.delete(snapshot));
  expect(bench.pool.usage().dataBytes).toBeGreaterThanOrEqual(64 * EXTENT);
  await bench.pass(10_000);
  expect(bench.pool.usage().dataBytes).toBe(32 * EXTENT);
  const content = await bench.drive(readBytes(volume, 31 * EXTENT, EXTENT));
  expect([content[0], content[4095], content[4096]]).toEqual([2, 2, 1]);
  await bench.expectSound();
});
