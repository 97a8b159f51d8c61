import { expect, test } from "vitest";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { IoKind, type IoRequest, readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

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

/** Tells of each read, once it is told to, and counts what is written from then on. */
class ReadTeller extends DeviceFilter {
  told: (() => void) | null = null;
  writes = 0;

  override tryRead(...range: Parameters<DeviceFilter["tryRead"]>): boolean {
    return this.told === null && super.tryRead(...range);
  }

  override tryWrite(...range: Parameters<DeviceFilter["tryWrite"]>): boolean {
    return this.told === null && super.tryWrite(...range);
  }

  override submit(request: IoRequest): void {
    if (request.kind === IoKind.read) this.told?.();
    if (request.kind === IoKind.write) this.writes += 1;
    super.submit(request);
  }
}

test("a pool that stops while it reads an extent does not write it anew: it may be another host's by then", async () => {
  const disk = new ReadTeller(new MemoryDevice(64 * MIB), "disk");
  const bench = await PoolBench.make({ devices: [disk] });
  const volume = await bench.create("data", EXTENT);
  await bench.fill(volume, 0, 1, 1);
  await bench.drive(bench.pool.resize(volume, 512, true));
  const { dataBytes } = bench.pool.usage();
  disk.writes = 0;
  disk.told = () => bench.pool.fence(new PoolError("foreign", "another host has it"));
  const growing = bench.drive(bench.pool.resize(volume, EXTENT, false));
  await expect(growing).rejects.toMatchObject({ kind: "failed" });
  expect(disk.writes).toBe(0);
  expect(bench.pool.usage().dataBytes).toBe(dataBytes);
});
