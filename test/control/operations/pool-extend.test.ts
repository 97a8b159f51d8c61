import { existsSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { perform } from "../../../src/control/operations/table.ts";
import { OperationError } from "../../../src/control/protocol.ts";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { writeSuperblock } from "../../../src/thin/format/superblock-io.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { testSuperblock, testUuid } from "../../thin/members/support/superblock.ts";
import { MIB } from "../../thin/pool/support/pool-bench.ts";
import { OperationBench } from "./support/operation-bench.ts";

let bench: OperationBench;

/** A device with the superblock of a pool of another host. */
async function anotherPool(state: "active" | "clean"): Promise<string> {
  const path = join(bench.folder, "other.img");
  await createImageFile(path, 64 * MIB);
  const device = await FileDevice.open(path);
  const usual = testSuperblock();
  await writeSuperblock(device, { ...usual, owner: { ...usual.owner, state } });
  await device.close();
  return path;
}

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
    // Killed right after it has joined, the daemon finds it again.
    expect(bench.remembered).toEqual([{ path, devices: 1 }]);
    const grow = { pool: "tank", grow: path, growBytes: 256 * MIB };
    const grown = await bench.run("pool/extend", grow);
    expect(statSync(path).size).toBe(256 * MIB);
    expect(grown.pool.space.capacityBytes).toBeGreaterThan(pool.space.capacityBytes + 100 * MIB);
    truncateSync(path, 300 * MIB);
    const uuid = grown.pool.devices[1]?.uuid ?? "";
    const again = await bench.run("pool/extend", { pool: "tank", grow: uuid });
    expect(again.pool.devices[1]?.sizeBytes).toBe(300 * MIB);
  });

  it("leaves a device as it is that is to be wiped for a pool that has failed", async () => {
    const path = await anotherPool("clean");
    const wipe = [`thinlun:${testUuid(100)}`];
    const before = readFileSync(path);
    bench.bench.pool.fence(new PoolError("failed", "lost"));
    const extended = bench.attempt("pool/extend", { pool: "tank", add: path, wipe });
    await expect(extended).rejects.toMatchObject({ kind: "failed" });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("wipes a pool that is named, but none that a host may be working with", async () => {
    const path = await anotherPool("active");
    const body = { pool: "tank", add: path, wipe: [`thinlun:${testUuid(100)}`] };
    const before = readFileSync(path);
    await expect(bench.attempt("pool/extend", body)).rejects.toMatchObject({
      kind: "foreign",
      message: expect.stringContaining("open on another host"),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    rmSync(path);
    await anotherPool("clean");
    const { pool, backup } = await bench.run("pool/extend", body);
    expect(pool.devices).toHaveLength(2);
    expect(backup).not.toBeNull();
    expect(bench.lines.filter(({ message }) => message.includes("wiped"))).toMatchObject([
      {
        level: "info",
        message: "device wiped for a pool; what was there is kept",
        fields: { pool: "tank", device: path, found: body.wipe, backup },
      },
    ]);
  });

  it("leaves a device as it was that the pool does not take", async () => {
    const path = await anotherPool("clean");
    const before = readFileSync(path);
    const made = join(bench.folder, "made.img");
    const add = vi.spyOn(bench.bench.pool, "addDevice");
    const fails = (): Promise<void> => Promise.reject(new PoolError("io", "it does not take it"));
    add.mockImplementationOnce(fails).mockImplementationOnce(fails);
    const wipe = [`thinlun:${testUuid(100)}`];
    const body = { pool: "tank", add: path, wipe };
    await expect(bench.attempt("pool/extend", body)).rejects.toMatchObject({
      kind: "io",
      message: "it does not take it; what was wiped for it was put back",
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    const image = { pool: "tank", add: made, createBytes: 64 * MIB };
    await expect(bench.attempt("pool/extend", image)).rejects.toThrow("it does not take it");
    expect(existsSync(made)).toBe(false);
    expect((await bench.run("pool/extend", body)).backup).not.toBeNull();
  });

  it("stops where that is asked for, before anything of the device is lost", async () => {
    const path = await anotherPool("clean");
    const before = readFileSync(path);
    const reason = new OperationError("failed", "it was canceled");
    const settled: string[] = [];
    const extended = perform("pool/extend", {
      context: bench.context,
      body: { pool: "tank", add: path, wipe: [`thinlun:${testUuid(100)}`] },
      payload: new Uint8Array(0),
      progress: () => undefined,
      settle: (why) => {
        settled.push(why);
        throw reason;
      },
    });
    await expect(bench.bench.drive(extended)).rejects.toBe(reason);
    expect(settled).toHaveLength(1);
    expect(readFileSync(path).equals(before)).toBe(true);
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
