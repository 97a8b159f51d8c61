import { describe, expect, it } from "vitest";
import { Geometry } from "../../../src/thin/format/geometry.ts";
import {
  hasBlockAt,
  hasBlocks,
  joinMasks,
  runEnd,
  touchedBlocks,
} from "../../../src/thin/io/block-mask.ts";

const KIB = 1024;
const medium = new Geometry(64 * KIB);
const large = new Geometry(1024 * KIB);

describe("masks of blocks", () => {
  it("have a bit for each block that a range touches", () => {
    expect(touchedBlocks(medium, 0, 1)).toBe(1);
    expect(touchedBlocks(medium, 4095, 4097)).toBe(3);
    expect(touchedBlocks(medium, 4096, 8192)).toBe(2);
    expect(touchedBlocks(medium, 0, 64 * KIB)).toBe(medium.fullMask);
  });

  it("are unsigned up to 32 blocks", () => {
    expect(touchedBlocks(large, 0, 1024 * KIB)).toBe(0xffff_ffff);
    const last = touchedBlocks(large, 1023 * KIB, 1024 * KIB);
    expect(last).toBe(0x8000_0000);
    expect(joinMasks(last, 1)).toBe(0x8000_0001);
    expect(joinMasks(0x7fff_ffff, last)).toBe(large.fullMask);
    expect(hasBlocks(0x8000_0001, last)).toBe(true);
    expect(hasBlocks(0x7fff_ffff, last)).toBe(false);
    expect(hasBlocks(large.fullMask, large.fullMask)).toBe(true);
    expect(hasBlockAt(large, last, 1000 * KIB)).toBe(true);
    expect(hasBlockAt(large, last, 900 * KIB)).toBe(false);
  });

  it("tell runs of blocks that are in, or out", () => {
    const mask = 0b0110_0001;
    expect(runEnd(medium, mask, 100, 64 * KIB)).toBe(4 * KIB);
    expect(runEnd(medium, mask, 4 * KIB, 64 * KIB)).toBe(20 * KIB);
    expect(runEnd(medium, mask, 20 * KIB, 64 * KIB)).toBe(28 * KIB);
    expect(runEnd(medium, mask, 28 * KIB, 64 * KIB)).toBe(64 * KIB);
    expect(runEnd(medium, mask, 5 * KIB, 7 * KIB)).toBe(7 * KIB);
  });
});
