import { expect, test } from "vitest";
import { MIB, PoolBench } from "./support/pool-bench.ts";

test("virgin marks are moved on before they are reached", async () => {
  const bench = await PoolBench.make({ sizeBytes: 256 * MIB });
  const volume = await bench.create("data", 256 * MIB);
  await bench.fill(volume, 0, 1500, 1);
  expect(bench.spaceEvents()).toEqual([]);
  await bench.expectSound();
});
