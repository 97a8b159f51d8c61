import { describe, expect, it } from "vitest";
import { chooseSeed, SeededRandom, systemRandomBytes } from "../../src/util/random.ts";

describe("SeededRandom", () => {
  it("repeats for a seed and differs for another", () => {
    const draw = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 8 }, () => random.uint32());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(0)).not.toEqual(draw(1));
  });

  it("stays within the limits and reaches them", () => {
    const random = new SeededRandom(1);
    const seen = new Set(Array.from({ length: 200 }, () => random.between(3, 6)));
    expect(seen).toEqual(new Set([3, 4, 5, 6]));
    expect(random.below(1)).toBe(0);
    for (let round = 0; round < 100; round += 1) {
      const large = random.below(2 ** 53 - 1);
      expect(Number.isSafeInteger(large)).toBe(true);
    }
  });

  it("uses every bit about half of the time", () => {
    const random = new SeededRandom(2);
    const rounds = 4096;
    const ones = Array.from({ length: 32 }, () => 0);
    for (let round = 0; round < rounds; round += 1) {
      const word = random.uint32();
      for (let bit = 0; bit < 32; bit += 1) ones[bit]! += (word >>> bit) & 1;
    }
    for (const count of ones) expect(Math.abs(count - rounds / 2)).toBeLessThan(rounds / 10);
  });

  it("fills buffers of every length", () => {
    const random = new SeededRandom(3);
    expect(random.bytes(0)).toHaveLength(0);
    expect(random.bytes(7)).toHaveLength(7);
    expect(new Set(random.bytes(4096)).size).toBe(256);
  });

  it("picks and takes chances", () => {
    const random = new SeededRandom(4);
    expect(["a", "b"]).toContain(random.pick(["a", "b"]));
    expect(random.chance(0)).toBe(false);
    expect(random.chance(1)).toBe(true);
  });

  it("refuses a seed of more than 32 bits", () => {
    expect(() => new SeededRandom(2 ** 32)).toThrow("a seed is 32 bits");
  });
});

describe("chooseSeed", () => {
  it("takes the one of the environment", () => {
    expect(chooseSeed({ THINLUN_SEED: "42" })).toBe(42);
  });

  it.each(["x", "-1", "4294967296", "1.5"])("refuses %j", (value) => {
    expect(() => chooseSeed({ THINLUN_SEED: value })).toThrow(`not "${value}"`);
  });

  it("makes one up otherwise", () => {
    const seeds = new Set(Array.from({ length: 8 }, () => chooseSeed({ THINLUN_SEED: "" })));
    expect(seeds.size).toBeGreaterThan(1);
  });
});

it("the system's random bytes have the length that was asked for, and differ", () => {
  expect(systemRandomBytes(16)).toHaveLength(16);
  expect(systemRandomBytes(16)).not.toEqual(systemRandomBytes(16));
});
