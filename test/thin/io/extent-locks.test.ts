import { describe, expect, it } from "vitest";
import { ExtentLocks, type ExtentLock } from "../../../src/thin/io/extent-locks.ts";

function lock(): ExtentLock {
  return { lockFirst: 0, lockEnd: 0, lockIndex: -1, lockNext: null };
}

describe("the locks of a volume's extents", () => {
  it("hold a run for one at a time", () => {
    const locks = new ExtentLocks();
    const holder = lock();
    locks.lock(holder, 10, 13);
    expect([9, 10, 12, 13].map((extent) => locks.isLocked(extent))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(() => locks.lock(lock(), 12, 14)).toThrow("one at a time");
    locks.unlock(holder);
    expect(locks.heldCount).toBe(0);
    locks.lock(lock(), 12, 14);
  });

  it("tell how far a run is free", () => {
    const locks = new ExtentLocks();
    locks.lock(lock(), 20, 22);
    locks.lock(lock(), 10, 12);
    expect(locks.firstLocked(0, 30)).toBe(10);
    expect(locks.firstLocked(11, 30)).toBe(11);
    expect(locks.firstLocked(12, 30)).toBe(20);
    expect(locks.firstLocked(12, 20)).toBe(20);
    expect(locks.firstLocked(22, 30)).toBe(30);
  });

  it("tell how far a run is free among locks of single extents, many and few", () => {
    const locks = new ExtentLocks();
    locks.lock(lock(), 30, 33);
    for (const extent of [25, 9, 14, 20]) locks.lock(lock(), extent, extent + 1);
    expect(locks.heldCount).toBe(5);
    expect(locks.firstLocked(10, 13)).toBe(13);
    expect(locks.firstLocked(12, 16)).toBe(14);
    expect(locks.firstLocked(0, 1000)).toBe(9);
    expect(locks.firstLocked(15, 1000)).toBe(20);
    expect(locks.firstLocked(26, 1000)).toBe(30);
    expect(locks.firstLocked(31, 1000)).toBe(31);
    expect(locks.firstLocked(33, 1000)).toBe(1000);
    expect(() => locks.lock(lock(), 32, 33)).toThrow("one at a time");
    expect(() => locks.lock(lock(), 18, 24)).toThrow("one at a time");
    expect(() => locks.lock(lock(), 25, 26)).toThrow("one at a time");
  });

  // Those far from one another share a list.
  it.each([1, 256, 2 ** 32])("let go in any order, %i from one another", (distance) => {
    const locks = new ExtentLocks();
    const holders = [0, 1, 2, 3].map(() => lock());
    for (const [index, holder] of holders.entries()) {
      locks.lock(holder, index * distance, index * distance + 1);
    }
    expect(locks.firstLocked(1, 4 * distance)).toBe(distance);
    for (const index of [1, 3, 0, 2]) {
      const holder = holders[index];
      if (holder !== undefined) locks.unlock(holder);
      expect(locks.isLocked(index * distance)).toBe(false);
    }
    expect(locks.heldCount).toBe(0);
  });

  it("call those who wait for what was unlocked, in their order, and nobody else", () => {
    const locks = new ExtentLocks();
    const [one, other] = [lock(), lock()];
    locks.lock(one, 0, 2);
    locks.lock(other, 2, 4);
    const woken: string[] = [];
    for (const [name, waitExtent] of [
      ["a", 1],
      ["b", 3],
      ["c", 0],
      ["d", 1],
    ] as const) {
      locks.wait({ waitExtent, unlocked: () => woken.push(name) });
    }
    locks.unlock(one);
    expect(woken).toEqual(["a", "c", "d"]);
    locks.unlock(other);
    expect(woken).toEqual(["a", "c", "d", "b"]);
    expect(() => locks.wait({ waitExtent: 3, unlocked: () => undefined })).toThrow("free");
  });
});
