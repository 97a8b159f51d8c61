import { describe, expect, it } from "vitest";
import { FormatFault } from "../../../src/thin/format/fault.ts";
import {
  blockCrc,
  checkPage,
  crcOfPage,
  looksLikePage,
  type PageHeader,
  PageKind,
  sealPage,
} from "../../../src/thin/format/page.ts";
import { setUint32LE } from "../../../src/util/little-endian.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { randomNumber, randomUuid } from "./support/random-structures.ts";

const seed = chooseSeed(process.env);

function randomHeader(random: SeededRandom): PageHeader {
  const kind = random.pick(Object.values(PageKind));
  return {
    kind,
    level: kind === PageKind.node ? random.between(1, 5) : 0,
    volume: random.uint32(),
    index: random.uint32(),
    block: randomNumber(random, 1, Number.MAX_SAFE_INTEGER),
    generation: randomNumber(random, 0, Number.MAX_SAFE_INTEGER),
  };
}

describe(`a page (THINLUN_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);
  const pool = randomUuid(random);
  const header = { ...randomHeader(random), kind: PageKind.leaf, level: 0 };
  const page = random.bytes(4096);
  const crc = sealPage(page, pool, header);

  it("says what it was sealed with, whatever the buffer held, and keeps its body", () => {
    for (let round = 0; round < 200; round += 1) {
      const bytes = random.bytes(4096);
      const body = bytes.subarray(64).toString("hex");
      const wanted = randomHeader(random);
      const sum = sealPage(bytes, pool, wanted);
      const expected = { block: wanted.block, kind: wanted.kind, crc: sum };
      expect(checkPage(bytes, pool, expected)).toEqual(wanted);
      expect(checkPage(bytes, pool, { block: wanted.block })).toEqual(wanted);
      expect(bytes.subarray(64).toString("hex")).toBe(body);
      expect(crcOfPage(bytes)).toBe(sum);
    }
  });

  it("is refused when any of its bytes is another", () => {
    for (let at = 0; at < page.length; at += 1) {
      const flipped = Uint8Array.from(page);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
      const found = checkPage(flipped, pool, { block: header.block, kind: header.kind });
      expect(found, `byte ${at}`).toBeInstanceOf(FormatFault);
    }
  });

  it("is refused when it is not the one that is meant", () => {
    const { block, kind } = header;
    expect(checkPage(page, pool, { block, kind, crc: crc ^ 1 })).toMatchObject({
      kind: "misplaced",
    });
    expect(checkPage(page, pool, { block: block - 1, kind, crc })).toMatchObject({
      kind: "misplaced",
    });
    expect(checkPage(page, pool, { block, kind: PageKind.masks })).toMatchObject({
      kind: "misplaced",
    });
    expect(checkPage(page, randomUuid(random), { block, kind })).toMatchObject({
      kind: "misplaced",
    });
    expect(checkPage(page.subarray(1), pool, { block })).toMatchObject({ kind: "absent" });
    expect(checkPage(new Uint8Array(4096), pool, { block })).toMatchObject({ kind: "absent" });
  });

  it.each<[string, number, number, string]>([
    ["an unknown kind", 4, 8, "unsupported"],
    ["a leaf with a level", 5, 1, "damaged"],
    ["something in reserved bytes", 50, 1, "damaged"],
    ["something after its level", 6, 1, "damaged"],
    ["a generation past 2^53", 31, 0xff, "damaged"],
  ])("is refused with %s", (_, at, value, kind) => {
    const forged = Uint8Array.from(page);
    forged[at] = value;
    setUint32LE(forged, 60, blockCrc(forged));
    expect(checkPage(forged, pool, { block: header.block })).toMatchObject({ kind });
  });

  it("is found by its first bytes", () => {
    expect(looksLikePage(page, 0)).toBe(true);
    expect(looksLikePage(new Uint8Array(4096), 0)).toBe(false);
  });
});
