import { describe, expect, it } from "vitest";
import { Geometry, isExtentSize } from "../../../src/thin/format/geometry.ts";
import {
  checkLayout,
  depthFor,
  HEAD_BYTES,
  HEARTBEAT_OFFSET,
  leavesUnder,
  SUPERBLOCK_OFFSETS,
  TAIL_BYTES,
  tailOffsets,
} from "../../../src/thin/format/layout.ts";
import { VOLUME_BYTES_MAX } from "../../../src/thin/limits.ts";

const MIB = 2 ** 20;

describe("the layout of a device", () => {
  it("has the superblock's places where FORMAT.md says, in the head and the tail", () => {
    expect(SUPERBLOCK_OFFSETS).toEqual([3 * MIB, 3 * MIB + 65_536]);
    expect(HEARTBEAT_OFFSET).toBe(3 * MIB + 131_072);
    expect(HEARTBEAT_OFFSET).toBeLessThan(HEAD_BYTES);
    expect(tailOffsets(100 * MIB)).toEqual([98.5 * MIB, 98.5 * MIB + 65_536]);
    expect(tailOffsets(100 * MIB + 4095)).toEqual(tailOffsets(100 * MIB));
    expect(tailOffsets(100 * MIB)[0]).toBeGreaterThanOrEqual(100 * MIB - TAIL_BYTES);
  });
});

describe("the tree of a volume", () => {
  it("is as deep as its leaves need", () => {
    expect([0, 1, 84, 85, 84 * 252, 84 * 252 + 1].map(depthFor)).toEqual([0, 1, 1, 2, 2, 3]);
    expect([1, 2, 3].map(leavesUnder)).toEqual([84, 84 * 252, 84 * 252 * 252]);
  });

  it("has room for the largest volume of the smallest extents", () => {
    const leaves = Math.ceil(VOLUME_BYTES_MAX / 16_384 / 1008);
    expect(leavesUnder(depthFor(leaves))).toBeGreaterThanOrEqual(leaves);
  });
});

describe("an offset table", () => {
  it("tiles its structure", () => {
    checkLayout("fine", { b: [4, 8], a: [0, 4] }, 12);
    expect(() => checkLayout("gap", { a: [0, 4], b: [5, 7] }, 12)).toThrow(/byte 4/);
    expect(() => checkLayout("overlap", { a: [0, 4], b: [3, 9] }, 12)).toThrow(/byte 4/);
    expect(() => checkLayout("short", { a: [0, 4] }, 12)).toThrow(/not at 12/);
  });
});

describe("the geometry", () => {
  it("follows from the extent's size", () => {
    expect(new Geometry(65_536)).toMatchObject({
      extentShift: 16,
      blocksPerExtent: 16,
      maskBlocks: 16,
      maskBlockBytes: 4096,
      fullMask: 0xffff,
    });
    expect(new Geometry(MIB)).toMatchObject({
      blocksPerExtent: 256,
      maskBlocks: 32,
      maskBlockBytes: 32_768,
      fullMask: 0xffff_ffff,
    });
  });

  it("takes powers of two from 16 KiB to 1 MiB", () => {
    expect([8192, 16_384, 20_000, 65_536, MIB, 2 * MIB].map(isExtentSize)).toEqual([
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });
});
