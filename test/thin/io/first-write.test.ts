import { describe, expect, it } from "vitest";
import type { IoError } from "../../../src/util/io-error.ts";
import { IoKind, IoRequest, readBytes, writeBytes } from "../../../src/util/io-request.ts";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { TestPool } from "./test-pool.ts";

const EXTENT = 65_536;
const BLOCK = 4096;

class Write extends IoRequest {
  isDone = false;
  isDoneWell = false;
  readonly ended: Promise<IoError | null>;
  #resolve: (error: IoError | null) => void = () => undefined;

  constructor(offsetBytes: number, lengthBytes: number) {
    super();
    this.kind = IoKind.write;
    this.offsetBytes = offsetBytes;
    this.lengthBytes = lengthBytes;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  override done(error: IoError | null): void {
    expect(this.isDone, "done once").toBe(false);
    this.isDone = true;
    this.isDoneWell = error === null;
    this.#resolve(error);
  }
}

/** Begins a write of `byte`, and spoils the buffer at once. Null where it was not begun. */
function begin(volume: ThinVolume, at: number, length: number, byte: number): Write | null {
  const write = new Write(at, length);
  const buffer = Buffer.alloc(length + 10, byte);
  const isBegun = volume.tryBegin(buffer, 10, write);
  expect(write.isDoneWell, "counts within the call").toBe(false);
  buffer.fill(0xee);
  return isBegun ? write : null;
}

async function blocks(volume: ThinVolume, at: number, count: number): Promise<number[]> {
  const content = await readBytes(volume, at, count * BLOCK);
  return Array.from({ length: count }, (_, index) => {
    const block = content.subarray(index * BLOCK, (index + 1) * BLOCK);
    return block.equals(Buffer.alloc(BLOCK, block[0])) ? block[0]! : -1;
  });
}

async function make(isDirty: boolean = false) {
  const pool = await TestPool.make({ isDirty });
  return { pool, volume: await pool.create(8 * EXTENT) };
}

describe("a first write that is begun within the call", () => {
  it.for([false, true])(
    "goes into a hole with one write and one block of the journal (garbage below: %s)",
    async (isDirty) => {
      const { pool, volume } = await make(isDirty);
      pool.resetCounts();
      const write = begin(volume, EXTENT + BLOCK, BLOCK, 5);
      expect(pool.dataWrites.map(({ lengthBytes }) => lengthBytes)).toEqual([BLOCK]);
      expect(await write?.ended).toBeNull();
      expect([pool.dataWrites.length, pool.device.journalWrites]).toEqual([1, 1]);
      expect(await blocks(volume, EXTENT, 3)).toEqual([0, 5, 0]);
      expect(volume.state.mappedExtents).toBe(1);
    },
  );

  it("goes over an extent that a copy shares, and the copy stays", async () => {
    const { pool, volume } = await make();
    await writeBytes(volume, 0, Buffer.alloc(EXTENT, 1));
    const copy = await pool.snapshot(volume);
    const writes = [begin(volume, BLOCK, BLOCK, 2), begin(volume, EXTENT, BLOCK, 3)];
    for (const write of writes) expect(await write?.ended).toBeNull();
    // The next block of what is PARTIAL by now.
    expect(await begin(volume, 3 * BLOCK, BLOCK, 4)?.ended).toBeNull();
    expect(await blocks(volume, 0, 4)).toEqual([1, 2, 1, 4]);
    expect(await blocks(copy, 0, 4)).toEqual([1, 1, 1, 1]);
    expect(await blocks(volume, EXTENT, 2)).toEqual([3, 0]);
  });

  it("is left to others where it is not of whole blocks, of zeros, in place, or waits for somebody", async () => {
    const { pool, volume } = await make();
    expect(begin(volume, 512, BLOCK, 1)).toBeNull();
    expect(begin(volume, 0, 512, 1)).toBeNull();
    expect(begin(volume, EXTENT - BLOCK, 2 * BLOCK, 1)).toBeNull();
    expect(begin(volume, 8 * EXTENT, BLOCK, 1)).toBeNull();
    expect(begin(volume, 0, BLOCK, 0)).toBeNull();
    const first = begin(volume, 0, BLOCK, 1);
    // Somebody maps the extent just now.
    expect(begin(volume, BLOCK, BLOCK, 1)).toBeNull();
    expect(await first?.ended).toBeNull();
    expect(begin(volume, 0, BLOCK, 1)).toBeNull();
    await volume.gate.close();
    expect(begin(volume, EXTENT, BLOCK, 1)).toBeNull();
    volume.gate.open();
    expect(pool.evictLeaves()).toBe(1);
    expect(begin(volume, EXTENT, BLOCK, 1)).toBeNull();
  });

  it("holds a snapshot up until it counts", async () => {
    const { volume } = await make();
    const write = begin(volume, 0, BLOCK, 1);
    const closed = volume.gate.close();
    expect([write?.isDone, volume.gate.changes]).toEqual([false, 1]);
    await closed;
    expect(write?.isDone).toBe(true);
    volume.gate.open();
  });

  it("keeps bytes of its own where the device takes them in its own time", async () => {
    const { pool, volume } = await make();
    pool.device.isSlow = true;
    expect(await begin(volume, 0, BLOCK, 7)?.ended).toBeNull();
    expect(await blocks(volume, 0, 2)).toEqual([7, 0]);
  });

  it("fails with the device, and leaves no extent behind", async () => {
    const { pool, volume } = await make();
    const before = pool.state.space.freeExtents;
    pool.device.faults.push({ kind: "medium", matches: ({ kind }) => kind === IoKind.write });
    expect((await begin(volume, 0, BLOCK, 7)?.ended)?.kind).toBe("medium");
    expect(pool.state.space.freeExtents).toBe(before);
    expect(await blocks(volume, 0, 1)).toEqual([0]);
    expect(volume.gate.changes).toBe(0);
  });

  it("waits with the other writes where the storage below has no room", async () => {
    const { pool, volume } = await make();
    pool.device.faults.push({ kind: "space", matches: ({ kind }) => kind === IoKind.write });
    const write = begin(volume, 0, BLOCK, 7);
    expect(await write?.ended).toBeNull();
    expect(await blocks(volume, 0, 1)).toEqual([7]);
  });

  it("is refused by a pool that has stopped", async () => {
    const { pool, volume } = await make();
    pool.device.faults.push({ kind: "medium", matches: ({ offsetBytes }) => offsetBytes < EXTENT });
    const write = begin(volume, 0, BLOCK, 7);
    expect(write).not.toBeNull();
    expect((await write?.ended)?.kind).toBe("failed");
    expect(begin(volume, EXTENT, BLOCK, 7)).toBeNull();
  });
});
