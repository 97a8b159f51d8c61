import { describe, expect, it } from "vitest";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { IoKind, readBytes } from "../../../src/util/io-request.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { TestRequest } from "../../device/test-request.ts";
import { DATA_OFFSET, TestPool, type TestPoolOptions } from "./test-pool.ts";

const KIB = 1024;
const EXTENT = 64 * KIB;
const SIZE = 16 * EXTENT;

async function end(volume: ThinVolume, request: TestRequest): Promise<TestRequest> {
  volume.submit(request);
  await request.ended;
  expect(request.doneCount).toBe(1);
  return request;
}

function write(
  volume: ThinVolume,
  offset: number,
  length: number,
  byte: number = 1,
): Promise<TestRequest> {
  return end(volume, new TestRequest(IoKind.write, offset, [Buffer.alloc(length, byte)]));
}

async function make(
  options: TestPoolOptions = {},
  quotaBytes: number = 0,
): Promise<{ pool: TestPool; volume: ThinVolume }> {
  const pool = await TestPool.make(options);
  return { pool, volume: await pool.create(SIZE, { quotaBytes }) };
}

/** Bytes of each write of data since the counts were reset. */
function lengths(pool: TestPool): number[] {
  return pool.dataWrites.map(({ lengthBytes }) => lengthBytes);
}

function journalBlocks(pool: TestPool): number {
  return pool.devices.reduce((sum, { journalWrites }) => sum + journalWrites, 0);
}

async function expectBytes(volume: ThinVolume, parts: [length: number, byte: number][]) {
  let at = 0;
  for (const [length, byte] of parts) {
    const data = await readBytes(volume, at, length);
    expect([at, data.every((value) => value === byte)]).toEqual([at, true]);
    at += length;
  }
}

describe("what a write costs", () => {
  it("is nothing but itself in place", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, 4096);
    pool.resetCounts();
    await write(volume, 8192, 4096);
    expect([lengths(pool), journalBlocks(pool)]).toEqual([[4096], 0]);
    expect(volume.tryWrite(Buffer.alloc(4096), 0, 4096, 8192)).toBe(true);
  });

  it("is one write and one block for 4 KiB into a hole, safe where the extent is zeros", async () => {
    const { pool, volume } = await make();
    await write(volume, 4096, 4096);
    expect([lengths(pool), journalBlocks(pool), pool.kinds]).toEqual([[4096], 1, ["map"]]);
    await expectBytes(volume, [
      [4096, 0],
      [4096, 1],
      [EXTENT, 0],
    ]);
  });

  it("is the same where the extent holds garbage, which nobody sees", async () => {
    const { pool, volume } = await make({ isDirty: true });
    await write(volume, 4096, 4096);
    expect([lengths(pool), journalBlocks(pool), pool.kinds]).toEqual([[4096], 1, ["partial"]]);
    await expectBytes(volume, [
      [4096, 0],
      [4096, 1],
      [EXTENT, 0],
    ]);
  });

  it("is one write and one block for 4 KiB into a shared extent, and the copy stays", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, EXTENT);
    const copy = await pool.snapshot(volume);
    await write(volume, 8192, 4096, 2);
    expect([lengths(pool), journalBlocks(pool), pool.kinds]).toEqual([[4096], 1, ["partial"]]);
    await expectBytes(copy, [[EXTENT, 1]]);
    await expectBytes(volume, [
      [8192, 1],
      [4096, 2],
      [EXTENT - 12_288, 1],
    ]);
  });

  it("is a block for a sector of a shared extent", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, EXTENT);
    await pool.snapshot(volume);
    await write(volume, 8192 + 512, 512, 2);
    expect([lengths(pool), pool.kinds]).toEqual([[4096], ["partial"]]);
    await write(volume, 8192 + 1024, 512, 3);
    expect([lengths(pool), pool.kinds]).toEqual([[4096, 512], ["partial"]]);
    await expectBytes(volume, [
      [8192 + 512, 1],
      [512, 2],
      [512, 3],
      [EXTENT - 8192 - 1536, 1],
    ]);
  });

  it("is no copy where a shared extent is overwritten as a whole", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, 2 * EXTENT);
    await pool.snapshot(volume);
    await write(volume, 0, 2 * EXTENT, 2);
    expect([lengths(pool), pool.kinds]).toEqual([[2 * EXTENT], ["map!"]]);
  });

  it("is one write and one record for a run of new extents", async () => {
    const { pool, volume } = await make();
    await write(volume, 100, 5 * EXTENT);
    expect([lengths(pool), pool.kinds]).toEqual([[5 * EXTENT], ["map"]]);
  });

  it("is one write and one block for a run with ragged ends over garbage", async () => {
    const { pool, volume } = await make({ isDirty: true });
    await write(volume, 5000, 3 * EXTENT);
    expect(pool.kinds).toEqual(["partial", "map!", "partial"]);
    expect([lengths(pool), journalBlocks(pool)]).toEqual([[3 * EXTENT + 4096], 1]);
    await expectBytes(volume, [
      [5000, 0],
      [3 * EXTENT, 1],
      [EXTENT, 0],
    ]);
  });
});

describe("a PARTIAL extent", () => {
  it("becomes plain with its last block, and its base comes free", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, EXTENT);
    const copy = await pool.snapshot(volume);
    for (let at = 0; at < EXTENT; at += 4096) await write(volume, at, 4096, 2);
    expect(pool.kinds.filter((kind) => kind === "partial").length).toBe(15);
    expect(pool.kinds.at(-1)).toBe("map!");
    await pool.settle();
    const free = pool.state.space.freeExtents;
    await pool.delete(copy);
    await pool.settle();
    expect(pool.state.space.freeExtents).toBe(free + 1);
  });

  it("takes all its blocks without a new extent", async () => {
    const { pool, volume } = await make({ isDirty: true });
    await write(volume, 0, 4096);
    const free = pool.state.space.freeExtents;
    await write(volume, 0, EXTENT, 2);
    expect(pool.kinds).toEqual(["partial", "map!"]);
    expect(pool.state.space.freeExtents).toBe(free);
  });

  it("is merged where it is shared", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, EXTENT);
    await pool.snapshot(volume);
    await write(volume, 4096, 4096, 2);
    const copy = await pool.snapshot(volume);
    await write(volume, 8192, 512, 3);
    expect([lengths(pool), pool.kinds]).toEqual([[EXTENT], ["map!"]]);
    await expectBytes(volume, [
      [4096, 1],
      [4096, 2],
      [512, 3],
      [EXTENT - 8704, 1],
    ]);
    await expectBytes(copy, [
      [4096, 1],
      [4096, 2],
      [EXTENT - 8192, 1],
    ]);
  });

  it("is completed by the filler", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, EXTENT);
    await pool.snapshot(volume);
    expect(await volume.fill(0)).toBe(false);
    await write(volume, 4096, 4096, 2);
    pool.resetCounts();
    expect(await volume.fill(0)).toBe(true);
    expect([lengths(pool), pool.kinds]).toEqual([[4096, EXTENT - 8192], ["map!"]]);
    expect([await volume.fill(0), await volume.fill(1)]).toEqual([false, false]);
    await expectBytes(volume, [
      [4096, 1],
      [4096, 2],
      [EXTENT - 8192, 1],
    ]);
  });
});

describe("zeros", () => {
  it("take no space where nothing is mapped", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, 4 * EXTENT, 0);
    await end(volume, new TestRequest(IoKind.writeZeroes, 0, SIZE));
    await end(volume, new TestRequest(IoKind.discard, 0, SIZE));
    expect([lengths(pool), pool.kinds]).toEqual([[], []]);
  });

  it("are left out of a run", async () => {
    const { pool, volume } = await make();
    const data = Buffer.alloc(3 * EXTENT, 1).fill(0, EXTENT, 2 * EXTENT);
    await end(volume, new TestRequest(IoKind.write, 0, [data]));
    expect(volume.state.mappedExtents).toBe(2);
    expect((await readBytes(volume, 0, data.length)).equals(data)).toBe(true);
    expect(pool.kinds).toEqual(["map", "map"]);
  });

  it("unmap whole extents and are written at the ends", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, 4 * EXTENT);
    pool.resetCounts();
    await end(volume, new TestRequest(IoKind.writeZeroes, 1000, 3 * EXTENT));
    expect([lengths(pool), pool.kinds]).toEqual([[EXTENT - 1000, 1000], ["unmap"]]);
    expect(volume.state.mappedExtents).toBe(2);
    await expectBytes(volume, [
      [1000, 1],
      [3 * EXTENT, 0],
      [EXTENT - 1000, 1],
    ]);
  });

  it("come of a discard, which frees whole extents, and waits for no flush", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, 4 * EXTENT);
    pool.resetCounts();
    await end(volume, new TestRequest(IoKind.discard, 512, 3 * EXTENT));
    expect([pool.kinds, pool.device.flushes]).toEqual([["unmap"], 0]);
    expect(volume.state.mappedExtents).toBe(2);
    await expectBytes(volume, [
      [512, 1],
      [3 * EXTENT, 0],
      [EXTENT - 512, 1],
    ]);
  });

  it("at the ends of a discard take no space: what is shared with a copy stays as it is there", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, 3 * EXTENT);
    await pool.snapshot(volume);
    pool.resetCounts();
    const free = pool.state.space.freeExtents;
    await end(volume, new TestRequest(IoKind.discard, 512, 2 * EXTENT));
    expect([lengths(pool), pool.kinds]).toEqual([[], ["unmap"]]);
    expect(pool.state.space.freeExtents).toBe(free);
    await expectBytes(volume, [
      [EXTENT, 1],
      [EXTENT, 0],
      [EXTENT, 1],
    ]);
  });
});

describe("forceUnitAccess", () => {
  async function forced(volume: ThinVolume, kind: IoKind): Promise<void> {
    const request = new TestRequest(kind, 0, [Buffer.alloc(EXTENT, 3)]);
    request.forceUnitAccess = true;
    expect((await end(volume, request)).error).toBeNull();
  }

  it("is the device's own where nothing else is missing, and a barrier otherwise", async () => {
    const { pool, volume } = await make();
    await forced(volume, IoKind.write);
    expect([pool.device.flushes > 0, pool.dataWrites[0]?.isForced]).toEqual([true, false]);
    expect(pool.barrier.durableSeq).toBe(pool.journal.appliedSeq);
    pool.resetCounts();
    await forced(volume, IoKind.write);
    expect([pool.device.flushes, pool.dataWrites[0]?.isForced]).toEqual([0, true]);
    await write(volume, 4 * EXTENT, 512);
    pool.resetCounts();
    await forced(volume, IoKind.write);
    expect([pool.device.flushes > 0, pool.dataWrites[0]?.isForced]).toEqual([true, false]);
  });

  it("holds for a discard", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, EXTENT);
    await forced(volume, IoKind.discard);
    expect(pool.barrier.durableSeq).toBe(pool.journal.appliedSeq);
    expect(pool.kinds).toContain("unmap");
  });
});

describe("where something goes wrong, a write", () => {
  it("that did not reach the device leaves the old content and no extent behind", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, EXTENT);
    await pool.snapshot(volume);
    const free = pool.state.space.freeExtents;
    pool.device.faults.push({
      kind: "medium",
      matches: ({ kind, offsetBytes }) => kind === IoKind.write && offsetBytes >= DATA_OFFSET,
    });
    expect((await write(volume, 0, 4096, 2)).error?.kind).toBe("medium");
    expect([pool.state.space.freeExtents, pool.kinds]).toEqual([free, []]);
    await expectBytes(volume, [[EXTENT, 1]]);
  });

  it("waits for space outside the gate, without a lock, and goes on when there is some", async () => {
    const { pool, volume } = await make({ extents: 4 });
    await write(volume, 0, 4 * EXTENT);
    const request = new TestRequest(IoKind.write, 6 * EXTENT, [Buffer.alloc(512, 5)]);
    volume.submit(request);
    expect([pool.waiting.length, volume.gate.changes]).toEqual([1, 0]);
    expect((await write(volume, 0, 512, 4)).error).toBeNull();
    await end(volume, new TestRequest(IoKind.discard, 0, EXTENT));
    expect(request.doneCount).toBe(0);
    await pool.settle();
    await request.ended;
    expect(request.error).toBeNull();
    expect((await readBytes(volume, 6 * EXTENT, 1))[0]).toBe(5);
  });

  it("ends with the reason where there never is any", async () => {
    const { pool, volume } = await make({ extents: 1 });
    await write(volume, 0, EXTENT);
    const request = new TestRequest(IoKind.write, EXTENT, [Buffer.alloc(512, 5)]);
    volume.submit(request);
    pool.waiting.shift()?.expire(new IoError("space", "full", { object: "pool" }));
    await request.ended;
    expect([request.error?.kind, request.doneCount]).toEqual(["space", 1]);
  });

  it("is refused past the quota at once, and not before", async () => {
    const { pool, volume } = await make({}, 2 * EXTENT);
    expect((await write(volume, 0, 2 * EXTENT)).error).toBeNull();
    expect((await write(volume, 0, 2 * EXTENT, 2)).error).toBeNull();
    expect((await write(volume, 2 * EXTENT, 512)).error?.kind).toBe("space");
    expect(pool.waiting).toEqual([]);
    await end(volume, new TestRequest(IoKind.discard, 0, EXTENT));
    expect((await write(volume, 2 * EXTENT, 512)).error).toBeNull();
  });

  it("within the quota succeeds while others' extents are on their way into the map", async () => {
    const { pool, volume } = await make({}, 3 * EXTENT);
    // The first two share a block of the journal; the third waits for the first one's extent, and needs one more.
    const requests = [
      new TestRequest(IoKind.write, EXTENT, [Buffer.alloc(EXTENT, 1)]),
      new TestRequest(IoKind.write, 0, [Buffer.alloc(EXTENT, 2)]),
      new TestRequest(IoKind.write, 2 * EXTENT - 4096, [Buffer.alloc(8192, 3)]),
    ];
    for (const request of requests) volume.submit(request);
    await Promise.all(requests.map(({ ended }) => ended));
    expect(requests.map(({ error }) => error)).toEqual([null, null, null]);
    expect(journalBlocks(pool)).toBe(2);
    await expectBytes(volume, [
      [EXTENT, 2],
      [EXTENT - 4096, 1],
      [8192, 3],
    ]);
    expect((await write(volume, 3 * EXTENT, 512)).error?.kind).toBe("space");
  });

  it("takes what of the quota another one gives back that has failed", async () => {
    const { pool, volume } = await make({}, EXTENT);
    pool.device.isHolding = true;
    const first = new TestRequest(IoKind.write, 0, [Buffer.alloc(EXTENT, 1)]);
    const second = new TestRequest(IoKind.write, EXTENT, [Buffer.alloc(EXTENT, 2)]);
    volume.submit(first);
    volume.submit(second);
    await new Promise(setImmediate);
    expect([first.doneCount, second.doneCount]).toEqual([0, 0]);
    const [held] = pool.device.held.splice(0);
    pool.device.isHolding = false;
    held?.done(new IoError("medium", "asked for", { object: "d0" }));
    await Promise.all([first.ended, second.ended]);
    expect([first.error?.kind, second.error]).toEqual(["medium", null]);
  });

  it("that waits for the quota is told when it is used up after all", async () => {
    const { pool, volume } = await make({}, EXTENT);
    pool.device.isHolding = true;
    const requests = [0, 1, 2].map(
      (lext) => new TestRequest(IoKind.write, lext * EXTENT, [Buffer.alloc(512, 1)]),
    );
    for (const request of requests) volume.submit(request);
    await new Promise(setImmediate);
    pool.device.isHolding = false;
    pool.device.letAll();
    await Promise.all(requests.map(({ ended }) => ended));
    expect(requests.map(({ error }) => error?.kind)).toEqual([undefined, "space", "space"]);
    expect(pool.waiting).toEqual([]);
  });

  it("that nobody wants any more is not started", async () => {
    const { pool, volume } = await make();
    await volume.gate.close();
    const request = new TestRequest(IoKind.write, 0, [Buffer.alloc(512, 5)]);
    volume.submit(request);
    request.isAbandoned = true;
    volume.gate.open();
    await request.ended;
    expect([request.error?.kind, lengths(pool)]).toEqual(["gone", []]);
  });

  it("to a leaf that cannot be read fails alone", async () => {
    const { pool, volume } = await make();
    await write(volume, 0, 512);
    await pool.settle();
    expect(pool.evictLeaves()).toBe(1);
    pool.isUnreadable = true;
    expect((await write(volume, 0, 512)).error?.kind).toBe("medium");
    await expect(readBytes(volume, 0, 512)).rejects.toMatchObject({ kind: "medium" });
    pool.isUnreadable = false;
    expect((await write(volume, 512, 512, 7)).error).toBeNull();
    expect(pool.health.failure).toBeNull();
    expect((await readBytes(volume, 512, 1))[0]).toBe(7);
  });
});

describe("the extents of a volume", () => {
  it("are reported in runs, with leaves read where they are not in memory", async () => {
    const { pool, volume } = await make();
    await write(volume, EXTENT, 2 * EXTENT);
    await write(volume, 5 * EXTENT, 512);
    pool.evictLeaves();
    const half = EXTENT / 2;
    expect(await volume.extents(half, 6 * EXTENT, 10)).toEqual([
      { offsetBytes: half, lengthBytes: half, mapped: false },
      { offsetBytes: EXTENT, lengthBytes: 2 * EXTENT, mapped: true },
      { offsetBytes: 3 * EXTENT, lengthBytes: 2 * EXTENT, mapped: false },
      { offsetBytes: 5 * EXTENT, lengthBytes: EXTENT, mapped: true },
      { offsetBytes: 6 * EXTENT, lengthBytes: half, mapped: false },
    ]);
    expect(await volume.extents(0, SIZE, 2)).toHaveLength(2);
    await expect(volume.extents(SIZE, 1, 1)).rejects.toMatchObject({ kind: "range" });
  });
});
