import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { perform } from "../../../src/control/operations/table.ts";
import { OperationError, type Progress } from "../../../src/control/protocol.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { MIB, POOL_UUID } from "../../thin/pool/support/pool-bench.ts";
import { OperationBench } from "./support/operation-bench.ts";

let bench: OperationBench;

beforeEach(async () => {
  bench = await OperationBench.make();
});

afterEach(() => bench.dispose());

describe("operations on pools", () => {
  it("list and show them", async () => {
    const [pool] = await bench.run("pool/list", {});
    expect(pool).toMatchObject({
      name: "tank",
      uuid: POOL_UUID,
      devices: [{ path: "disk", sizeBytes: 64 * MIB }],
      volumeCount: 0,
      failure: null,
    });
    await bench.run("volume/create", { pool: "tank", volume: "a", sizeBytes: 32 * MIB });
    const volume = bench.bench.pool.volume("a");
    await bench.bench.drive(writeBytes(volume, 0, Buffer.alloc(16 * MIB, 1)));
    const shown = await bench.run("pool/show", { pool: POOL_UUID, cells: 4 });
    expect(shown.volumes.map(({ name }) => name)).toEqual(["a"]);
    expect(shown.space.dataBytes).toBe(16 * MIB);
    expect(shown.map.cells).toHaveLength(4);
    const mapped = shown.map.cells.reduce((sum, { data }) => sum + data, 0) * shown.map.cellBytes;
    // The last cell is not full of extents, so its shares are of less.
    expect(mapped).toBeCloseTo(16 * MIB, -6);
    await expect(bench.run("pool/show", { pool: "tank", cells: 0 })).rejects.toMatchObject({
      kind: "invalid",
    });
  });

  it("check what is open", async () => {
    expect(await bench.run("pool/check", { pool: "tank" })).toEqual({
      isSound: true,
      findings: [],
    });
    expect(bench.progress.at(-1)).toMatchObject({ done: 1, total: 1 });
  });

  it("stop a check where that is asked for, and the pool goes on", async () => {
    const stop = new AbortController();
    const reason = new OperationError("failed", "it was canceled");
    const seen: Progress[] = [];
    // Leaves that are not in memory are read one by one: so many that nobody wants to wait.
    const { pool } = bench.bench;
    const check = vi.spyOn(pool, "check");
    check.mockImplementationOnce(async ({ signal, onProgress } = {}) => {
      for (let done = 0; done < 1000; done += 1) {
        if (signal?.aborted === true) throw new PoolError("busy", "the check was stopped");
        onProgress?.(done, 1000);
        await Promise.resolve();
      }
      return [];
    });
    const stopped = perform("pool/check", {
      context: bench.context,
      body: { pool: "tank" },
      payload: new Uint8Array(0),
      signal: stop.signal,
      progress: (progress) => {
        seen.push(progress);
        // The first is before it begins.
        if (seen.length === 2) stop.abort(reason);
      },
    });
    await expect(bench.bench.drive(stopped)).rejects.toBe(reason);
    expect(seen).toHaveLength(2);
    expect(await bench.run("pool/check", { pool: "tank" })).toMatchObject({ isSound: true });
  });

  it("change settings", async () => {
    const set = await bench.run("pool/set", {
      pool: "tank",
      overcommitMax: 2,
      thresholds: [0.5, 0.9],
    });
    expect(set).toMatchObject({ overcommitMax: 2, thresholds: [0.5, 0.9] });
    await expect(
      bench.run("pool/set", { pool: "tank", thresholds: [0.9, 0.5] }),
    ).rejects.toMatchObject({ kind: "invalid" });
    await expect(bench.run("pool/set", { pool: "tank" })).rejects.toThrow(
      "nothing is to be changed",
    );
  });
});
