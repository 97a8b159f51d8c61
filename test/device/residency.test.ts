import { describe, expect, it } from "vitest";
import { COLD_READS_IN_A_ROW_MAX, RESIDENCY_REGIONS_MAX } from "../../src/device/limits.ts";
import { GRANULE_BYTES, REGION_BYTES, ResidencyMap } from "../../src/device/residency.ts";
import { chooseSeed, SeededRandom } from "../../src/util/random.ts";

const KIB = 1024;

describe("ResidencyMap", () => {
  it("expects nothing at first, and of an empty range never anything", () => {
    const map = new ResidencyMap();
    expect(map.covers(0, 1)).toBe(false);
    map.add(0, 4096);
    expect(map.covers(0, 0)).toBe(false);
  });

  it("expects the whole of every page that was touched", () => {
    const map = new ResidencyMap();
    map.add(5000, 10_000);
    expect(map.covers(4096, 12_288)).toBe(true);
    expect(map.covers(4095, 2)).toBe(false);
    expect(map.covers(16_383, 2)).toBe(false);
  });

  it("expects all of what is nowhere but in memory, even after a slow read", () => {
    const map = new ResidencyMap(true);
    expect(map.covers(7 * 2 ** 40, 4096)).toBe(true);
    for (let count = 0; count <= COLD_READS_IN_A_ROW_MAX; count += 1) map.foundCold(0, 4096);
    map.remove(0, 4096);
    expect([map.covers(0, 4096), map.covers(0, 0)]).toEqual([true, false]);
  });

  it("works across regions, and far out", () => {
    for (const base of [0, 7 * 2 ** 40]) {
      const map = new ResidencyMap();
      map.add(base + REGION_BYTES - 4096, 8192);
      expect(map.covers(base + REGION_BYTES - 4096, 8192)).toBe(true);
      expect(map.covers(base + REGION_BYTES - 8192, 8192)).toBe(false);
      expect(map.covers(base + REGION_BYTES + 4096, 1)).toBe(false);
    }
  });

  it("agrees with a plain set of pages", () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    const map = new ResidencyMap();
    const model = new Set<number>();
    for (let round = 0; round < 2000; round += 1) {
      const offset = random.below(2 * REGION_BYTES);
      const length = random.between(1, random.pick([512, 4096, 300 * KIB, 40_000 * KIB]));
      const first = Math.floor(offset / GRANULE_BYTES);
      const end = Math.ceil((offset + length) / GRANULE_BYTES);
      const pages = Array.from({ length: end - first }, (_, index) => first + index);
      if (random.chance(0.3)) {
        map.add(offset, length);
        for (const page of pages) model.add(page);
      } else {
        const expected = pages.every((page) => model.has(page));
        expect(map.covers(offset, length), `THINLUN_SEED=${seed}`).toBe(expected);
      }
    }
  });

  it("forgets at least the range, and outside of it no more than 128 KiB on each side", () => {
    const random = new SeededRandom(3);
    for (let round = 0; round < 100; round += 1) {
      const map = new ResidencyMap();
      const all = 3 * REGION_BYTES;
      map.add(0, all);
      const offset = random.below(all);
      const length = random.between(1, all - offset);
      map.remove(offset, length);
      expect(map.covers(offset, 1)).toBe(false);
      expect(map.covers(offset + length - 1, 1)).toBe(false);
      const before = offset - 128 * KIB;
      const after = offset + length + 128 * KIB;
      if (before > 0) expect(map.covers(0, before)).toBe(true);
      if (after < all) expect(map.covers(after, all - after)).toBe(true);
    }
  });

  it("forgets ranges that go past all that it knows", () => {
    const map = new ResidencyMap();
    map.add(0, 4096);
    map.remove(0, 2 ** 52);
    expect(map.covers(0, 1)).toBe(false);
  });

  it("gives up the range of one slow read, and the region after several in a row", () => {
    const map = new ResidencyMap();
    map.add(0, REGION_BYTES);
    for (let round = 1; round < COLD_READS_IN_A_ROW_MAX; round += 1) map.foundCold(0, 4096);
    map.foundResident();
    map.foundCold(0, 4096);
    expect(map.covers(0, 4096)).toBe(false);
    expect(map.covers(REGION_BYTES / 2, 4096)).toBe(true);
    for (let round = 1; round < COLD_READS_IN_A_ROW_MAX; round += 1) map.foundCold(0, 4096);
    expect(map.covers(REGION_BYTES / 2, 4096)).toBe(false);
  });

  it("begins afresh rather than grow without bound", () => {
    const map = new ResidencyMap();
    for (let index = 0; index <= RESIDENCY_REGIONS_MAX; index += 1)
      map.add(index * REGION_BYTES, 1);
    expect(map.covers(0, 1)).toBe(false);
    expect(map.covers(RESIDENCY_REGIONS_MAX * REGION_BYTES, 1)).toBe(true);
  });
});
