import { expect, test } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { JOURNAL_OFFSET_BYTES, SUPERBLOCK_OFFSETS } from "../../../src/thin/format/layout.ts";
import { looksLikePage } from "../../../src/thin/format/page.ts";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import type { IoError, IoErrorKind } from "../../../src/util/io-error.ts";
import {
  discard,
  flush,
  IoKind,
  IoRequest,
  readBytes,
  writeBytes,
  writeStable,
} from "../../../src/util/io-request.ts";
import { BrimDevice } from "./support/brim-device.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

interface Brim {
  readonly bench: PoolBench;
  readonly disk: BrimDevice;
  readonly volume: ThinVolume;
}

/** The least that a first write takes. */
const BLOCK = 4096;

/** More leaves than there is room for in the extent of metadata that is there from the beginning. */
const OTHERS = 24;

/** A pool with four extents of a volume written, on storage that can be full: then its next checkpoint has no room. */
async function brim(): Promise<Brim> {
  const disk = new BrimDevice(new MemoryDevice(64 * MIB, "image"));
  const settings = { holdMs: 1000, fullRetryMs: 60_000 };
  const bench = await PoolBench.make({ devices: [disk], settings });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 4, 1);
  for (let index = 0; index < OTHERS; index += 1) {
    await bench.fill(await bench.create(`other-${index}`, MIB), 0, 1, 2);
  }
  return { bench, disk, volume };
}

/** What becomes of something, as far as is known: "open", "done" or the kind of its error. */
interface Fate {
  end: string;
}

function watch(work: Promise<unknown>): Fate {
  const fate: Fate = { end: "open" };
  work.then(
    () => (fate.end = "done"),
    (error: { kind: IoErrorKind }) => (fate.end = error.kind),
  );
  return fate;
}

function said({ lines }: PoolBench, words: RegExp): number {
  return lines.filter(({ message }) => words.test(message)).length;
}

function write(volume: ThinVolume, lext: number, byte: number): Promise<void> {
  return writeBytes(volume, lext * EXTENT, Buffer.alloc(EXTENT, byte));
}

test("a checkpoint waits for room below, and everything else goes on", async () => {
  const { bench, disk, volume } = await brim();
  disk.isFull = true;
  const fate = watch(bench.pool.checkpoint());
  await bench.pass(5_000);
  expect(fate.end).toBe("open");
  expect(disk.refused).toBeGreaterThan(5);
  expect(bench.pool.failure).toBeNull();
  // In place, with and without a flush, and what frees.
  await bench.drive(writeStable(volume, 0, Buffer.alloc(EXTENT, 2)));
  await bench.drive(write(volume, 1, 3));
  await bench.drive(flush(volume));
  await bench.drive(discard(volume, 3 * EXTENT, EXTENT));
  await bench.drive(bench.pool.rename(volume, "renamed"));
  expect(await bench.byteAt(volume, 0)).toBe(2);
  expect(bench.spaceEvents()).toEqual(["storage-full"]);
  disk.isFull = false;
  await bench.pass(1_000);
  expect(fate.end).toBe("done");
  expect(bench.spaceEvents()).toEqual(["storage-full", "storage-available"]);
  expect([said(bench, /file system below .* is full/), said(bench, /has room again/)]).toEqual([
    1, 1,
  ]);
  expect(bench.mark.pools.size).toBe(0);
  await bench.kill();
  const found = bench.pool.volume("renamed");
  expect([await bench.byteAt(found, 0), await bench.byteAt(found, 1)]).toEqual([2, 3]);
  expect([await bench.byteAt(found, 2), await bench.byteAt(found, 3)]).toEqual([1, 0]);
  await bench.expectSound();
});

test("that it is full is said once, and then once a minute", async () => {
  const { bench, disk } = await brim();
  disk.isFull = true;
  const fate = watch(bench.pool.checkpoint());
  await bench.pass(200_000, 1000);
  expect(fate.end).toBe("open");
  expect(said(bench, /file system below .* is full/)).toBe(4);
  disk.isFull = false;
  await bench.pass(1_000);
  expect(fate.end).toBe("done");
});

test("a write that finds no room waits, and goes on by itself", async () => {
  const { bench, disk, volume } = await brim();
  disk.isFull = true;
  const fates = [4, 5, 6].map((lext) => watch(write(volume, lext, lext)));
  await bench.pass(500);
  expect(fates.map(({ end }) => end)).toEqual(["open", "open", "open"]);
  // It keeps nobody from an instant.
  await bench.snapshot(volume, "before");
  disk.isFull = false;
  await bench.pass(500);
  expect(fates.map(({ end }) => end)).toEqual(["done", "done", "done"]);
  expect(await bench.byteAt(volume, 5)).toBe(5);
  expect(bench.spaceEvents()).toEqual(["storage-full", "storage-available"]);
  await bench.expectSound();
});

test("a write waits no longer than one into a full pool, and is answered like that", async () => {
  const { bench, disk, volume } = await brim();
  disk.isFull = true;
  const fate = watch(write(volume, 4, 4));
  await bench.pass(1_500);
  expect(fate.end).toBe("space-pending");
  for (let passed = 0; passed < 70_000; passed += 1_500) {
    watch(write(volume, 4, 4));
    await bench.pass(1_500);
  }
  const last = watch(write(volume, 4, 4));
  await bench.pass(250);
  expect(last.end).toBe("space");
  disk.isFull = false;
  await bench.drive(write(volume, 4, 5));
  expect(await bench.byteAt(volume, 4)).toBe(5);
  expect(bench.pool.failure).toBeNull();
  await bench.pass(62_000, 1000);
  expect(bench.spaceEvents()).toEqual(["storage-full", "storage-available"]);
  await bench.expectSound();
});

test("a block of the journal waits for room where the file system writes nothing in place", async () => {
  const { bench, disk, volume } = await brim();
  disk.takesRoom = (offset) =>
    offset >= JOURNAL_OFFSET_BYTES && offset < JOURNAL_OFFSET_BYTES + MIB;
  disk.isFull = true;
  const unmapped = watch(discard(volume, 0, EXTENT));
  const flushed = watch(flush(volume));
  await bench.pass(10_000);
  expect(disk.refused).toBeGreaterThan(0);
  expect([unmapped.end, bench.pool.failure]).toEqual(["open", null]);
  disk.isFull = false;
  await bench.pass(1_000);
  expect([unmapped.end, flushed.end]).toEqual(["done", "done"]);
  await bench.kill();
  expect(await bench.byteAt(bench.pool.volume("data"), 0)).toBe(0);
  expect(await bench.byteAt(bench.pool.volume("data"), 1)).toBe(1);
});

test("a superblock waits for room", async () => {
  const { bench, disk } = await brim();
  const places = new Set<number>(SUPERBLOCK_OFFSETS);
  disk.takesRoom = (offset) => places.has(offset);
  const fate = watch(bench.pool.checkpoint());
  disk.isFull = true;
  await bench.pass(5_000);
  disk.takesRoom = () => false;
  await bench.pass(1_000);
  disk.isFull = false;
  await bench.pass(1_000);
  expect(disk.refused).toBeGreaterThan(1);
  expect([fate.end, bench.pool.failure]).toEqual(["done", null]);
  await bench.kill();
  await bench.expectSound();
});

test("writes that the journal has no room for are told so, and do not hang until the checkpoint has some", async () => {
  const { bench, disk, volume } = await brim();
  disk.allocate();
  disk.takesRoom = (_, data) => looksLikePage(data, 0);
  disk.isFull = true;
  const checkpoint = watch(bench.pool.checkpoint());
  await bench.pass(250);
  const change = (count: number): Promise<void> =>
    count % 2 === 0 ? discard(volume, 0, EXTENT) : write(volume, 0, count);
  let fate: Fate = { end: "done" };
  for (let count = 0; fate.end === "done"; count += 1) {
    fate = watch(change(count));
    await bench.pass(4, 1);
  }
  await bench.pass(2_000);
  expect(fate.end).toBe("space-pending");
  // What they had is free, they are in nobody's way, and what manages the pool goes on.
  expect(bench.pool.state.space.changes).toBe(0);
  await bench.snapshot(volume, "before");
  expect(checkpoint.end).toBe("open");
  disk.isFull = false;
  await bench.pass(2_000);
  expect(checkpoint.end).toBe("done");
  await bench.drive(write(volume, 0, 77));
  expect(await bench.byteAt(volume, 0)).toBe(77);
  await bench.expectSound();
});

/** A write of which the bytes are the volume's only until {@link ThinVolume.tryBegin} returns, and others are there then. */
function begin(volume: ThinVolume, offsetBytes: number, byte: number): Fate {
  const fate: Fate = { end: "open" };
  const request = new (class extends IoRequest {
    override done(error: IoError | null): void {
      fate.end = error === null ? "done" : error.kind;
    }
  })();
  request.kind = IoKind.write;
  request.offsetBytes = offsetBytes;
  request.lengthBytes = BLOCK;
  const bytes = Buffer.alloc(BLOCK, byte);
  expect(volume.tryBegin(bytes, 0, request)).toBe(true);
  bytes.fill(0xee);
  return fate;
}

/** Changes come until their records wait for a checkpoint that finds no room. */
async function jam({ bench, disk, volume }: Brim): Promise<Fate> {
  disk.allocate();
  disk.takesRoom = (_, data) => looksLikePage(data, 0);
  disk.isFull = true;
  const checkpoint = watch(bench.pool.checkpoint());
  await bench.pass(250);
  let fate: Fate = { end: "done" };
  for (let count = 0; fate.end === "done"; count += 1) {
    fate = watch(count % 2 === 0 ? discard(volume, 0, EXTENT) : write(volume, 0, count));
    await bench.pass(4, 1);
  }
  return checkpoint;
}

// They were failed at once when their records were withdrawn, whereas all others waited: nobody had the bytes any more.
test("writes that were begun when the journal had no room left wait like others, and go on with the bytes they had", async () => {
  const brimming = await brim();
  const { bench, disk, volume } = brimming;
  await bench.drive(writeBytes(volume, 5 * EXTENT, Buffer.alloc(BLOCK, 5)));
  await bench.snapshot(volume, "before");
  await bench.drive(writeBytes(volume, 2 * EXTENT, Buffer.alloc(BLOCK, 2)));
  await jam(brimming);
  const hole = begin(volume, 9 * EXTENT, 9);
  const overlay = begin(volume, 3 * EXTENT + BLOCK, 33);
  const grown = begin(volume, 2 * EXTENT + BLOCK, 22);
  await bench.pass(600);
  expect([hole.end, overlay.end, grown.end]).toEqual(["open", "open", "open"]);
  disk.isFull = false;
  await bench.pass(3_000);
  expect([hole.end, overlay.end, grown.end]).toEqual(["done", "done", "done"]);
  const at = async (offset: number): Promise<number> =>
    (await bench.drive(readBytes(volume, offset, 1)))[0] ?? -1;
  expect([await at(9 * EXTENT), await at(3 * EXTENT + BLOCK), await at(3 * EXTENT)]).toEqual([
    9, 33, 1,
  ]);
  expect([await at(2 * EXTENT + BLOCK), await at(2 * EXTENT)]).toEqual([22, 2]);
  await bench.expectSound();
});

test("writes that were begun are told after their time that there is no room, and have nothing left", async () => {
  const brimming = await brim();
  const { bench, volume } = brimming;
  await jam(brimming);
  const fate = begin(volume, 9 * EXTENT, 9);
  await bench.pass(2_000);
  expect([fate.end, bench.pool.state.space.changes]).toEqual(["space-pending", 0]);
  expect(bench.pool.failure).toBeNull();
});

test("a pool is closed without a checkpoint that finds no room, and can be opened again in the same boot", async () => {
  const { bench, disk, volume } = await brim();
  disk.isFull = true;
  const checkpoint = watch(bench.pool.checkpoint());
  const held = watch(write(volume, 9, 9));
  await bench.pass(250);
  await bench.drive(write(volume, 0, 7));
  const closed = watch(bench.pool.close());
  await bench.pass(12_000);
  expect([closed.end, checkpoint.end, held.end]).toEqual(["done", "failed", "gone"]);
  expect(said(bench, /without a checkpoint/)).toBe(1);
  expect(bench.pool.failure).toBeNull();
  expect(bench.lines.filter(({ level }) => level === "fatal")).toEqual([]);
  expect(bench.mark.pools.size).toBe(0);
  // While it is full it is not opened, which says what to do, and changes nothing.
  bench.devices = [await disk.reopened()];
  const refused = bench.open();
  const fate = watch(refused);
  await bench.pass(12_000);
  await expect(refused).rejects.toThrow(PoolError);
  await expect(refused).rejects.toThrow(/image.* is full.*free some/s);
  expect([fate.end, bench.mark.pools.size]).toEqual(["space", 0]);
  disk.isFull = false;
  bench.devices = [await disk.reopened()];
  await bench.open();
  const again = bench.pool.volume("data");
  expect([await bench.byteAt(again, 0), await bench.byteAt(again, 1)]).toEqual([7, 1]);
  expect(await bench.byteAt(again, 9)).toBe(0);
  await bench.expectSound();
  await bench.close();
});

test("a pool whose journal finds no room is closed within its time, too, and says that not all is flushed", async () => {
  const { bench, disk, volume } = await brim();
  disk.takesRoom = () => true;
  disk.isFull = true;
  const unmapped = watch(discard(volume, 0, EXTENT));
  const closed = watch(bench.pool.close());
  await bench.pass(12_000);
  expect([closed.end, unmapped.end]).toEqual(["done", "failed"]);
  expect(bench.pool.failure).not.toBeNull();
  expect(bench.mark.pools.size).toBe(0);
  bench.devices = [await disk.reopened()];
  disk.isFull = false;
  (bench.devices[0] as BrimDevice).isFull = false;
  await bench.open();
  await bench.expectSound();
});

test("a pool that is opened while it is full goes on when there is room soon", async () => {
  const { bench, disk } = await brim();
  disk.isFull = true;
  const image = await disk.reopened();
  bench.devices = [image];
  const opening = bench.open();
  const fate = watch(opening);
  await bench.pass(2_000);
  expect(fate.end).toBe("open");
  image.isFull = false;
  await bench.pass(1_000);
  await opening;
  expect(await bench.byteAt(bench.pool.volume("data"), 3)).toBe(1);
});

test("a flush that fails while something waits stops the pool for good", async () => {
  const { bench, disk, volume } = await brim();
  disk.isFull = true;
  const checkpoint = watch(bench.pool.checkpoint());
  const held = watch(write(volume, 9, 9));
  await bench.pass(500);
  disk.failsFlush = true;
  const flushed = watch(flush(volume));
  await bench.pass(500);
  expect([checkpoint.end, held.end, flushed.end]).toEqual(["failed", "failed", "failed"]);
  expect(bench.mark.pools.size).toBe(1);
  const { refused } = disk;
  disk.isFull = false;
  await bench.pass(5_000);
  expect(disk.refused).toBe(refused);
});

test("a pool that is fenced waits for nothing more, and writes nothing", async () => {
  const { bench, disk, volume } = await brim();
  disk.isFull = true;
  const checkpoint = watch(bench.pool.checkpoint());
  const held = watch(write(volume, 9, 9));
  await bench.pass(500);
  bench.pool.fence(new PoolError("foreign", "another host has it"));
  await bench.pass(0, 1);
  disk.isFull = false;
  await bench.pass(2_000);
  expect([checkpoint.end, held.end]).toEqual(["failed", "failed"]);
  expect(bench.mark.pools.size).toBe(0);
});
