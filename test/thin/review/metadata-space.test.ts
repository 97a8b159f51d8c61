import { expect, test } from "vitest";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { IoKind, type IoRequest, writeBytes } from "../../../src/util/io-request.ts";
import { NO_EXTENT } from "../../../src/thin/format/geometry.ts";
import { openState } from "../map/pool-harness.ts";
import { EXTENT, MIB, PoolBench } from "../pool/support/pool-bench.ts";

/** Keeps requests of one kind until they are let go. */
class Holding extends DeviceFilter {
  kind: IoKind | null = null;
  readonly held: IoRequest[] = [];

  override submit(request: IoRequest): void {
    if (request.kind === this.kind) this.held.push(request);
    else super.submit(request);
  }

  letAll(): void {
    this.kind = null;
    for (const request of this.held.splice(0)) super.submit(request);
  }
}

test("a checkpoint finds its places while free extents are being discarded", async () => {
  const device = new Holding(new MemoryDevice(64 * MIB, "disk"), "disk");
  const bench = await PoolBench.make({ devices: [device], isZero: false });
  await bench.create("data", 1024 * MIB);
  await bench.close();
  bench.settings = { discardBytesPerSecond: 1024 * MIB };
  await bench.open();
  const volume = bench.pool.volume("data");
  const { space } = volume.engine.state;
  for (let leaf = 0; leaf < 16; leaf += 1) {
    await bench.drive(writeBytes(volume, leaf * 1008 * EXTENT, Buffer.alloc(4096, 1)));
  }
  device.kind = IoKind.discard;
  await bench.pass(500);
  expect(space.punchingExtents).toBeGreaterThan(100);
  for (let count = 0; count < 8; count += 1) await bench.drive(bench.pool.checkpoint());
  expect(bench.pool.failure).toBeNull();
  device.letAll();
  await bench.pass(500);
  await bench.expectSound();
});

test("data do not take what a checkpoint needs before the virgin mark has moved on", async () => {
  const { space } = await openState();
  space.metadataReserveExtents = 40;
  let taken = 0;
  while (space.allocate(null, 64) !== NO_EXTENT) taken += space.lastRun;
  expect([taken, space.allocatableExtents]).toEqual([256, 44]);
  // Four more are for the pages of the next change.
  expect(space.nextVirgin()).toEqual({ segment: 0, from: 400 });
  for (let block = 0; block < 40 * 4; block += 1) space.takeMetadataBlock();
});
