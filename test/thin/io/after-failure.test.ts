import { describe, expect, it } from "vitest";
import { IoError } from "../../../src/util/io-error.ts";
import { IoKind } from "../../../src/util/io-request.ts";
import { TestRequest } from "../../device/test-request.ts";
import { DATA_OFFSET, TestPool } from "./test-pool.ts";

const EXTENT = 64 * 1024;

function stop(pool: TestPool): void {
  pool.health.fail(new IoError("failed", "another host has it", { object: "pool" }));
}

/** A pool that has stopped may be another host's by now: whatever was begun, nothing more of it is sent to the devices. */
describe("a pool that stops while a device takes its time", () => {
  it("writes nothing where what surrounds the data was read before", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(EXTENT);
    const first = new TestRequest(IoKind.write, 0, [Buffer.alloc(EXTENT, 1)]);
    volume.submit(first);
    await first.ended;
    await pool.snapshot(volume);
    pool.device.isHolding = true;
    const request = new TestRequest(IoKind.write, 512, [Buffer.alloc(512, 2)]);
    volume.submit(request);
    expect(pool.device.held.map(({ kind }) => kind)).toEqual([IoKind.read, IoKind.read]);
    const free = pool.state.space.freeExtents;
    stop(pool);
    pool.device.letAll();
    await request.ended;
    expect(request.error?.kind).toBe("failed");
    expect([pool.dataWrites, pool.device.held]).toEqual([[], []]);
    expect([pool.state.space.freeExtents, pool.state.space.changes]).toEqual([free + 1, 0]);
    expect(pool.state.space.pinnedExtents).toBe(0);
  });

  it("completes no further block of a PARTIAL extent", async () => {
    const pool = await TestPool.make({ isDirty: true });
    const volume = await pool.create(EXTENT);
    const first = new TestRequest(IoKind.write, 8192, [Buffer.alloc(4096, 1)]);
    volume.submit(first);
    await first.ended;
    pool.resetCounts();
    pool.device.isHolding = true;
    const filling = volume.fill(0);
    const refused = expect(filling).rejects.toMatchObject({ kind: "failed" });
    while (pool.device.held.length === 0) await new Promise(setImmediate);
    stop(pool);
    pool.device.letAll();
    pool.device.isHolding = false;
    await refused;
    expect(pool.dataWrites.map(({ offsetBytes }) => offsetBytes)).toEqual([DATA_OFFSET]);
    expect([volume.gate.changes, pool.state.space.pinnedExtents]).toEqual([0, 0]);
  });

  it("acknowledges no write that was on its way", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(EXTENT);
    const first = new TestRequest(IoKind.write, 0, [Buffer.alloc(4096, 1)]);
    volume.submit(first);
    await first.ended;
    pool.device.isHolding = true;
    const request = new TestRequest(IoKind.write, 0, [Buffer.alloc(4096, 2)]);
    volume.submit(request);
    expect(pool.device.held).toHaveLength(1);
    stop(pool);
    pool.device.letAll();
    await request.ended;
    expect(request.error?.kind).toBe("failed");
  });
});
