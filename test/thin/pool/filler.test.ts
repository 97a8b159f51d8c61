import { expect, test } from "vitest";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
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

/** 32 PARTIAL extents over bases that nobody else has any more. */
async function partials(bench: PoolBench): Promise<ThinVolume> {
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 32, 1);
  const snapshot = await bench.snapshot(volume, "monday");
  for (let lext = 0; lext < 32; lext += 1) {
    await bench.drive(writeBytes(volume, lext * EXTENT, Buffer.alloc(4096, 2)));
  }
  await bench.drive(bench.pool.delete(snapshot));
  return volume;
}

/** How often the filler completes an extent of the volume from now on; `during` is called each time. */
function countFills(volume: ThinVolume, during: () => void): () => number {
  const fill = volume.fill.bind(volume);
  let filled = 0;
  volume.fill = (lext) => {
    filled += 1;
    during();
    return fill(lext);
  };
  return () => filled;
}

/** The filler's rounds in a second. */
const ROUNDS = 4;

test("where the program has much else to do, one extent is completed in a round, and all of them afterwards", async () => {
  let isHostBusy = true;
  const settings = { fillBytesPerSecond: 64 * MIB };
  const bench = await PoolBench.make({ settings, isHostBusy: () => isHostBusy });
  const filled = countFills(await partials(bench), () => undefined);
  await bench.pass(1000);
  expect(filled()).toBeGreaterThanOrEqual(1);
  expect(filled()).toBeLessThanOrEqual(ROUNDS);
  isHostBusy = false;
  await bench.pass(3000);
  expect(filled()).toBe(32);
  expect(bench.pool.usage().dataBytes).toBe(32 * EXTENT);
  await bench.expectSound();
});

test("a round that has begun ends when somebody writes", async () => {
  const bench = await PoolBench.make({ settings: { fillBytesPerSecond: 64 * MIB } });
  const volume = await partials(bench);
  // As a write does that comes while an extent is being completed.
  const filled = countFills(volume, () => {
    volume.engine.isDirty = true;
  });
  await bench.pass(1000);
  expect(filled()).toBeGreaterThanOrEqual(1);
  expect(filled()).toBeLessThanOrEqual(ROUNDS);
});
