import { describe, expect, it } from "vitest";
import { ZEROES_PIECE_BYTES } from "../../../src/device/limits.ts";
import {
  addViews,
  addZeroes,
  clearRange,
  isZeroRange,
} from "../../../src/thin/io/request-bytes.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

const seed = chooseSeed(process.env);

/** Cuts bytes into buffers, some of them empty. */
function cut(bytes: Buffer, random: SeededRandom): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + random.below(40));
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return parts;
}

describe(`the bytes of a request (seed ${seed})`, () => {
  it("are the same in one buffer and in many", () => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 500; round += 1) {
      const bytes = random.bytes(random.between(1, 200));
      const parts = cut(bytes, random);
      const offset = random.below(bytes.length);
      const length = random.between(1, bytes.length - offset);
      const views: Uint8Array[] = [];
      addViews(parts, offset, length, views);
      expect(Buffer.concat(views).equals(bytes.subarray(offset, offset + length))).toBe(true);
      expect(views.every((view) => view.length > 0)).toBe(true);
      const cleared = Buffer.from(bytes).fill(0, offset, offset + length);
      const isZero = bytes.subarray(offset, offset + length).every((byte) => byte === 0);
      expect(isZeroRange(parts, offset, length)).toBe(isZero);
      clearRange(parts, offset, length);
      expect(bytes.equals(cleared)).toBe(true);
      expect(isZeroRange(parts, offset, length)).toBe(true);
    }
  });

  it("are whole buffers where they can be", () => {
    const buffer = Buffer.alloc(8);
    const views: Uint8Array[] = [];
    addViews([Buffer.alloc(8), buffer], 8, 8, views);
    expect(views[0]).toBe(buffer);
  });

  it("are seen not to be zeros wherever the difference is", () => {
    const bytes = Buffer.alloc(2 * ZEROES_PIECE_BYTES + 5);
    expect(isZeroRange([bytes], 0, bytes.length)).toBe(true);
    for (const at of [0, 1, ZEROES_PIECE_BYTES, bytes.length - 1]) {
      bytes[at] = 1;
      expect(isZeroRange([bytes], 0, bytes.length)).toBe(false);
      bytes[at] = 0;
    }
  });

  it("are as many zeros as are wanted", () => {
    const views: Uint8Array[] = [];
    addZeroes(ZEROES_PIECE_BYTES + 3, views);
    expect(views.map((view) => view.length)).toEqual([ZEROES_PIECE_BYTES, 3]);
  });
});
