import { expect, test } from "vitest";
import { PoolBench } from "./support/pool-bench.ts";

test("settings that make no sense are refused", async () => {
  const { pool } = await PoolBench.make();
  await expect(pool.setSettings({ thresholds: [0.9, 0.5] })).rejects.toMatchObject({
    kind: "invalid",
  });
  await expect(pool.setSettings({ overcommitMax: -1 })).rejects.toMatchObject({ kind: "invalid" });
  await expect(pool.setSettings({ name: "" })).rejects.toMatchObject({ kind: "invalid" });
});

test("what is changed is kept, the rest stays", async () => {
  const bench = await PoolBench.make({ thresholds: [0.5] });
  await bench.drive(bench.pool.setSettings({ overcommitMax: 3 }));
  await bench.kill();
  const { state } = (await bench.create("data")).engine;
  expect(state.settings).toEqual({ name: "tank", overcommitMax: 3, thresholds: [0.5] });
});
