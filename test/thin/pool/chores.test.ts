import { expect, test } from "vitest";
import type { Barrier } from "../../../src/thin/log/barrier.ts";
import { PoolBench } from "./support/pool-bench.ts";

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

test("a pool that nobody writes to has a checkpoint to fall back to soon after it was opened, and makes no more (rule L)", async () => {
  const bench = await PoolBench.make();
  const { space } = bench.pool.state;
  const { generation } = space;
  await bench.pass(61_000, 1000);
  expect(space.generation).toBe(generation + 1);
  await bench.pass(200_000, 1000);
  expect(space.generation).toBe(generation + 1);
});
