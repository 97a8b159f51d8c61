import { describe, expect, it } from "vitest";
import { megabytesShown } from "../../../../src/control/tgt/show/size-figure.ts";

/** The same in the width that tgt computes in. */
function wide(sizeBytes: number): number {
  const mask = 2n ** 64n - 1n;
  const sectors = BigInt(sizeBytes) / 512n;
  return Number(((sectors - ((sectors / 625n - 974n) & mask)) & mask) / 1950n);
}

describe("the figure for a size", () => {
  it.each([
    [0, 0],
    [500_223, 0],
    [500_224, 1],
    [2 ** 20, 1],
    [1_500_159, 1],
    [1_500_160, 2],
    [2 ** 30, 1074],
    [10 * 2 ** 30, 10_737],
    [2 ** 40, 1_099_512],
    [15 * 2 ** 40, 16_492_674],
  ])("of %d bytes is %d", (size, figure) => {
    expect(megabytesShown(size)).toBe(figure);
  });

  it("is that of 64-bit integers for all sizes", () => {
    for (let size = 1; size < Number.MAX_SAFE_INTEGER / 3; size = size * 3 - 1) {
      for (const near of [size, size - 1, size - (size % 512), size - (size % 998_400)]) {
        expect(megabytesShown(near), String(near)).toBe(wide(near));
      }
    }
    expect(megabytesShown(Number.MAX_SAFE_INTEGER)).toBe(wide(Number.MAX_SAFE_INTEGER));
  });

  it("is not asked for of what is no size", () => {
    for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => megabytesShown(size)).toThrow(/whole number/);
    }
  });
});
