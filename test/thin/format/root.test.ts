import { describe, expect, it } from "vitest";
import { FormatFault } from "../../../src/thin/format/fault.ts";
import { PageKind, sealPage } from "../../../src/thin/format/page.ts";
import { decodeRoot, encodeRoot } from "../../../src/thin/format/root.ts";
import { setUint32LE } from "../../../src/util/little-endian.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { GOLDEN_POOL, goldenRoot, goldenRootHex } from "./support/golden.ts";
import { hexDump } from "./support/hex-dump.ts";
import { randomRoot } from "./support/random-structures.ts";

const seed = chooseSeed(process.env);

describe(`a root page (THINLUN_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);

  it("is read as it was written", () => {
    for (let round = 0; round < 300; round += 1) {
      const root = randomRoot(random);
      const page = random.bytes(4096);
      encodeRoot(page, root);
      expect(decodeRoot(page)).toEqual(root);
    }
  });

  it("has the bytes that it always had", () => {
    const page = new Uint8Array(4096);
    encodeRoot(page, goldenRoot);
    const header = { kind: PageKind.root, level: 0, volume: 0, index: 0, block: 16, generation: 5 };
    sealPage(page, GOLDEN_POOL, header);
    expect(hexDump(page)).toBe(goldenRootHex);
  });

  it.each<[string, (page: Uint8Array) => void]>([
    ["a sequence number past 2^53", (page) => page.fill(0xff, 64, 72)],
    ["no next volume", (page) => setUint32LE(page, 72, 0)],
    ["more volumes than there are", (page) => setUint32LE(page, 76, 60_481)],
    ["no device", (page) => setUint32LE(page, 80, 0)],
    ["4 billion devices", (page) => setUint32LE(page, 80, 0xffff_ffff)],
    ["a segment on a device that is not there", (page) => setUint32LE(page, 1344, 2)],
    ["65 segments", (page) => setUint32LE(page, 84, 65)],
    ["an empty segment", (page) => page.fill(0, 1344 + 16, 1344 + 24)],
    ["a virgin mark past its segment", (page) => setUint32LE(page, 1344 + 24, 15_969)],
    ["a segment in the head", (page) => page.fill(0, 1344 + 8, 1344 + 16)],
    [
      "segments of more extents than an entry can tell",
      (page) => setUint32LE(page, 1344 + 16, 2 ** 31 - 3),
    ],
    ["17 directories", (page) => setUint32LE(page, 88, 17)],
    ["a directory nowhere", (page) => page.fill(0, 320, 336)],
    ["a threshold of 0", (page) => page.fill(0, 104, 112)],
    ["nine thresholds", (page) => page.fill(9, 96 + 72, 96 + 73)],
    ["an overcommit that is no number", (page) => page.fill(0xff, 96, 104)],
    ["no name", (page) => page.fill(0, 176, 300)],
    ["something in its padding", (page) => page.fill(1, 4095)],
  ])("is refused with %s", (_, change) => {
    const page = new Uint8Array(4096);
    encodeRoot(page, goldenRoot);
    change(page);
    expect(decodeRoot(page)).toBeInstanceOf(FormatFault);
  });

  it("survives random bytes", () => {
    for (let round = 0; round < 500; round += 1) {
      const page = new Uint8Array(4096);
      encodeRoot(page, randomRoot(random));
      for (let change = 0; change < 3; change += 1)
        page[random.between(64, 3400)] = random.below(256);
      const decoded = decodeRoot(page);
      if (decoded instanceof FormatFault) continue;
      const again = new Uint8Array(4096);
      encodeRoot(again, decoded);
      expect(Buffer.compare(again.subarray(64), page.subarray(64))).toBe(0);
    }
  });
});
