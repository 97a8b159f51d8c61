import { describe, expect, it } from "vitest";
import { FormatFault } from "../../../src/thin/format/fault.ts";
import {
  decodeLeafNode,
  decodePointers,
  encodeLeafNode,
  encodePointers,
} from "../../../src/thin/format/node.ts";
import { PageKind, sealPage } from "../../../src/thin/format/page.ts";
import { setPlace, setPointer } from "../../../src/thin/format/pointer.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import {
  GOLDEN_POOL,
  goldenLeaves,
  goldenNodeHex,
  goldenPointers,
  goldenPointersHex,
} from "./support/golden.ts";
import { hexDump } from "./support/hex-dump.ts";
import { many, randomLeafPointers, randomPointer } from "./support/random-structures.ts";

const seed = chooseSeed(process.env);

describe(`nodes (THINLUN_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);

  it("of level 1 are read as they were written", () => {
    for (let round = 0; round < 100; round += 1) {
      const leaves = many(random, 0, 84, () =>
        random.chance(0.3) ? null : randomLeafPointers(random),
      );
      const page = random.bytes(4096);
      encodeLeafNode(page, leaves);
      const rest = Array.from({ length: 84 - leaves.length }, () => null);
      expect(decodeLeafNode(page)).toEqual([...leaves, ...rest]);
    }
  });

  it("of higher levels, and directories, are read as they were written", () => {
    for (let round = 0; round < 100; round += 1) {
      const pointers = many(random, 0, 252, () =>
        random.chance(0.3) ? null : randomPointer(random),
      );
      const page = random.bytes(4096);
      encodePointers(page, pointers);
      const rest = Array.from({ length: 252 - pointers.length }, () => null);
      expect(decodePointers(page)).toEqual([...pointers, ...rest]);
    }
  });

  it("have the bytes that they always had", () => {
    const page = new Uint8Array(4096);
    encodeLeafNode(page, goldenLeaves);
    const header = { kind: PageKind.node, level: 1, volume: 1, index: 0, block: 18, generation: 5 };
    sealPage(page, GOLDEN_POOL, header);
    expect(hexDump(page)).toBe(goldenNodeHex);
    encodePointers(page, goldenPointers);
    sealPage(page, GOLDEN_POOL, { ...header, level: 2, index: 3, block: 19, generation: 4 });
    expect(hexDump(page)).toBe(goldenPointersHex);
  });

  it.each<[string, number, number]>([
    ["a checksum without a block", 64 + 48 + 8, 1],
    ["bytes that must be zero", 64 + 12, 1],
    ["a side page alone", 64 + 16, 9],
    ["side pages without a leaf", 64 + 96, 0],
    ["a block past 2^53", 64 + 7, 0xff],
  ])("are refused with %s", (_, at, value) => {
    const page = new Uint8Array(4096);
    encodeLeafNode(page, goldenLeaves);
    if (value === 0) page.fill(0, at, at + 16);
    else page[at] = value;
    expect(decodeLeafNode(page)).toBeInstanceOf(FormatFault);
  });

  it("survive random bytes", () => {
    for (let round = 0; round < 200; round += 1) {
      expect(decodeLeafNode(random.bytes(4096))).toBeInstanceOf(FormatFault);
      expect(decodePointers(random.bytes(4096))).toBeInstanceOf(FormatFault);
    }
  });
});

it("puts a pointer into words as into bytes", () => {
  for (const block of [0, 1, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER]) {
    for (const crc of [0, 1, 0xffff_ffff]) {
      const words = new Uint32Array(12).fill(0xa5a5_a5a5);
      const bytes = new Uint8Array(words.slice().buffer);
      setPlace(words, 4, block, crc);
      setPointer(bytes, 16, { block, crc });
      expect(new Uint8Array(words.buffer)).toEqual(bytes);
    }
  }
});
