import { describe, expect, it } from "vitest";
import { FormatFault } from "../../../src/thin/format/fault.ts";
import { PageKind, sealPage } from "../../../src/thin/format/page.ts";
import { decodeVolumesPage, encodeVolumesPage } from "../../../src/thin/format/volume-record.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { GOLDEN_POOL, goldenVolumes, goldenVolumesHex } from "./support/golden.ts";
import { hexDump } from "./support/hex-dump.ts";
import { many, randomVolumeRecord } from "./support/random-structures.ts";

const seed = chooseSeed(process.env);
const FIRST = 128;

describe(`a page of volumes (THINLUN_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);

  it("is read as it was written", () => {
    for (let round = 0; round < 200; round += 1) {
      const volumes = many(random, 0, 15, randomVolumeRecord);
      const page = random.bytes(4096);
      encodeVolumesPage(page, volumes);
      expect(decodeVolumesPage(page)).toEqual(volumes);
    }
  });

  it("has the bytes that it always had", () => {
    const page = new Uint8Array(4096);
    encodeVolumesPage(page, goldenVolumes);
    const header = {
      kind: PageKind.volumes,
      level: 0,
      volume: 0,
      index: 0,
      block: 17,
      generation: 5,
    };
    sealPage(page, GOLDEN_POOL, header);
    expect(hexDump(page)).toBe(goldenVolumesHex);
  });

  it.each<[string, number, number]>([
    ["16 volumes", 64, 16],
    ["a volume more than there is", 64, 3],
    ["a volume less than there is", 64, 1],
    ["an unknown flag", FIRST + 4, 4],
    ["a size of odd bytes", FIRST + 24, 1],
    ["a size past the limit", FIRST + 31, 1],
    ["an impossible time", FIRST + 39, 0xff],
    ["too many levels", FIRST + 96, 6],
    ["a root without levels", FIRST + 96, 0],
    ["a name that is an option", FIRST + 129, 0x2d],
    ["a name with a slash", FIRST + 130, 0x2f],
    ["something behind its name", FIRST + 255, 1],
    ["something in its padding", FIRST + 100, 1],
    ["something in front of the records", 100, 1],
  ])("is refused with %s", (_, at, value) => {
    const page = new Uint8Array(4096);
    encodeVolumesPage(page, goldenVolumes);
    page[at] = value;
    expect(decodeVolumesPage(page)).toBeInstanceOf(FormatFault);
  });

  it("is refused with an id after which there is none", () => {
    const page = new Uint8Array(4096);
    encodeVolumesPage(page, goldenVolumes);
    page.fill(0xff, FIRST, FIRST + 4);
    expect(decodeVolumesPage(page)).toBeInstanceOf(FormatFault);
    page[FIRST] = 0xfe;
    expect(decodeVolumesPage(page)).toMatchObject([{ attributes: { id: 2 ** 32 - 2 } }, {}]);
  });

  it("survives random bytes", () => {
    for (let round = 0; round < 1000; round += 1) {
      const page = new Uint8Array(4096);
      encodeVolumesPage(page, many(random, 0, 15, randomVolumeRecord));
      for (let change = 0; change < 3; change += 1)
        page[random.between(64, 4095)] = random.below(256);
      const decoded = decodeVolumesPage(page);
      if (decoded instanceof FormatFault) continue;
      const again = new Uint8Array(4096);
      encodeVolumesPage(again, decoded);
      expect(Buffer.compare(again, page)).toBe(0);
    }
  });
});
