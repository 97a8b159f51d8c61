import { expect, it } from "vitest";
import { describePool } from "../../../src/control/operations/report.ts";
import { usageMap } from "../../../src/control/operations/usage-map.ts";
import { EXTENT, MIB, PoolBench } from "../../thin/pool/support/pool-bench.ts";

it("shows where the data are", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("a");
  await bench.fill(volume, 0, 100, 1);
  const { state } = bench.pool;
  const fine = usageMap(state, 4096);
  expect(fine.cellBytes).toBe(EXTENT);
  expect(fine.cells).toHaveLength(state.addresses.extentCount);
  expect(fine.cells.filter(({ data }) => data === 1)).toHaveLength(100);
  const metadata = fine.cells.filter((cell) => cell.metadata === 1).length;
  expect(metadata * EXTENT).toBe(describePool(bench.pool).space.metadataBytes);
  const coarse = usageMap(state, 10);
  expect(coarse.cells).toHaveLength(10);
  expect(Math.max(...coarse.cells.map(({ data }) => data))).toBeGreaterThan(0.9);
  expect(coarse.cells.at(-1)).toEqual({ data: 0, metadata: 0 });
  await bench.close();
});

it("shows what was never used as free, although nobody may allocate it yet", async () => {
  const bench = await PoolBench.make({ sizeBytes: 2048 * MIB });
  const { state } = bench.pool;
  expect(state.space.stateOf(state.addresses.extentCount - 1)).not.toBe("free");
  const { cells } = usageMap(state, 16);
  expect(cells.slice(1)).toEqual(cells.slice(1).map(() => ({ data: 0, metadata: 0 })));
  await bench.close();
});
