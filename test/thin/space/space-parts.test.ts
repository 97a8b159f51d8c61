import { describe, expect, it } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { Geometry, NO_EXTENT } from "../../../src/thin/format/geometry.ts";
import { SEGMENTS_MAX } from "../../../src/thin/limits.ts";
import { AddressSpace } from "../../../src/thin/space/address-space.ts";
import { Allocator } from "../../../src/thin/space/allocator.ts";
import { ExtentBitmap } from "../../../src/thin/space/extent-bitmap.ts";
import { MetadataSpace } from "../../../src/thin/space/metadata-space.ts";
import { Pins } from "../../../src/thin/space/pins.ts";
import { Quarantine } from "../../../src/thin/space/quarantine.ts";
import { ReferenceCounts } from "../../../src/thin/space/reference-counts.ts";
import { VirginMarks } from "../../../src/thin/space/virgin-marks.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

function makeAddresses(): AddressSpace {
  const devices = [new MemoryDevice(1 << 20, "first"), new MemoryDevice(1 << 20, "second")];
  return new AddressSpace(
    new Geometry(65_536),
    [
      { device: 0, offsetBytes: 1 << 20, extents: 100, virginFrom: 60 },
      { device: 1, offsetBytes: 2 << 20, extents: 50, virginFrom: 0 },
    ],
    devices,
  );
}

function allOf(bitmap: ExtentBitmap): number[] {
  const all: number[] = [];
  for (let phys = bitmap.next(0); phys >= 0; phys = bitmap.next(phys + 1)) all.push(phys);
  expect(all).toHaveLength(bitmap.count);
  return all;
}

describe("AddressSpace", () => {
  it("numbers extents through all segments", () => {
    const addresses = makeAddresses();
    expect(addresses.extentCount).toBe(150);
    expect(addresses.offsetOf(99)).toBe((1 << 20) + 99 * 65_536);
    expect(addresses.offsetOf(100)).toBe(2 << 20);
    expect(addresses.deviceOf(100).name).toBe("second");
    expect(addresses.contiguous(98, 2)).toBe(true);
    expect(addresses.contiguous(98, 3)).toBe(false);
  });

  it("lets nothing be mapped past a virgin mark, an end, or a segment", () => {
    const addresses = makeAddresses();
    expect(addresses.isMappable(58, 2)).toBe(true);
    expect(addresses.isMappable(58, 3)).toBe(false);
    expect(addresses.isMappable(100, 1)).toBe(false);
    addresses.setVirginFrom(1, 50);
    expect(addresses.isMappable(149, 1)).toBe(true);
    expect(addresses.isMappable(149, 2)).toBe(false);
  });

  it("finds each extent among as many segments as there can be, in any order", () => {
    const random = new SeededRandom(21);
    const devices = [0, 1, 2].map((index) => new MemoryDevice(1 << 20, `device-${index}`));
    const addresses = new AddressSpace(new Geometry(16_384), [], devices);
    expect(() => addresses.segmentOf(0)).toThrow("one of the pool's");
    const places: { device: number; offsetBytes: number; segment: number; left: number }[] = [];
    const check = (phys: number): void => {
      const { device, offsetBytes, segment, left } = places[phys]!;
      expect(addresses.segmentOf(phys)).toBe(segment);
      expect([addresses.deviceIndexOf(phys), addresses.offsetOf(phys)]).toEqual([
        device,
        offsetBytes,
      ]);
      expect([addresses.contiguous(phys, left), addresses.contiguous(phys, left + 1)]).toEqual([
        true,
        false,
      ]);
      expect([addresses.isMappable(phys, left), addresses.isMappable(phys, left + 1)]).toEqual([
        true,
        false,
      ]);
    };
    for (let segment = 0; segment < SEGMENTS_MAX; segment += 1) {
      const extents = 1 + (segment % 3 === 0 ? 0 : random.below(9));
      const device = random.below(devices.length);
      const offsetBytes = (segment + 1) * 1_048_576;
      addresses.addSegment({ device, offsetBytes, extents, virginFrom: extents });
      for (let at = 0; at < extents; at += 1) {
        const left = extents - at;
        places.push({ device, offsetBytes: offsetBytes + at * 16_384, segment, left });
      }
      expect(addresses.extentCount).toBe(places.length);
      // What was looked for last, and lies in another segment, does not matter.
      for (let count = 0; count < 20; count += 1) check(random.below(places.length));
      check(places.length - 1);
    }
    for (const phys of places.keys()) check(phys);
    for (const phys of [...places.keys()].toReversed()) check(phys);
    for (const phys of [-1, places.length, 0.5 - 1, NaN]) {
      expect(() => addresses.segmentOf(phys)).toThrow("one of the pool's");
    }
    const one = { device: 0, offsetBytes: 0, extents: 1, virginFrom: 0 };
    expect(() => addresses.addSegment(one)).toThrow("segments");
  });

  it("finds extents up to the last number that there can be", () => {
    const devices = [new MemoryDevice(1 << 20, "first")];
    const half = { device: 0, offsetBytes: 1 << 23, extents: 2 ** 30, virginFrom: 2 ** 30 };
    const rest = { ...half, offsetBytes: 2 ** 46, extents: 2 ** 30 - 2, virginFrom: 2 ** 30 - 2 };
    const addresses = new AddressSpace(new Geometry(16_384), [half, rest], devices);
    const last = 2 ** 31 - 3;
    expect([addresses.segmentOf(last), addresses.segmentOf(2 ** 30 - 1)]).toEqual([1, 0]);
    expect(addresses.offsetOf(last)).toBe(2 ** 46 + (2 ** 30 - 3) * 16_384);
    expect(addresses.isMappable(last, 1)).toBe(true);
    expect([addresses.isMappable(last, 2), addresses.isMappable(last + 1, 1)]).toEqual([
      false,
      false,
    ]);
    expect(() => addresses.addSegment({ ...rest, extents: 1, virginFrom: 0 })).toThrow("1 extents");
  });

  it("refuses a segment on a device that is not there", () => {
    const segment = { device: 2, offsetBytes: 0, extents: 1, virginFrom: 0 };
    expect(() => makeAddresses().addSegment(segment)).toThrow("device 2");
    expect(() => makeAddresses().addSegment({ ...segment, device: 0, virginFrom: 2 })).toThrow();
  });
});

describe("ExtentBitmap", () => {
  it("finds the next extent over empty words", () => {
    const bitmap = new ExtentBitmap(100_000);
    bitmap.addRange(70_001, 70_100);
    bitmap.addRange(9, 9);
    bitmap.add(3);
    expect(bitmap.next(0)).toBe(3);
    expect(bitmap.next(4)).toBe(70_001);
    expect(bitmap.next(70_050)).toBe(70_050);
    expect(bitmap.next(70_100)).toBe(-1);
    expect(bitmap.count).toBe(100);
    expect(bitmap.delete(70_001)).toBe(true);
    expect(bitmap.delete(70_001)).toBe(false);
    expect(bitmap.next(4)).toBe(70_002);
    expect(() => bitmap.add(3)).toThrow();
  });
});

describe("Allocator", () => {
  it("hands out runs that are all zeros or all unknown, and cross no segment", () => {
    const allocator = new Allocator(makeAddresses());
    allocator.addRange(90, 95, false);
    allocator.addRange(95, 110, true);
    expect(allocator.take(20)).toBe(90);
    expect([allocator.lastRun, allocator.lastIsZero]).toEqual([5, false]);
    expect(allocator.take(20)).toBe(95);
    expect([allocator.lastRun, allocator.lastIsZero]).toEqual([5, true]);
    expect(allocator.take(4)).toBe(100);
    expect(allocator.take(20)).toBe(104);
    expect(allocator.take(1)).toBe(NO_EXTENT);
  });

  it("goes on where it stopped, and begins anew at the end", () => {
    const allocator = new Allocator(makeAddresses());
    allocator.addRange(0, 10, false);
    expect(allocator.take(5)).toBe(0);
    allocator.add(0, false);
    expect(allocator.take(5)).toBe(5);
    expect(allocator.take(1)).toBe(0);
  });

  it("offers to discard only what is not known to be zeros", () => {
    const allocator = new Allocator(makeAddresses());
    allocator.addRange(0, 4, true);
    expect(allocator.takeUnknown(8)).toBeNull();
    allocator.addRange(4, 7, false);
    expect(allocator.takeUnknown(8)).toEqual({ first: 4, count: 3 });
    expect(allocator.freeExtents).toBe(4);
  });
});

describe("ReferenceCounts", () => {
  it("counts past a byte and back", () => {
    const counts = new ReferenceCounts(2);
    for (let count = 0; count < 1000; count += 1) counts.add(1);
    expect(counts.references(1)).toBe(1000);
    for (let count = 999; count >= 0; count -= 1) expect(counts.drop(1)).toBe(count);
    expect(() => counts.drop(1)).toThrow();
  });

  it("lets nobody refer to an extent that is not data", () => {
    const counts = new ReferenceCounts(1);
    for (const state of ["free", "punching", "metadata"] as const) {
      counts.change(0, "data", state);
      expect(() => counts.add(0)).toThrow();
      expect(counts.tryAdd(0)).toBe(false);
      expect(counts.references(0)).toBe(0);
      counts.change(0, state, "data");
    }
    counts.add(0);
    expect(() => counts.change(0, "data", "free")).toThrow();
  });

  it("frees what nothing refers to, wherever it lies among what is in use", () => {
    const extents = 101;
    for (let used = 0; used < extents; used += 1) {
      for (const [first, end] of [
        [0, extents],
        [3, 99],
        [32, 64],
        [5, 6],
        [7, 7],
      ] as const) {
        const counts = new ReferenceCounts(extents);
        // One is left, and then all but one.
        for (let phys = 0; phys < extents; phys += 1) if (phys !== used) counts.add(phys);
        const freed = new ExtentBitmap(extents);
        counts.freeUnused(first, end, freed);
        expect(allOf(freed)).toEqual(used >= first && used < end ? [used] : []);
        const sparse = new ReferenceCounts(extents);
        sparse.add(used);
        const others = new ExtentBitmap(extents);
        sparse.freeUnused(first, end, others);
        const all = Array.from({ length: end - first }, (_, index) => first + index);
        expect(allOf(others)).toEqual(all.filter((phys) => phys !== used));
      }
    }
  });

  it("forgets all but metadata", () => {
    const extents = 23;
    for (let kept = 0; kept < extents; kept += 1) {
      const counts = new ReferenceCounts(extents);
      counts.change(kept, "data", "metadata");
      for (const phys of [1, 6, 22]) if (phys !== kept) counts.add(phys);
      if (kept !== 11) counts.change(11, "data", "free");
      counts.clear();
      for (let phys = 0; phys < extents; phys += 1) {
        expect(counts.state(phys)).toBe(phys === kept ? "metadata" : "data");
        expect(counts.references(phys)).toBe(0);
      }
    }
  });
});

describe("ReferenceCounts of whole leaves", () => {
  const EXTENTS = 200;
  const PARTIAL = 0x8000_0001;

  /** Entries for runs of extents as leaves have them, and single ones, holes, and PARTIAL entries. */
  function makeEntries(random: SeededRandom): Uint32Array {
    const entries: number[] = [];
    while (entries.length < 40) {
      const phys = random.below(EXTENTS);
      const kind = random.below(12);
      if (kind === 0) entries.push(PARTIAL + phys);
      else if (kind <= 2) entries.push(0);
      const run = kind < 6 ? 1 : 1 + random.below(70);
      for (let at = 0; at < run && phys + at < EXTENTS; at += 1) entries.push(phys + at + 1);
    }
    return Uint32Array.from(entries);
  }

  it("counts and drops as one by one", () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    const counts = new ReferenceCounts(EXTENTS);
    const free = new ExtentBitmap(EXTENTS);
    const model = new Int32Array(EXTENTS);
    const metadata = [63, 64, 150];
    for (const phys of metadata) counts.change(phys, "data", "metadata");
    const isData = (phys: number): boolean =>
      phys < EXTENTS && !metadata.includes(phys) && !free.has(phys);
    for (let round = 0; round < 1500; round += 1) {
      const entries = makeEntries(random);
      const isAdding = random.below(100) < (round % 500 < 300 ? 60 : 40);
      const [first, end] = random.below(3) === 0 ? [20, 170] : [0, EXTENTS];
      const pinned = new Uint8Array(64);
      if (random.below(2) === 0) pinned[random.below(64)] = 1;
      let expected = 0;
      const freed: number[] = [];
      for (; expected < entries.length; expected += 1) {
        const entry = entries[expected] ?? 0;
        const phys = entry - 1;
        if (entry === 0) continue;
        if (isAdding) {
          if (!isData(phys) || phys < first || phys >= end) break;
          model[phys]! += 1;
        } else {
          const references = model[phys] ?? 0;
          const isHere = references > 0 && references <= 250 && pinned[phys % 64] === 0;
          if (!isHere || freed.includes(phys)) break;
          model[phys] = references - 1;
          if (references === 1) freed.push(phys);
        }
      }
      const before = allOf(free);
      const stop = isAdding
        ? counts.addAll(entries, 0, first, end)
        : counts.dropAll(entries, 0, free, pinned);
      const context = `THINLUN_SEED=${seed}, round ${round}`;
      expect(stop, context).toBe(expected);
      expect(allOf(free), context).toEqual([...before, ...freed].toSorted((a, b) => a - b));
      expect(
        Int32Array.from(model, (_, phys) => counts.references(phys)),
        context,
      ).toEqual(model);
      // What is free is taken again.
      if (random.below(4) !== 0) continue;
      for (const phys of allOf(free)) {
        free.delete(phys);
        counts.change(phys, "free", "data");
      }
    }
    for (const phys of metadata) expect(counts.state(phys)).toBe("metadata");
  });

  it("takes no memory to speak of for counts of one", () => {
    const counts = new ReferenceCounts(1 << 20);
    const entries = Uint32Array.from({ length: 1 << 20 }, (_, index) => index + 1);
    expect(counts.addAll(entries, 0, 0, 1 << 20)).toBe(1 << 20);
    expect(counts.bytes).toBe((1 << 20) / 4);
    counts.add(5000);
    expect(counts.bytes).toBe((1 << 20) / 4 + 4096);
  });
});

describe("Quarantine", () => {
  it("gives back in the order of records, past its first size", () => {
    const quarantine = new Quarantine();
    quarantine.addExtent(0, 1);
    quarantine.shift();
    for (let phys = 0; phys < 5000; phys += 1) quarantine.addExtent(phys, phys + 1);
    quarantine.addLeaf(7, 6000);
    for (let phys = 0; phys < 5000; phys += 1) {
      expect(quarantine.isDue(phys)).toBe(false);
      expect(quarantine.isLeaf).toBe(false);
      expect(quarantine.shift()).toBe(phys);
    }
    expect(quarantine.isLeaf).toBe(true);
    expect(quarantine.shift()).toBe(7);
    expect(() => quarantine.addExtent(1, 5999)).toThrow();
  });
});

describe("Pins", () => {
  it("counts", () => {
    const pins = new Pins();
    pins.add(4);
    pins.add(4);
    expect(pins.drop(4)).toBe(1);
    expect(pins.has(4)).toBe(true);
    expect(pins.drop(4)).toBe(0);
    expect(pins.has(4)).toBe(false);
    expect(() => pins.drop(4)).toThrow();
  });
});

describe("VirginMarks", () => {
  it("moves a mark on in steps, one record at a time", () => {
    const addresses = makeAddresses();
    const marks = new VirginMarks(addresses);
    expect(marks.announce(60)).toEqual({ first: 0, end: 60 });
    marks.announce(0);
    expect(marks.virginExtents).toBe(90);
    expect(marks.next(10_000)).toBeNull();
    expect(marks.next(0)).toEqual({ segment: 0, from: 100 });
    addresses.setVirginFrom(0, 100);
    expect(marks.next(0)).toBeNull();
    expect(marks.durable(0, 100)).toEqual({ first: 60, end: 100 });
    expect(marks.durable(0, 100)).toBeNull();
    expect(marks.next(0)).toEqual({ segment: 1, from: 50 });
    expect(() => marks.durable(1, 50)).toThrow();
  });
});

describe("MetadataSpace", () => {
  /** Extents of four blocks, two at a time as long as there are some. */
  function makeMetadata(extents: number = 6): { metadata: MetadataSpace; given: number[] } {
    const given: number[] = [];
    let next = 0;
    const metadata = new MetadataSpace(4, {
      take: () => {
        if (next >= extents) return null;
        next += 2;
        return { first: next - 2, run: 2 };
      },
      adopt: () => undefined,
      giveBack: (phys) => given.push(phys),
    });
    return { metadata, given };
  }

  function take(metadata: MetadataSpace, count: number): number[] {
    return Array.from({ length: count }, () => metadata.take());
  }

  it("never hands out block 0, which means none", () => {
    const { metadata } = makeMetadata();
    expect(take(metadata, 7)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(metadata.take()).toBe(8);
  });

  it("frees a block when the generation after the next is durable, and an extent with its last", () => {
    const { metadata, given } = makeMetadata();
    take(metadata, 7);
    for (const block of [4, 5, 6, 7]) metadata.free(block, 10);
    expect(() => metadata.free(4, 10)).toThrow("once");
    expect(metadata.blocksToCome).toBe(4);
    metadata.durable(11);
    expect([metadata.isDue, metadata.release(9)]).toEqual([false, 0]);
    metadata.durable(12);
    expect([metadata.isDue, metadata.blocksToCome, metadata.release(3)]).toEqual([true, 0, 3]);
    expect([given, metadata.usedBlocks, metadata.freeBlocks]).toEqual([[], 4, 3]);
    expect(metadata.release(3)).toBe(1);
    expect([given, metadata.usedBlocks, metadata.freeBlocks]).toEqual([[1], 3, 0]);
    expect(metadata.isMetadata(1)).toBe(false);
    metadata.free(2, 12);
    metadata.durable(14);
    metadata.release(9);
    expect(() => metadata.free(2, 14)).toThrow("in use");
    expect(metadata.take()).toBe(2);
  });

  it("gives back what was not used, also where it began with it", () => {
    const { metadata, given } = makeMetadata();
    take(metadata, 8);
    expect([metadata.extentCount, metadata.freeBlocks]).toEqual([4, 7]);
    metadata.durable(1);
    expect([given, metadata.extentCount, metadata.freeBlocks]).toEqual([[3], 3, 3]);
    metadata.free(8, 1);
    metadata.durable(3);
    metadata.release(1);
    expect([given, metadata.extentCount, metadata.freeBlocks]).toEqual([[3, 2], 2, 0]);
    expect(metadata.take()).toBe(16);
  });

  it("takes an extent again that comes free only as it looks for one", () => {
    const free = [1, 2];
    const metadata = new MetadataSpace(4, {
      take: () => {
        const first = free.shift();
        return first === undefined ? null : { first, run: 1 };
      },
      adopt: () => undefined,
      giveBack: (phys) => void free.push(phys),
    });
    take(metadata, 8);
    for (const block of [4, 5, 6, 7]) metadata.free(block, 1);
    metadata.durable(3);
    expect(take(metadata, 5)).toEqual([4, 5, 6, 7, 0]);
  });

  it("takes blocks from the emptiest extents", () => {
    const { metadata } = makeMetadata();
    const blocks = take(metadata, 23);
    const kept = [1, 4, 5, 6, 8, 9, 12, 16, 20, 21, 22, 23];
    for (const block of blocks) if (!kept.includes(block)) metadata.free(block, 1);
    metadata.durable(3);
    metadata.release(99);
    expect(take(metadata, 12)).toEqual([2, 3, 13, 14, 15, 17, 18, 19, 10, 11, 7, 0]);
  });

  it("adopts blocks that may be said again, and goes on in what is free of their extents", () => {
    const { metadata } = makeMetadata(0);
    for (const block of [9, 8, 9, 11, 4]) metadata.adopt(block);
    expect([metadata.usedBlocks, metadata.freeBlocks]).toEqual([4, 4]);
    expect(take(metadata, 5)).toEqual([5, 6, 7, 10, 0]);
  });

  it("waits with what is due no longer when the pool has nothing else", () => {
    const { metadata } = makeMetadata(2);
    const blocks = take(metadata, 7);
    for (const block of blocks.slice(1)) metadata.free(block, 1);
    metadata.durable(3);
    expect(metadata.take()).toBe(2);
    expect(metadata.isDue).toBe(false);
  });

  it("keeps its books under random changes", () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    const free = new Set([0, 1, 2, 3, 4, 5, 6, 7]);
    const metadata = new MetadataSpace(4, {
      take: () => {
        const [phys] = free;
        if (phys === undefined) return null;
        free.delete(phys);
        return { first: phys, run: 1 };
      },
      adopt: () => undefined,
      giveBack: (phys) => void free.add(phys),
    });
    const used = new Set<number>();
    let generation = 1;
    for (let round = 0; round < 2000; round += 1) {
      const context = `THINLUN_SEED=${seed}, round ${round}`;
      for (let count = random.below(12); count > 0; count -= 1) {
        const block = metadata.take();
        if (block === 0) break;
        expect(used.has(block), context).toBe(false);
        used.add(block);
      }
      for (const block of used) {
        if (random.below(3) > 0) continue;
        used.delete(block);
        metadata.free(block, generation);
      }
      generation += 1;
      metadata.durable(generation);
      if (random.below(2) === 0) metadata.release(1 + random.below(9));
      const { extentCount, usedBlocks, freeBlocks } = metadata;
      const usable = 4 * extentCount - (metadata.isMetadata(0) ? 1 : 0);
      expect(usedBlocks + freeBlocks, context).toBe(usable);
      expect(extentCount + free.size, context).toBe(8);
    }
    for (const block of used) metadata.free(block, generation);
    metadata.durable(generation + 2);
    metadata.release(99);
    expect(free.size, `THINLUN_SEED=${seed}`).toBe(8);
  });
});

describe("references of a leaf's entries, counted at once", () => {
  it("are counted and dropped as one by one, and stop at what needs a closer look", () => {
    const counts = new ReferenceCounts(64);
    const none = new Uint8Array(64);
    const freed = new ExtentBitmap(64);
    const entries = Uint32Array.of(0, 6, 6, 0x8000_0008, 9, 41);
    expect(counts.addAll(entries, 0, 0, 40)).toBe(3);
    expect(counts.addAll(entries, 4, 0, 40)).toBe(5);
    expect(counts.addAll(entries, 5, 40, 64)).toBe(6);
    expect([5, 7, 8, 40].map((phys) => counts.references(phys))).toEqual([2, 0, 1, 1]);
    counts.change(7, "data", "metadata");
    expect(counts.addAll(Uint32Array.of(8), 0, 0, 64)).toBe(0);
    // The first of an extent's two references leaves it in use.
    expect(counts.dropAll(Uint32Array.of(6, 9), 0, freed, none)).toBe(2);
    expect(allOf(freed)).toEqual([8]);
    expect([counts.state(8), counts.references(5)]).toEqual(["free", 1]);
    // Metadata, a PARTIAL, an extent without references.
    for (const entry of [8, 0x8000_0006, 12]) {
      expect(counts.dropAll(Uint32Array.of(entry), 0, freed, none)).toBe(0);
    }
    const pinned = new Uint8Array(16);
    pinned[40 & 15] = 1;
    expect(counts.dropAll(Uint32Array.of(0, 41, 6), 0, freed, pinned)).toBe(1);
    expect(counts.references(40)).toBe(1);
  });

  it("goes past 250", () => {
    const counts = new ReferenceCounts(4);
    const entries = new Uint32Array(300).fill(2);
    expect(counts.addAll(entries, 0, 0, 4)).toBe(300);
    expect(counts.references(1)).toBe(300);
  });

  it("marks what is pinned in a filter, and nothing else that is not alike", () => {
    const pins = new Pins();
    pins.add(5);
    pins.add(70);
    const filter = new Uint8Array(64).fill(1);
    pins.markIn(filter);
    expect([...filter.entries()].filter(([, mark]) => mark === 1).map(([at]) => at)).toEqual([
      5, 6,
    ]);
  });

  it("takes the leaves of a map into quarantine at once, holes left out", () => {
    const quarantine = new Quarantine();
    quarantine.addLeaf(1, 4);
    quarantine.shift();
    const leaves = Uint32Array.from({ length: 3000 }, (_, index) => (index % 3 === 0 ? 0 : index));
    quarantine.addLeaves(leaves, 5);
    quarantine.addExtent(9, 6);
    expect(quarantine.isDue(4)).toBe(false);
    const shifted: number[] = [];
    while (quarantine.isDue(5)) shifted.push(quarantine.shift());
    expect(shifted).toEqual([...leaves].filter((leaf) => leaf !== 0));
    expect([quarantine.length, quarantine.extents]).toEqual([1, 1]);
  });
});
