import { describe, expect, it } from "vitest";
import { FastPath, inPlaceExtent } from "../../../src/thin/io/fast-path.ts";
import { VolumeCore } from "../../../src/thin/io/volume-core.ts";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { TestPool } from "./test-pool.ts";

const EXTENT = 65_536;

async function make(isDirty: boolean = false) {
  const pool = await TestPool.make({ isDirty });
  const volume = await pool.create(8 * EXTENT);
  const core = new VolumeCore(pool, volume.state);
  return { pool, volume, core, fast: new FastPath(core) };
}

describe("the path within a turn", () => {
  it("writes what is mapped and nobody else's, in one call for consecutive extents", async () => {
    const { pool, volume, fast } = await make();
    await writeBytes(volume, 0, Buffer.alloc(3 * EXTENT, 1));
    pool.resetCounts();
    expect(fast.write(Buffer.alloc(2 * EXTENT, 2), 0, 2 * EXTENT, 1000)).toBe(true);
    expect(pool.dataWrites.map(({ lengthBytes }) => lengthBytes)).toEqual([2 * EXTENT]);
    const read = Buffer.alloc(2 * EXTENT + 10);
    expect(fast.read(read, 10, 2 * EXTENT, 1000)).toBe(true);
    expect(read.subarray(10).every((byte) => byte === 2)).toBe(true);
    expect(read.subarray(0, 10).every((byte) => byte === 0)).toBe(true);
  });

  it("leaves to others what changes the map, and what is shared", async () => {
    const { pool, volume, core, fast } = await make();
    const data = Buffer.alloc(512, 1);
    expect(fast.write(data, 0, 512, 0)).toBe(false);
    await writeBytes(volume, 0, data);
    expect(fast.write(data, 0, 512, 0)).toBe(true);
    expect(inPlaceExtent(core, 0, 0, 512)).toBeGreaterThanOrEqual(0);
    await pool.snapshot(volume);
    expect(fast.write(data, 0, 512, 0)).toBe(false);
    expect(inPlaceExtent(core, 0, 0, 512)).toBe(-1);
    expect(fast.read(data, 0, 512, 0)).toBe(true);
  });

  it("reads holes, PARTIAL extents and their bases", async () => {
    const { pool, volume, fast } = await make();
    await writeBytes(volume, EXTENT, Buffer.alloc(EXTENT, 1));
    await pool.snapshot(volume);
    await writeBytes(volume, EXTENT + 4096, Buffer.alloc(4096, 2));
    const read = Buffer.alloc(3 * EXTENT, 9);
    expect(fast.read(read, 0, read.length, 0)).toBe(true);
    expect(read.equals(await readBytes(volume, 0, read.length))).toBe(true);
    expect([read[0], read[EXTENT], read[EXTENT + 4096], read[2 * EXTENT]]).toEqual([0, 1, 2, 0]);
    expect(fast.write(read, 0, 4096, EXTENT + 4096)).toBe(true);
    expect(fast.write(read, 0, 4097, EXTENT + 4096)).toBe(false);
  });

  it("does nothing for a leaf that is not in memory, or where the device would wait", async () => {
    const { pool, volume, fast } = await make();
    const data = Buffer.alloc(512, 1);
    await writeBytes(volume, 0, data);
    pool.device.isSlow = true;
    expect([fast.read(data, 0, 512, 0), fast.write(data, 0, 512, 0)]).toEqual([false, false]);
    pool.device.isSlow = false;
    expect(pool.evictLeaves()).toBe(1);
    expect([fast.read(data, 0, 512, 0), fast.write(data, 0, 512, 0)]).toEqual([false, false]);
    expect(fast.read(data, 0, 512, 8 * EXTENT)).toBe(false);
  });

  it("lets no write through a closed gate", async () => {
    const { volume } = await make();
    const data = Buffer.alloc(512, 1);
    await writeBytes(volume, 0, data);
    await volume.gate.close();
    expect(volume.tryWrite(data, 0, 512, 0)).toBe(false);
    expect(volume.tryRead(data, 0, 512, 0)).toBe(true);
    volume.gate.open();
    await volume.gate.close({ reads: true });
    expect(volume.tryRead(data, 0, 512, 0)).toBe(false);
  });
});
