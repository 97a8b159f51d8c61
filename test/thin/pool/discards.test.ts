import { expect, test } from "vitest";
import type { DeviceTraits } from "../../../src/device/block-device.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { Discards } from "../../../src/thin/pool/discards.ts";
import { DISCARD_BACKOFF_MS_MIN } from "../../../src/thin/pool/limits.ts";
import { RateLimit } from "../../../src/thin/pool/rate-limit.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import {
  discard,
  IoKind,
  type IoRequest,
  readBytes,
  writeBytes,
} from "../../../src/util/io-request.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { silentLog } from "../../../src/util/log.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

/** Takes discards and promises nothing, as many disks do; or refuses them. */
class NoZeros extends MemoryDevice {
  override readonly traits: DeviceTraits = { ...new MemoryDevice(0).traits, discardZeroes: false };
  discards = 0;
  error = false;
  onDiscard: () => void = () => undefined;

  override submit(request: IoRequest): void {
    if (request.kind !== IoKind.discard) {
      super.submit(request);
      return;
    }
    this.discards += 1;
    this.onDiscard();
    request.done(this.error ? new IoError("medium", "EIO", { object: this.name }) : null);
  }
}

test("discards are passed down in the background, and the extents are zeros again", async () => {
  const bench = await PoolBench.make({ settings: { discardBytesPerSecond: 64 * MIB } });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 64, 1);
  await bench.pass(1000);
  const [device] = bench.devices;
  const allocated = (): number => (device as unknown as { allocatedBytes: number }).allocatedBytes;
  const before = allocated();
  await bench.drive(discard(volume, 0, 64 * EXTENT));
  await bench.pass(3000);
  expect(allocated()).toBeLessThan(before);
  const { space } = volume.engine.state;
  expect(space.punchingExtents).toBe(0);
  expect(space.takeForDiscard(1)).toBeNull();
  await bench.drive(writeBytes(volume, 0, Buffer.alloc(512, 3)));
  expect((await readBytes(volume, 0, 4096))[600]).toBe(0);
  await bench.expectSound();
});

test("discards go on after a reopen, for nothing about them is stored", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 64, 1);
  await bench.drive(discard(volume, 0, 64 * EXTENT));
  await bench.close();
  bench.settings = { discardBytesPerSecond: 64 * MIB };
  await bench.open();
  const { space } = bench.pool.volume("data").engine.state;
  await bench.pass(5000);
  expect(space.takeForDiscard(1)).toBeNull();
  await bench.expectSound();
});

test("they are as fast as they may be, and no faster", async () => {
  const bench = await PoolBench.make({ isZero: false });
  const { engine } = await bench.create("data");
  const rate = new RateLimit(bench.clock, 4 * MIB);
  const discards = new Discards(
    {
      state: engine.state,
      barrier: engine.barrier as never,
      health: engine.health,
      log: silentLog,
    },
    rate,
    bench.clock,
  );
  const { space } = engine.state;
  const zeroExtents = (): number => {
    let count = 0;
    for (let phys = 0; phys < engine.state.addresses.extentCount; phys += 1) {
      if (space.isZeroKnown(phys)) count += 1;
    }
    return count;
  };
  expect(zeroExtents()).toBe(0);
  await bench.drive(discards.round());
  // One discard is not cut short; what it took too much is paid off before the next.
  const first = zeroExtents();
  expect(first).toBeGreaterThan(0);
  await bench.drive(discards.round());
  expect(zeroExtents()).toBe(first);
  bench.clock.advance(60_000);
  await bench.drive(discards.round());
  expect(space.takeForDiscard(1)).toBeNull();
});

test("a pool that stops passes nothing more down: what is free may be another host's by now", async () => {
  const disk = new NoZeros(256 * MIB, "disk");
  const bench = await PoolBench.make({ devices: [disk], isZero: false });
  const { engine } = await bench.create("data");
  const rate = new RateLimit(bench.clock, 2 ** 40);
  const discards = new Discards(
    {
      state: engine.state,
      barrier: engine.barrier as never,
      health: engine.health,
      log: silentLog,
    },
    rate,
    bench.clock,
  );
  disk.onDiscard = () => bench.pool.fence(new PoolError("foreign", "another host has it"));
  await bench.drive(discards.round());
  expect(disk.discards).toBe(1);
  await bench.drive(discards.round());
  expect(disk.discards).toBe(1);
  expect(engine.state.space.punchingExtents).toBe(0);
});

test("a device that makes no zeros of them is asked again only after a while", async () => {
  const disk = new NoZeros(64 * MIB, "disk");
  const bench = await PoolBench.make({ devices: [disk], isZero: false });
  const { engine } = await bench.create("data");
  const rate = new RateLimit(bench.clock, 2 ** 40);
  const discards = new Discards(
    {
      state: engine.state,
      barrier: engine.barrier as never,
      health: engine.health,
      log: silentLog,
    },
    rate,
    bench.clock,
  );
  await bench.drive(discards.round());
  const asked = disk.discards;
  expect(asked).toBeGreaterThan(0);
  await bench.drive(discards.round());
  expect(disk.discards).toBe(asked);
  bench.clock.advance(DISCARD_BACKOFF_MS_MIN);
  await bench.drive(discards.round());
  expect(disk.discards).toBeGreaterThan(asked);
  disk.error = true;
  bench.clock.advance(4 * DISCARD_BACKOFF_MS_MIN);
  await bench.drive(discards.round());
  expect(discards.failures).toBeGreaterThan(0);
  const usage = bench.pool.usage();
  expect(usage.dataBytes + usage.metadataBytes + usage.freeBytes).toBe(usage.capacityBytes);
});
