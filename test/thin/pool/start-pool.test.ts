import { expect, test } from "vitest";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import type { Barrier } from "../../../src/thin/log/barrier.ts";
import { discard, readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

/** A pool of which the last extent that may be used is used. */
async function fullBench(): Promise<{ bench: PoolBench; volume: ThinVolume; extents: number }> {
  const bench = await PoolBench.make({ sizeBytes: 40 * MIB });
  const volume = await bench.create("data", 64 * MIB);
  const extents = await bench.fillUp(volume, 0xee);
  return { bench, volume, extents };
}

/** What became of a write, without waiting for it. */
function watch(work: Promise<unknown>): { result: string } {
  const watched = { result: "waits" };
  work.then(
    () => (watched.result = "done"),
    (error: unknown) => (watched.result = (error as { kind: string }).kind),
  );
  return watched;
}

test("a write into a full pool waits, then fails as one that can be tried again, later for good", async () => {
  const { bench, volume, extents } = await fullBench();
  const first = watch(writeBytes(volume, extents * EXTENT, Buffer.alloc(EXTENT, 1)));
  await bench.pass(750);
  expect(first.result).toBe("waits");
  await bench.pass(500);
  expect(first.result).toBe("space-pending");
  await bench.pass(60_000, 5000);
  const late = watch(writeBytes(volume, extents * EXTENT, Buffer.alloc(EXTENT, 1)));
  await bench.pass(0);
  await bench.drive(Promise.resolve());
  expect(late.result).toBe("space");
  expect(bench.spaceEvents()).toEqual(["full"]);
  expect(bench.lines.some(({ message }) => message.startsWith("the pool is full"))).toBe(true);
  // What is there can be read and written all the same.
  await bench.fill(volume, 0, 1, 2);
  expect(await bench.byteAt(volume, 0)).toBe(2);
  expect(await bench.byteAt(volume, extents)).toBe(0);
  await bench.expectSound();
});

test.each(["unmap", "delete", "snapshot delete"])(
  "it goes on when %s frees space",
  async (kind) => {
    const bench = await PoolBench.make({ sizeBytes: 40 * MIB });
    const other = await bench.create("other", 4 * MIB);
    await bench.fill(other, 0, 8, 5);
    let victim = other;
    if (kind === "snapshot delete") {
      victim = await bench.snapshot(other, "monday");
      await bench.fill(other, 0, 8, 6);
    }
    const volume = await bench.create("data", 64 * MIB);
    const extents = await bench.fillUp(volume);
    const write = watch(writeBytes(volume, extents * EXTENT, Buffer.alloc(EXTENT, 1)));
    await bench.pass(250);
    expect(write.result).toBe("waits");
    if (kind === "unmap") await bench.drive(discard(other, 0, 8 * EXTENT));
    else await bench.drive(bench.pool.delete(victim));
    await bench.pass(250);
    expect(write.result).toBe("done");
    expect(await bench.byteAt(volume, extents)).toBe(1);
    expect(bench.events.map((event) => event.kind)).toContain("space-available");
    await bench.expectSound();
  },
);

test("snapshots, checkpoints and a clean end work in a full pool", async () => {
  const { bench, volume } = await fullBench();
  const snapshot = await bench.snapshot(volume, "monday");
  for (let count = 0; count < 5; count += 1) await bench.drive(bench.pool.checkpoint());
  const write = watch(writeBytes(volume, 0, Buffer.alloc(EXTENT, 1)));
  await bench.pass(1250);
  expect(write.result).toBe("space-pending");
  await bench.drive(bench.pool.delete(snapshot));
  await bench.pass(1000);
  await bench.fill(volume, 0, 1, 1);
  await bench.close();
  await bench.open();
  expect(await bench.byteAt(bench.pool.volume("data"), 0)).toBe(1);
  await bench.expectSound();
});

test("waiting writes do not keep an operation on their volume", async () => {
  const { bench, volume, extents } = await fullBench();
  const write = watch(writeBytes(volume, extents * EXTENT, Buffer.alloc(EXTENT, 1)));
  await bench.pass(250);
  await bench.drive(bench.pool.delete(volume));
  await bench.pass(1250);
  expect(write.result).toBe("gone");
});

test("thresholds warn: in the log, to those who listen, to every volume", async () => {
  const bench = await PoolBench.make({ thresholds: [0.5], settings: { thresholds: [0.25] } });
  const volume = await bench.create("data", 64 * MIB);
  const told: string[] = [];
  volume.subscribe((event) => told.push(event));
  const { capacityBytes } = bench.pool.usage();
  await bench.fill(volume, 0, Math.floor(capacityBytes / EXTENT / 4), 1);
  await bench.pass(250);
  const event = bench.events.find(({ kind }) => kind === "threshold");
  expect(event).toMatchObject({ kind: "threshold", share: 0.25, capacityBytes });
  expect(event?.kind === "threshold" && event.usedBytes).toBeGreaterThan(capacityBytes / 4 - 1);
  await bench.pass(2000);
  expect(told).toEqual(["space-low"]);
  await bench.fill(volume, 0, Math.floor(capacityBytes / EXTENT / 2), 1);
  await bench.pass(250);
  expect(told).toEqual(["space-low", "space-low"]);
  await bench.drive(discard(volume, 0, 64 * MIB));
  await bench.pass(2000);
  await bench.drive(bench.pool.setSettings({ thresholds: [0.1] }));
  await bench.fill(volume, 0, Math.floor(capacityBytes / EXTENT / 8), 1);
  await bench.pass(250);
  expect(told).toHaveLength(3);
  expect(bench.lines.filter(({ level }) => level === "warn")).toHaveLength(3);
});

test("what was written in place is durable within a second", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 1, 1);
  await bench.pass(3000);
  const barrier = volume.engine.barrier as Barrier;
  const before = barrier.flushes;
  await bench.pass(3000);
  expect(barrier.flushes).toBe(before);
  expect(volume.tryWrite(Buffer.alloc(4096, 2), 0, 4096, 0)).toBe(true);
  await bench.pass(1000);
  expect(barrier.flushes).toBe(before + 1);
});

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

test("virgin marks are moved on before they are reached", async () => {
  const bench = await PoolBench.make({ sizeBytes: 256 * MIB });
  const volume = await bench.create("data", 256 * MIB);
  await bench.fill(volume, 0, 1500, 1);
  expect(bench.spaceEvents()).toEqual([]);
  await bench.expectSound();
});

test("the journal is checkpointed before it is full, and when the pool stands still", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  const state = volume.engine.state;
  const generation = state.space.generation;
  await bench.pass(61_000, 1000);
  expect(state.space.generation).toBe(generation + 1);
  for (let index = 0; index < 900; index += 1) {
    await bench.drive(bench.pool.rename(volume, `name ${index}`));
    if (index % 20 === 0) await bench.pass(250);
  }
  expect(state.space.generation).toBeGreaterThan(generation + 2);
});
