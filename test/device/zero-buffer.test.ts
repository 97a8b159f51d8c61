import { expect, it } from "vitest";
import { ZEROES_PIECE_BYTES } from "../../src/device/limits.ts";
import { zeroBuffer } from "../../src/device/zero-buffer.ts";

it("is as long as asked, and all zeros", () => {
  for (const length of [0, 1, 4096, ZEROES_PIECE_BYTES]) {
    const zeroes = zeroBuffer(length);
    expect(zeroes).toHaveLength(length);
    expect(zeroes.some((byte) => byte !== 0)).toBe(false);
  }
});
