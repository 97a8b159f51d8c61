import { expect, test } from "vitest";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, PoolBench } from "./support/pool-bench.ts";

test.each([false, true])(
  "nor does what is cut off inside an extent (shared: %s)",
  async (shared) => {
    const bench = await PoolBench.make();
    const volume = await bench.create("data", 2 * EXTENT);
    await bench.fill(volume, 0, 2, 0xaa);
    const snapshot = shared ? await bench.snapshot(volume, "before") : null;
    const sizeBytes = EXTENT + 5 * 512;
    await bench.drive(bench.pool.resize(volume, sizeBytes, true));
    await bench.drive(bench.pool.resize(volume, 2 * EXTENT, false));
    const content = await bench.drive(readBytes(volume, 0, 2 * EXTENT));
    expect(content.subarray(0, sizeBytes).equals(Buffer.alloc(sizeBytes, 0xaa))).toBe(true);
    expect(content.subarray(sizeBytes).equals(Buffer.alloc(2 * EXTENT - sizeBytes))).toBe(true);
    if (snapshot !== null) expect(await bench.byteAt(snapshot, 1)).toBe(0xaa);
    await bench.expectSound();
  },
);

test("nor does it where the extent is PARTIAL", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", EXTENT);
  await bench.fill(volume, 0, 1, 0xaa);
  await bench.snapshot(volume, "base");
  await bench.drive(writeBytes(volume, 8192, Buffer.alloc(4096, 0xbb)));
  await bench.drive(bench.pool.resize(volume, 10_240, true));
  await bench.drive(bench.pool.resize(volume, EXTENT, false));
  const content = await bench.drive(readBytes(volume, 0, EXTENT));
  expect([content[0], content[8192], content[10_239]]).toEqual([0xaa, 0xbb, 0xbb]);
  expect(content.subarray(10_240).equals(Buffer.alloc(EXTENT - 10_240))).toBe(true);
  await bench.expectSound();
});

test("an end inside an extent that was never written past it costs nothing", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", EXTENT + 512);
  await bench.drive(writeBytes(volume, EXTENT, Buffer.alloc(512, 4)));
  const { dataBytes } = bench.pool.usage();
  await bench.drive(bench.pool.resize(volume, 2 * EXTENT, false));
  expect(bench.pool.usage().dataBytes).toBe(dataBytes);
});
