import { describe, expect, it } from "vitest";
import type { BlockDevice } from "../../../src/device/block-device.ts";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { candidatesOf, generationAfter } from "../../../src/thin/checkpoint/candidates.ts";
import { flushDevices } from "../../../src/thin/checkpoint/flush-devices.ts";
import { PagePlaces } from "../../../src/thin/checkpoint/page-place.ts";
import { PageReader } from "../../../src/thin/checkpoint/page-reader.ts";
import { newRunBuffers, PageWriter } from "../../../src/thin/checkpoint/page-writer.ts";
import { nextRootBlock } from "../../../src/thin/checkpoint/root-place.ts";
import { FormatFault } from "../../../src/thin/format/fault.ts";
import { Geometry } from "../../../src/thin/format/geometry.ts";
import { PageKind } from "../../../src/thin/format/page.ts";
import { IoKind, type IoRequest } from "../../../src/util/io-request.ts";
import { formatted, MIB, opened, POOL_UUID, recorded } from "./fixture.ts";

const geometry = new Geometry(16384);
const leaf = { kind: PageKind.leaf, level: 0, volume: 1, index: 0 };

/** Keeps how long reads were. */
class ReadWatch extends DeviceFilter {
  readonly lengths: number[] = [];

  override submit(request: IoRequest): void {
    this.lengths.push(request.lengthBytes);
    this.below.submit(request);
  }
}

function placesOn(device: BlockDevice): PagePlaces {
  const extents = {
    extentCount: 400,
    deviceOf: () => device,
    offsetOf: (phys: number) => MIB + phys * 16384,
  };
  return new PagePlaces(extents, geometry);
}

function writerOn(places: PagePlaces, blocks: number[]): PageWriter {
  return new PageWriter({
    places,
    allocator: { takeMetadataBlock: () => blocks.shift() ?? 0 },
    poolUuid: POOL_UUID,
    generation: 3,
    buffers: newRunBuffers(),
  });
}

describe("pages", () => {
  it("are gathered into long writes, and are what they were when they were added", async () => {
    const recorder = recorded(new MemoryDevice(16 * MIB));
    const places = placesOn(recorder);
    const blocks = [...Array.from({ length: 70 }, (_, index) => 10 + index), 200];
    const writer = writerOn(places, [...blocks]);
    const page = new Uint8Array(4096);
    const pointers = blocks.map((_, index) => {
      page.fill(index, 64);
      return writer.add(page, leaf);
    });
    await writer.finish();
    expect(writer.blocks).toEqual(blocks);
    const sizes = recorder.events.map((event) => (event === "flush" ? 0 : event.bytes.length));
    expect(sizes).toEqual([64 * 4096, 6 * 4096, 4096]);
    const reader = new PageReader(places, POOL_UUID, "pool");
    for (const [index, pointer] of pointers.entries()) {
      expect((await reader.page(pointer, PageKind.leaf))[4095]).toBe(index);
    }
  });

  it("are refused where they are not the ones that are meant", async () => {
    const memory = new MemoryDevice(16 * MIB);
    const places = placesOn(memory);
    const writer = writerOn(places, [10, 11]);
    const page = new Uint8Array(4096);
    const pointer = writer.add(page, leaf);
    const other = writer.add(page, leaf);
    await writer.finish();
    const reader = new PageReader(places, POOL_UUID, "pool");
    const bad = [
      { block: 10, crc: other.crc },
      { block: 12, crc: pointer.crc },
      { block: 0, crc: 0 },
      { block: 1600, crc: 1 },
    ];
    for (const one of bad) {
      await expect(reader.page(one, PageKind.leaf)).rejects.toMatchObject({ kind: "medium" });
    }
    await expect(reader.page(pointer, PageKind.masks)).rejects.toMatchObject({ kind: "medium" });
    const elsewhere = new PageReader(places, POOL_UUID.replace("5", "6"), "pool");
    await expect(elsewhere.page(pointer, PageKind.leaf)).rejects.toMatchObject({ kind: "medium" });
  });

  it("are read together, each judged by itself", async () => {
    const memory = new MemoryDevice(16 * MIB);
    // A gap that is read with the pages, and one that is not.
    const blocks = Array.from({ length: 300 }, (_, index) => {
      if (index < 30) return 10 + index;
      return (index < 280 ? 18 : 27) + index;
    });
    const writer = writerOn(placesOn(memory), [...blocks]);
    const page = new Uint8Array(4096);
    const pointers = blocks.map((_, index) => {
      page.fill(index, 64);
      return writer.add(page, index === 7 ? { ...leaf, kind: PageKind.bases } : leaf);
    });
    await writer.finish();
    const watched = new ReadWatch(memory, "watched");
    const room = new Uint8Array(400 * 4096);
    const pages = pointers.map(({ block, crc }, index) => ({
      block,
      crc: index === 5 ? crc + 1 : crc,
      kind: index === 6 ? PageKind.masks : index === 7 ? PageKind.bases : PageKind.leaf,
      // Memory has gaps where the media has none, too.
      into: room.subarray((index < 20 ? index : index + 5) * 4096).subarray(0, 4096),
    }));
    pages.push({ ...pages[0]!, block: 0 }, { ...pages[0]!, block: 1600 });
    const isRead = await new PageReader(placesOn(watched), POOL_UUID, "pool").readTogether(pages);
    const wrong = [5, 6, 300, 301];
    expect(isRead).toEqual(pages.map((_, index) => !wrong.includes(index)));
    for (const [index, { into }] of pages.slice(0, 300).entries()) {
      expect([into[64], into[4095]]).toEqual([index & 255, index & 255]);
    }
    expect(watched.lengths).toEqual([256 * 4096, 32 * 4096, 20 * 4096]);
    const failing = new ErrorFilter(memory, [{ error: "medium", times: 1 }]);
    const again = await new PageReader(placesOn(failing), POOL_UUID, "pool").readTogether(pages);
    expect(again.filter((isFine) => isFine)).toHaveLength(52);
  });

  it("report the device's errors", async () => {
    const failing = new ErrorFilter(new MemoryDevice(16 * MIB), [{ error: "medium" }]);
    const places = placesOn(failing);
    const writer = writerOn(places, [10]);
    writer.add(new Uint8Array(4096), leaf);
    await expect(writer.finish()).rejects.toMatchObject({ kind: "medium" });
    await expect(writer.room()).rejects.toMatchObject({ kind: "medium" });
    const reader = new PageReader(places, POOL_UUID, "pool");
    await expect(reader.page({ block: 10, crc: 1 }, PageKind.leaf)).rejects.toMatchObject({
      kind: "medium",
    });
    failing.setRules([{ error: "medium", kind: IoKind.flush }]);
    await expect(flushDevices([new MemoryDevice(MIB), failing])).rejects.toMatchObject({
      kind: "medium",
    });
  });
});

describe("where a checkpoint goes", () => {
  it("spares the roots of the last two", () => {
    for (const last of [1, 2, 3]) {
      for (const before of [0, 1, 2, 3]) {
        expect([last, before]).not.toContain(nextRootBlock(last, before));
      }
    }
  });

  it("gets a number that is newer than all, and the other slot than what it came from", async () => {
    const [device] = await formatted();
    const base = { ...(await opened([device!])).superblocks.last, generation: 2 };
    const copy = (generation: number) => ({
      offsetBytes: 0,
      superblock: { ...base, generation },
    });
    const broken = { offsetBytes: 0, superblock: new FormatFault("damaged", "a test") };
    expect(generationAfter(base, [copy(1), copy(2), broken])).toBe(3);
    expect(generationAfter(base, [copy(3), copy(2)])).toBe(5);
    expect(generationAfter(base, [copy(2), broken, copy(2)])).toBe(5);
    const older = candidatesOf([copy(2), copy(3), broken, copy(3)], false);
    expect(older.map(({ superblock }) => superblock.generation)).toEqual([3, 2]);
    expect(older.map(({ isOlder }) => isOlder)).toEqual([false, true]);
    const otherEpoch = { offsetBytes: 0, superblock: { ...base, generation: 1, epoch: 1 } };
    expect(candidatesOf([copy(2), otherEpoch], false)).toHaveLength(1);
    const marked = { offsetBytes: 0, superblock: { ...base, needsCheck: true } };
    expect(() => candidatesOf([marked], false)).toThrow(/pool check/);
    expect(candidatesOf([marked], true)).toHaveLength(1);
    const later = { ...base, features: { compat: 0, roCompat: 1, incompat: 0 } };
    expect(() => candidatesOf([{ offsetBytes: 0, superblock: later }], false)).toThrow(/later/);
  });
});
