import { describe, expect, it } from "vitest";
import { GARBAGE, inWordsOf, readTags, tagSectors } from "./tags.ts";

describe("tags", () => {
  it("say who wrote a sector and where it belongs", () => {
    const bytes = tagSectors(3, 100, 2, 42);
    expect(readTags(bytes)).toEqual([
      { volume: 3, lba: 100, serial: 42 },
      { volume: 3, lba: 101, serial: 42 },
    ]);
    expect(inWordsOf(readTags(bytes)[1]!)).toBe("write #42 (volume 3, sector 101)");
  });

  it("know zeros", () => {
    expect(readTags(Buffer.alloc(512))[0]?.serial).toBe(0);
  });

  it.each([0, 4, 12, 16, 300, 511])("notice a changed byte %d", (at) => {
    const bytes = tagSectors(3, 100, 1, 42);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const tag = readTags(bytes)[0]!;
    // Of the volume there is only its number: any other is foreign too.
    expect(at === 4 ? tag.volume !== 3 : tag.serial === GARBAGE).toBe(true);
  });

  it("notice a single byte among zeros", () => {
    const bytes = Buffer.alloc(512);
    bytes[500] = 1;
    expect(readTags(bytes)[0]?.serial).toBe(GARBAGE);
  });
});
