import { expect, test } from "vitest";
import { countOwned } from "../../../src/thin/map/derive.ts";
import type { Barrier } from "../../../src/thin/log/barrier.ts";
import { Ownership } from "../../../src/thin/pool/ownership.ts";
import { discard } from "../../../src/util/io-request.ts";
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

test("what a volume gives up while it is counted is not kept for others as its own: its promise would be broken", async () => {
  const bench = await PoolBench.make();
  const reservedBytes = 4 * MIB;
  const spec = { name: "kept", uuid: bench.uuid(), sizeBytes: reservedBytes, reservedBytes };
  const volume = await bench.drive(bench.pool.createVolume(spec));
  await bench.fill(volume, 0, 10, 1);
  // Without the clock it stands between the last leaf and the sum.
  const counting = countOwned(bench.pool.state, volume.state);
  for (let turns = 0; turns < 10; turns += 1) await new Promise(setImmediate);
  await discard(volume, 0, 3 * EXTENT);
  expect(volume.state.ownedExtents).toBe(7);
  await bench.drive(counting);
  expect(volume.state.ownedExtents).toBe(7);
  expect(bench.pool.usage().reservedBytes).toBe(reservedBytes - 7 * EXTENT);
});

test("counts take a small part of the time, however often copies are deleted", async () => {
  const bench = await PoolBench.make();
  await bench.drive(
    bench.pool.createVolume({
      name: "kept",
      uuid: bench.uuid(),
      sizeBytes: MIB,
      reservedBytes: MIB,
    }),
  );
  let counts = 0;
  const { clock } = bench;
  const parts = { state: bench.pool.state, clock, barrier: { durableSeq: 9 } as Barrier };
  const ownership = new Ownership(parts, (count) => {
    counts += 1;
    const done = count();
    clock.advance(1000);
    return done;
  });
  const deleted = async (): Promise<void> => {
    ownership.changed(1);
    await ownership.recount();
  };
  await deleted();
  await deleted();
  clock.advance(8999);
  await deleted();
  expect(counts).toBe(1);
  clock.advance(1);
  await ownership.recount();
  expect(counts).toBe(2);
});
