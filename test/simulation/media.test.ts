import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../src/util/random.ts";
import { Media, PAGE_BYTES, SECTOR_BYTES } from "./media.ts";

function sectors(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.alloc(SECTOR_BYTES, value)));
}

function put(media: Media, at: number, ...values: number[]): void {
  const data = sectors(...values);
  media.write(data, 0, data.length, at * SECTOR_BYTES);
}

/** The first byte of each of the first sectors. */
function seen(media: Media, count: number): number[] {
  const bytes = Buffer.alloc(count * SECTOR_BYTES);
  media.read(bytes, 0, bytes.length, 0);
  return Array.from({ length: count }, (_, sector) => bytes[sector * SECTOR_BYTES] ?? -1);
}

function afterCuts(
  prepare: (media: Media) => void,
  atomicBytes: number,
  count: number,
): Set<string> {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 400; seed += 1) {
    const media = new Media(16 * PAGE_BYTES, atomicBytes);
    prepare(media);
    media.powerCut(new SeededRandom(seed));
    outcomes.add(seen(media, count).join());
  }
  return outcomes;
}

describe("the simulated medium", () => {
  it("shows a write at once, and zeros where none was", () => {
    const media = new Media(16 * PAGE_BYTES, 512);
    put(media, 1, 5, 6);
    expect(seen(media, 4)).toEqual([0, 5, 6, 0]);
    media.write(null, 0, SECTOR_BYTES, SECTOR_BYTES);
    expect(seen(media, 4)).toEqual([0, 0, 6, 0]);
  });

  it("keeps what was written before a flush began, whatever happens", () => {
    const outcomes = afterCuts(
      (media) => {
        put(media, 0, 1, 1);
        const begun = media.serial;
        put(media, 1, 2);
        media.flush(begun);
      },
      512,
      2,
    );
    expect([...outcomes].toSorted()).toEqual(["1,1", "1,2"]);
  });

  it("loses any of the writes that no flush covers, sector by sector", () => {
    const outcomes = afterCuts((media) => (put(media, 0, 1, 1), put(media, 0, 2, 2)), 512, 2);
    const all = [0, 1, 2].flatMap((first) => [0, 1, 2].map((second) => `${first},${second}`));
    expect([...outcomes].toSorted()).toEqual(all);
  });

  it("does not tear a page where pages are atomic", () => {
    const outcomes = afterCuts(
      (media) => (put(media, 0, 1, 1), put(media, 0, 2, 2)),
      PAGE_BYTES,
      2,
    );
    expect([...outcomes].toSorted()).toEqual(["0,0", "1,1", "2,2"]);
  });

  it("keeps everything over the end of a process, and over an orderly shutdown", () => {
    const media = new Media(16 * PAGE_BYTES, 512);
    put(media, 0, 3);
    media.shutDown();
    media.powerCut(new SeededRandom(1));
    expect(seen(media, 1)).toEqual([3]);
  });

  it("reads well after a failed flush, until the machine starts anew", () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 50; seed += 1) {
      const media = new Media(16 * PAGE_BYTES, 512);
      put(media, 0, 7);
      media.failFlush(media.serial, new SeededRandom(seed));
      expect(seen(media, 1)).toEqual([7]);
      media.flush(media.serial);
      media.shutDown();
      outcomes.add(seen(media, 1).join());
    }
    expect([...outcomes].toSorted()).toEqual(["0", "7"]);
  });

  it("makes a FUA write stable, and no other", () => {
    const outcomes = afterCuts(
      (media) => {
        put(media, 0, 1);
        put(media, 8, 2);
        media.flushRange(8 * SECTOR_BYTES, SECTOR_BYTES);
      },
      512,
      9,
    );
    expect([...outcomes].toSorted()).toEqual(["0,0,0,0,0,0,0,0,2", "1,0,0,0,0,0,0,0,2"]);
  });

  it("is copied as it is, with what is not stable", () => {
    const media = new Media(16 * PAGE_BYTES, 512);
    put(media, 0, 1);
    const copy = media.clone();
    put(media, 0, 2);
    expect(seen(copy, 1)).toEqual([1]);
    expect(copy.pendingPages).toBe(1);
  });
});
