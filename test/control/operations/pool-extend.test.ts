import { existsSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MIB } from "../../thin/pool/support/pool-bench.ts";
import { OperationBench } from "./support/operation-bench.ts";

let bench: OperationBench;

beforeEach(async () => {
  bench = await OperationBench.make();
});

afterEach(() => bench.dispose());

describe("to extend a pool", () => {
  it("adds an image that is made for it, and grows it", async () => {
    const path = join(bench.folder, "more.img");
    const before = (await bench.run("pool/list", {}))[0]?.space.capacityBytes ?? 0;
    const add = { pool: "tank", add: path, createBytes: 128 * MIB };
    const { pool, backup } = await bench.run("pool/extend", add);
    expect(backup).toBeNull();
    expect(pool.devices.map((device) => device.path)).toEqual(["disk", path]);
    expect(pool.space.capacityBytes).toBeGreaterThan(before + 100 * MIB);
    expect(bench.adopted).toHaveLength(1);
    const grow = { pool: "tank", grow: path, growBytes: 256 * MIB };
    const grown = await bench.run("pool/extend", grow);
    expect(statSync(path).size).toBe(256 * MIB);
    expect(grown.pool.space.capacityBytes).toBeGreaterThan(pool.space.capacityBytes + 100 * MIB);
    truncateSync(path, 300 * MIB);
    const uuid = grown.pool.devices[1]?.uuid ?? "";
    const again = await bench.run("pool/extend", { pool: "tank", grow: uuid });
    expect(again.pool.devices[1]?.sizeBytes).toBe(300 * MIB);
  });

  it("is refused where it makes no sense", async () => {
    const path = join(bench.folder, "none.img");
    for (const body of [
      {},
      { add: path, grow: "disk" },
      { grow: "other" },
      { grow: "disk", growBytes: 128 * MIB },
      { grow: "disk" },
      { add: path, createBytes: MIB },
      { add: path },
    ]) {
      await expect(bench.attempt("pool/extend", { pool: "tank", ...body })).rejects.toMatchObject({
        kind: expect.stringMatching(/^(invalid|missing)$/),
      });
    }
    expect(existsSync(path)).toBe(false);
    expect(bench.adopted).toEqual([]);
  });
});
