import { expect, test } from "vitest";
import { discard, writeBytes } from "../../../src/util/io-request.ts";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { EXTENT, MIB, PoolBench } from "../pool/support/pool-bench.ts";

const LEAF_BYTES: number = 1008 * EXTENT;
const TIB: number = 1024 * 1024 * MIB;

/** One small write into each of so many leaves, far apart, all at once; those that find no space may fail. */
async function scatter(bench: PoolBench, volume: ThinVolume, count: number): Promise<void> {
  const distance = Math.floor(volume.capacityBytes / LEAF_BYTES / count) * LEAF_BYTES;
  const writes = Array.from({ length: count }, (_, index) =>
    writeBytes(volume, index * distance, Buffer.alloc(512, index + 1)),
  );
  await settled(bench, writes);
}

/** Lets time pass until all have ended, one way or the other. */
async function settled(bench: PoolBench, work: readonly Promise<void>[]): Promise<void> {
  let isDone = false;
  void Promise.allSettled(work).then(() => {
    isDone = true;
  });
  for (let passes = 0; !isDone; passes += 1) {
    if (passes > 200) throw new Error("they do not come to an end");
    await bench.pass(250);
  }
}

for (const { sizeMib, count, isZero } of [
  { sizeMib: 12, count: 32, isZero: true },
  { sizeMib: 12, count: 32, isZero: false },
  { sizeMib: 20, count: 400, isZero: false },
  { sizeMib: 40, count: 900, isZero: false },
]) {
  test(`a pool of ${sizeMib} MiB (zeros: ${isZero}) with ${count} leaves of a deep tree always finds room for its checkpoints`, async () => {
    const settings = { holdMs: 500, fullRetryMs: 1000 };
    const bench = await PoolBench.make({ sizeBytes: sizeMib * MIB, isZero, settings });
    const volume = await bench.create("sparse", 2 * TIB);
    await scatter(bench, volume, count);
    for (let round = 0; round < 4; round += 1) await bench.drive(bench.pool.checkpoint());
    const clones: ThinVolume[] = [];
    for (let index = 0; index < 12; index += 1) {
      try {
        clones.push(await bench.snapshot(volume, `clone-${index}`, false));
      } catch (error) {
        expect(String(error)).toMatch(/space|free/);
      }
    }
    // Each unmap of a part of a shared leaf makes a leaf and the nodes above it, and frees nothing.
    const distance = Math.floor(volume.capacityBytes / LEAF_BYTES / count) * LEAF_BYTES;
    for (const clone of clones) {
      const unmaps = Array.from({ length: count }, (_, index) =>
        discard(clone, index * distance, EXTENT),
      );
      await settled(bench, unmaps);
      expect(bench.pool.failure).toBeNull();
    }
    for (let round = 0; round < 3; round += 1) await bench.drive(bench.pool.checkpoint());
    await bench.expectSound();
    await bench.kill();
    expect(bench.pool.failure).toBeNull();
    // What is not needed can always be deleted.
    for (const clone of bench.pool.volumes()) await bench.drive(bench.pool.delete(clone));
    await bench.pass(2000);
    for (let round = 0; round < 4; round += 1) await bench.drive(bench.pool.checkpoint());
    await bench.pass(2000);
    expect(bench.pool.usage().dataBytes).toBe(0);
    await bench.expectSound();
  });
}
