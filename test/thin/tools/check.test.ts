import { describe, expect, it } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { formatPool } from "../../../src/thin/checkpoint/format-pool.ts";
import { isFault } from "../../../src/thin/format/fault.ts";
import { SUPERBLOCK_OFFSETS } from "../../../src/thin/format/layout.ts";
import { sealPage } from "../../../src/thin/format/page.ts";
import { decodeSuperblock, encodeSuperblock } from "../../../src/thin/format/superblock.ts";
import { type CheckReport, checkPool } from "../../../src/thin/tools/check.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { setUint32LE } from "../../../src/util/little-endian.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import {
  exampleBlocks,
  type ExampleBlock,
  exampleSuperblock,
} from "../format/support/example-pool.ts";
import { deviceWith } from "../format/support/format-document.ts";

const seed = chooseSeed(process.env);

function messages(report: CheckReport): string {
  return report.findings.map(({ message }) => message).join("\n");
}

function titled(title: string): ExampleBlock {
  const block = exampleBlocks().find((one) => one.title === title);
  if (block === undefined) throw new Error(`the example has no ${title}`);
  return block;
}

describe(`the check of a pool (THINLUN_SEED=${seed})`, () => {
  it("counts a sound pool", async () => {
    const report = await checkPool([await deviceWith(exampleBlocks())]);
    expect(report).toMatchObject({
      name: "tank",
      generation: 5,
      epoch: 3,
      isSound: true,
      errors: 0,
      counts: {
        volumes: 2,
        nodes: 2,
        leaves: 2,
        metadataPages: 9,
        mappedEntries: 6,
        partialEntries: 1,
        extents: 848,
        dataExtents: 4,
        sharedExtents: 3,
        metadataExtents: 1,
        freeExtents: 843,
      },
      journal: { blocks: 2, records: 3, durableBlocks: 2, isReplayed: true },
    });
    expect(messages(report)).toBe("");
  });

  it("takes a pool that was just made", async () => {
    const device = new MemoryDevice(64 * 2 ** 20);
    const random = new SeededRandom(seed);
    const { owner } = exampleSuperblock({ block: 1, crc: 1 });
    await formatPool([{ device, isZero: true }], {
      uuid: "6f1d2c3b-4a59-4687-9785-a4b3c2d1e0fe",
      extentBytes: 65_536,
      settings: { name: "new", overcommitMax: 0, thresholds: [] },
      randomBytes: (length) => random.bytes(length),
      owner,
    });
    const report = await checkPool([device]);
    expect(report).toMatchObject({ isSound: true, wasClean: true, counts: { volumes: 0 } });
  });

  it("finds each byte of each page that is another", async () => {
    const random = new SeededRandom(seed);
    const blocks = exampleBlocks();
    const device = await deviceWith(blocks);
    for (const { title, offsetBytes, bytes } of blocks) {
      if (title.startsWith("journal") || title.startsWith("superblock")) continue;
      for (let round = 0; round < 20; round += 1) {
        const at = random.below(4096);
        const wrong = Uint8Array.from(bytes);
        wrong[at] = (wrong[at] ?? 0) ^ (1 << random.below(8));
        await writeBytes(device, offsetBytes, wrong);
        const report = await checkPool([device]);
        expect(report.isSound, `byte ${at} of ${title}`).toBe(false);
      }
      await writeBytes(device, offsetBytes, bytes);
    }
    expect((await checkPool([device])).isSound).toBe(true);
  });

  it("finds a page that is whole but not the one that is meant", async () => {
    const device = await deviceWith(exampleBlocks());
    const { bytes, offsetBytes } = titled("leaf of data");
    setUint32LE(bytes, 64, 21);
    const pool = exampleSuperblock({ block: 1, crc: 1 }).poolUuid;
    sealPage(bytes, pool, { kind: 5, level: 0, volume: 1, index: 0, block: 6, generation: 5 });
    await writeBytes(device, offsetBytes, bytes);
    const report = await checkPool([device]);
    expect(messages(report)).toContain("stale");
    expect(messages(report)).toContain('volume "data" maps 0 extents, its record says 3');
  });

  it("names a missing device and broken copies, and says where there is no pool", async () => {
    await expect(checkPool([new MemoryDevice(64 * 2 ** 20)])).rejects.toMatchObject({
      kind: "missing",
    });
    const device = await deviceWith(exampleBlocks());
    await writeBytes(device, 3 * 2 ** 20, titled("superblock, slot 1").bytes);
    const report = await checkPool([device]);
    expect(report).toMatchObject({ isSound: true, warnings: 1 });
    expect(messages(report)).toContain("place of the other slot");
  });

  it("looks at one device once: of two states of it, each would make the other look broken", async () => {
    const device = await deviceWith(exampleBlocks());
    const copy = await deviceWith(exampleBlocks());
    await expect(checkPool([device, copy])).rejects.toMatchObject({ kind: "exists" });
  });

  it("begins again when checkpoints overtake it, and gives up on a pool that never rests", async () => {
    const device = await deviceWith(exampleBlocks());
    const superblock = decodeSuperblock(titled("superblock, slot 1").bytes);
    if (isFault(superblock)) throw new Error(superblock.message);
    let generation = 5;
    const overtake = (step: number): void => {
      generation += step;
      const bytes = encodeSuperblock({ ...superblock, generation });
      const slot = SUPERBLOCK_OFFSETS[generation % 2] ?? 0;
      expect(device.tryWrite(bytes, 0, bytes.length, slot)).toBe(true);
    };
    const steps = [2, 1];
    const report = await checkPool([device], { onProgress: () => overtake(steps.shift() ?? 0) });
    expect(report).toMatchObject({ restarts: 1, generation: 7, isSound: true });
    await expect(checkPool([device], { onProgress: () => overtake(2) })).rejects.toMatchObject({
      kind: "busy",
    });
  });
});
