import { afterEach, beforeEach, expect, it } from "vitest";
import { findPool, findPools, findVolume } from "../../../src/control/operations/find.ts";
import type { OperationContext } from "../../../src/control/operations/operation.ts";
import { MIB, POOL_UUID } from "../../thin/pool/support/pool-bench.ts";
import { OperationBench } from "./support/operation-bench.ts";

let bench: OperationBench;

beforeEach(async () => {
  bench = await OperationBench.make();
});

afterEach(() => bench.dispose());

it("finds by name and by UUID", async () => {
  const { context } = bench;
  const { uuid } = await bench.run("volume/create", { pool: "tank", volume: "a", sizeBytes: MIB });
  expect(findPool(context, POOL_UUID).pool).toBe(bench.bench.pool);
  expect(findVolume(context, "tank", uuid).volume.attributes.name).toBe("a");
  expect(findPools(context, undefined)).toHaveLength(1);
  expect(findPools(context, "tank")).toHaveLength(1);
});

it("names what is not there, and what is", () => {
  const { context } = bench;
  expect(() => findPool(context, "lake")).toThrow("no pool lake is open: there is tank");
  expect(() => findPools(context, "lake")).toThrow("lake");
  expect(() => findVolume(context, "tank", "a")).toThrow("pool tank has no volume a");
  const empty: OperationContext = { ...context, pools: () => [] };
  expect(() => findPool(empty, "tank")).toThrow("there is none");
});
