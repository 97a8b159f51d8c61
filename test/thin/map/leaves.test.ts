import { describe, expect, it } from "vitest";
import { Geometry, NO_EXTENT } from "../../../src/thin/format/geometry.ts";
import type { LeafPointers, PagePointer } from "../../../src/thin/format/pointer.ts";
import { CapturedLeaf } from "../../../src/thin/map/captured-leaf.ts";
import { isPartial, physOf } from "../../../src/thin/map/entry.ts";
import { checkLeaf } from "../../../src/thin/map/leaf-check.ts";
import type { LeafReader } from "../../../src/thin/map/leaf-store.ts";
import { LeafStore } from "../../../src/thin/map/leaf-store.ts";
import { LeafTable } from "../../../src/thin/map/leaf-table.ts";
import { PageSlabs } from "../../../src/thin/map/page-slabs.ts";
import { EXTENT_BYTES, Media } from "./pool-harness.ts";

const HEADER_WORDS = 16;

function makeStore(pages: number): { leaves: LeafStore; media: Media; retired: number[] } {
  const media = new Media();
  const leaves = new LeafStore({
    geometry: new Geometry(EXTENT_BYTES),
    reader: media,
    memoryBytesMax: pages * 4096,
    extents: () => 1000,
  });
  const retired: number[] = [];
  leaves.retire = (pointer) => retired.push(pointer.block);
  return { leaves, media, retired };
}

let lastBlock = 0;

/** Writes a capture to the media; returns the blocks that it went to. */
function write(media: Media, capture: CapturedLeaf): LeafPointers {
  const put = (page: Uint8Array): PagePointer => {
    lastBlock += 1;
    media.pages.set(lastBlock, page.slice());
    return { block: lastBlock, crc: 0 };
  };
  const { leaf, bases, masks } = capture.pages();
  const pointers = {
    leaf: put(leaf),
    bases: bases === null ? null : put(bases),
    masks: masks === null ? null : put(masks),
  };
  capture.written(pointers);
  return pointers;
}

describe("LeafStore", () => {
  it("loads many leaves in long reads, and each by itself where that does not do", async () => {
    const media = new Media();
    const single: number[] = [];
    const reader: LeafReader = {
      read: (pointers, into) => {
        single.push(pointers.leaf.block);
        return media.read(pointers, into);
      },
      // The one in block 1002 cannot be had with others.
      readTogether: async (pages) => {
        for (const { block, into } of pages) {
          const page = { leaf: into, bases: null, masks: null };
          await media.read({ leaf: { block, crc: 0 }, bases: null, masks: null }, page);
        }
        return pages.map(({ block }) => block !== 1002);
      },
    };
    const leaves = new LeafStore({
      geometry: new Geometry(EXTENT_BYTES),
      reader,
      memoryBytesMax: 64 * 4096,
      extents: () => 1000,
    });
    const ids = Uint32Array.from([1000, 1001, 1002, 1003], (block) => {
      const words = new Uint32Array(1024);
      // The one in block 1003 names an extent that the pool does not have.
      words[HEADER_WORDS + 7] = block === 1003 ? 1001 : block - 900;
      media.pages.set(block, new Uint8Array(words.buffer));
      return leaves.addStored({ leaf: { block, crc: 0 }, bases: null, masks: null });
    });
    const whole = ids.subarray(0, 3);
    const loaded = leaves.loadAll(whole);
    await Promise.all([loaded, leaves.load(ids[2]!)]);
    expect(single).toEqual([1002]);
    expect([...whole].map((leaf) => leaves.entry(leaf, 7))).toEqual([100, 101, 102]);
    expect([...whole].map((leaf) => leaves.mapped(leaf))).toEqual([1, 1, 1]);
    for (const leaf of whole) expect(leaves.evict(leaf)).toBe(true);
    const all = leaves.loadAll(ids);
    await expect(all).rejects.toMatchObject({ kind: "medium" });
    expect([...ids].map((leaf) => leaves.isResident(leaf))).toEqual([true, true, true, false]);
    expect(leaves.residentBytes).toBe(3 * 4096);
  });

  it("loads side pages with their leaf, and the leaf by itself where one of them does not come", async () => {
    const { leaves: source, media } = makeStore(100);
    const places = [1, 2].map((slot) => {
      const leaf = source.create();
      source.setPartial(leaf, slot, 10 + slot, 5, 20 + slot);
      return write(media, source.capture()[0]!);
    });
    const together: (readonly number[])[] = [];
    const single: number[] = [];
    const reader: LeafReader = {
      read: (pointers, into) => {
        single.push(pointers.leaf.block);
        return media.read(pointers, into);
      },
      readTogether: async (pages) => {
        together.push(pages.map(({ kind }) => kind));
        for (const { block, into } of pages) into.set(media.pages.get(block)!);
        return pages.map(({ block }) => block !== places[1]!.masks!.block);
      },
    };
    const geometry = new Geometry(EXTENT_BYTES);
    const options = { geometry, reader, memoryBytesMax: 64 * 4096, extents: () => 1000 };
    const leaves = new LeafStore(options);
    const ids = Uint32Array.from(places, (pointers) => leaves.addStored(pointers));
    await leaves.loadAll(ids);
    expect(together).toEqual([[5, 6, 7, 5, 6, 7]]);
    expect(single).toEqual([places[1]!.leaf.block]);
    for (const [index, leaf] of ids.entries()) {
      const slot = index + 1;
      expect([leaves.base(leaf, slot), leaves.mask(leaf, slot)]).toEqual([20 + slot, 5]);
      expect([leaves.mapped(leaf), leaves.partials(leaf)]).toEqual([1, 1]);
    }
    expect(leaves.residentBytes).toBe(6 * 4096);
  });

  it("gives up clean leaves only, and reads them again once for all who wait", async () => {
    const { leaves, media } = makeStore(4);
    const first = leaves.create();
    leaves.setPlain(first, 7, 77);
    leaves.setPartial(first, 8, 78, 5, 79);
    expect(leaves.dirtyPages).toBe(3);
    leaves.create();
    leaves.create();
    expect(leaves.isResident(first)).toBe(true);
    for (const capture of leaves.capture()) write(media, capture);
    expect(leaves.dirtyPages).toBe(0);
    const late = leaves.create();
    leaves.create();
    expect(leaves.isResident(late)).toBe(true);
    expect(leaves.isResident(first)).toBe(false);
    expect(leaves.residentBytes).toBeLessThanOrEqual(4 * 4096);
    leaves.pin(first);
    await Promise.all([leaves.load(first), leaves.load(first)]);
    expect(media.reads).toBe(1);
    expect(physOf(leaves.entry(first, 7))).toBe(77);
    expect(isPartial(leaves.entry(first, 8))).toBe(true);
    expect([leaves.mask(first, 8), leaves.base(first, 8)]).toEqual([5, 79]);
    expect([leaves.mask(first, 7), leaves.base(first, 7)]).toEqual([0, NO_EXTENT]);
    for (let count = 0; count < 10; count += 1) leaves.create();
    expect(leaves.isResident(first)).toBe(true);
  });

  it("writes what was captured, although the leaf changes", () => {
    const { leaves, media, retired } = makeStore(100);
    const leaf = leaves.create();
    leaves.setPlain(leaf, 0, 1);
    const [capture] = leaves.capture();
    leaves.setPlain(leaf, 0, 2);
    leaves.setPartial(leaf, 1, 3, 1, NO_EXTENT);
    const first = write(media, capture!);
    const words = new Uint32Array(media.pages.get(first.leaf.block)!.buffer);
    expect(words[HEADER_WORDS]).toBe(2);
    expect(words[HEADER_WORDS + 1]).toBe(0);
    expect(leaves.isDirty(leaf)).toBe(true);
    expect(physOf(leaves.entry(leaf, 0))).toBe(2);
    const [again] = leaves.capture();
    const second = write(media, again!);
    expect(second.bases).not.toBeNull();
    expect(retired).toEqual([first.leaf.block]);
    expect([leaves.dirtyPages, leaves.residentBytes]).toEqual([0, 3 * 4096]);
    leaves.clear(leaf, 1);
    expect(leaves.residentBytes).toBe(4096);
  });

  it("frees the new place of a leaf that went while it was written", () => {
    const { leaves, media, retired } = makeStore(100);
    const leaf = leaves.create();
    const [capture] = leaves.capture();
    leaves.dropReference(leaf);
    expect(leaves.destroy(leaf)).toBeNull();
    expect(leaves.create()).toBe(leaf);
    const { leaf: place } = write(media, capture!);
    expect(retired).toEqual([place.block]);
    expect(leaves.pointers(leaf)).toBeNull();
    expect(leaves.dirtyPages).toBe(1);
  });

  it("refuses a page that maps what the pool does not have", async () => {
    const { leaves, media } = makeStore(100);
    const page = new Uint32Array(1024);
    page[HEADER_WORDS + 3] = 1001;
    media.pages.set(5, new Uint8Array(page.buffer));
    const leaf = leaves.addStored({ leaf: { block: 5, crc: 0 }, bases: null, masks: null });
    await expect(leaves.load(leaf)).rejects.toThrow("entry 3 maps extent 1000");
    await expect(leaves.readStored(leaf)).rejects.toThrow("block 5");
    expect([leaves.isResident(leaf), leaves.residentBytes]).toEqual([false, 0]);
    page[HEADER_WORDS + 3] = 1000;
    await leaves.load(leaf);
    expect(leaves.mapped(leaf)).toBe(1);
  });

  it("forgets a load when the leaf goes meanwhile", async () => {
    const { leaves, media } = makeStore(100);
    media.pages.set(6, new Uint8Array(4096));
    const leaf = leaves.addStored({ leaf: { block: 6, crc: 0 }, bases: null, masks: null });
    const load = leaves.load(leaf);
    leaves.destroy(leaf);
    await load;
    expect([leaves.exists(leaf), leaves.residentBytes]).toEqual([false, 0]);
  });
});

describe("checkLeaf", () => {
  it("knows what a PARTIAL entry may be", () => {
    const leaf = new Uint32Array(1024);
    const bases = new Uint32Array(1024);
    const masks = new Uint32Array(1024);
    leaf[HEADER_WORDS] = 0x8000_0005;
    expect(checkLeaf({ leaf, bases: null, masks: null }, 100, 15)).toContain("side pages");
    expect(checkLeaf({ leaf, bases, masks }, 100, 15)).toContain("mask 0");
    masks[HEADER_WORDS] = 15;
    expect(checkLeaf({ leaf, bases, masks }, 100, 15)).toContain("mask 15");
    masks[HEADER_WORDS] = 14;
    expect(checkLeaf({ leaf, bases, masks }, 100, 15)).toEqual({ mapped: 1, partials: 1 });
    bases[HEADER_WORDS] = 5;
    expect(checkLeaf({ leaf, bases, masks }, 100, 15)).toContain("extent 4 as its base");
    leaf[HEADER_WORDS] = 0x8000_0000;
    expect(checkLeaf({ leaf, bases, masks }, 100, 15)).toContain("extent -1");
  });
});

describe("LeafTable", () => {
  it("keeps what it knows when it grows, and forgets it with the leaf", () => {
    const table = new LeafTable();
    for (let leaf = 1; leaf <= 1000; leaf += 1) {
      expect(table.take()).toBe(leaf);
      table.leafBlock[leaf] = 2 ** 40 + leaf;
      table.pins[leaf] = leaf;
    }
    expect([table.leafBlock[3], table.pins[700]]).toEqual([2 ** 40 + 3, 700]);
    table.give(3);
    expect(() => table.give(3)).toThrow();
    expect(table.take()).toBe(3);
    expect(table.leafBlock[3]).toBe(0);
    expect(table.count).toBe(1000);
  });
});

describe("PageSlabs", () => {
  it("hands out pages of zeros, also those that were used", () => {
    const slabs = new PageSlabs();
    const page = slabs.take();
    slabs.words(page).fill(9);
    const copy = slabs.copy(page);
    expect(slabs.bytes(copy)[4095]).toBe(0);
    expect(slabs.words(copy)[1023]).toBe(9);
    slabs.give(page);
    expect(slabs.take()).toBe(page);
    expect(slabs.words(page)[0]).toBe(0);
    expect(slabs.usedPages).toBe(2);
  });
});

it("says of a capture how many pages it has", () => {
  const capture = new CapturedLeaf(new PageSlabs(), 1, [0, -1, -1], () => undefined);
  expect(capture.pageCount).toBe(1);
});
