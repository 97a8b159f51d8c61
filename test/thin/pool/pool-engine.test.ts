import { expect, test } from "vitest";
import { PoolEngine } from "../../../src/thin/pool/pool-engine.ts";
import { PoolBench } from "./support/pool-bench.ts";

test("volumes share what the pool is made of", async () => {
  const bench = await PoolBench.make();
  const { engine } = await bench.create("data");
  expect(engine).toBeInstanceOf(PoolEngine);
  expect(engine.poolName).toBe("tank");
  await bench.drive(bench.pool.setSettings({ name: "barrel" }));
  expect(engine.poolName).toBe("barrel");
  expect(engine.geometry).toBe(engine.state.geometry);
});
