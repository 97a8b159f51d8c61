import { describe, expect, it } from "vitest";
import { isFault } from "../../../src/thin/format/fault.ts";
import { openJournalBlock } from "../../../src/thin/format/journal-block.ts";
import { decodeLeafNode, decodePointers } from "../../../src/thin/format/node.ts";
import { checkPage, PageKind } from "../../../src/thin/format/page.ts";
import type { PagePointer } from "../../../src/thin/format/pointer.ts";
import { decodeRoot } from "../../../src/thin/format/root.ts";
import { readSuperblockCopies } from "../../../src/thin/format/superblock-io.ts";
import type { Superblock } from "../../../src/thin/format/superblock.ts";
import { decodeVolumesPage } from "../../../src/thin/format/volume-record.ts";
import { readBytes } from "../../../src/util/io-request.ts";
import { getUint32LE } from "../../../src/util/little-endian.ts";
import {
  EXAMPLE_EXTENTS,
  EXAMPLE_POOL,
  EXAMPLE_RECORDS,
  exampleBlocks,
  exampleSuperblock,
} from "./support/example-pool.ts";
import { blocksOfDocument, deviceWith } from "./support/format-document.ts";
import { hexDump } from "./support/hex-dump.ts";

const MIB = 2 ** 20;
const device = await deviceWith(blocksOfDocument());

/** A page of the example, verified as a reader would. */
async function pageAt(pointer: PagePointer | null | undefined, kind: PageKind): Promise<Buffer> {
  if (pointer === null || pointer === undefined) throw new Error("there is no such page");
  const page = await readBytes(device, 9 * MIB + pointer.block * 4096, 4096);
  const header = checkPage(page, EXAMPLE_POOL, { ...pointer, kind });
  if (isFault(header)) throw new Error(header.message);
  return page;
}

function good<T>(value: T): Exclude<T, { kind: string; message: string }> {
  if (isFault(value)) throw new Error(value.message);
  return value as Exclude<T, { kind: string; message: string }>;
}

async function superblockOfDocument(): Promise<Superblock> {
  const copies = await readSuperblockCopies(device);
  const [found] = copies.flatMap(({ superblock }) => (isFault(superblock) ? [] : [superblock]));
  if (found === undefined) throw new Error("there is no superblock");
  return found;
}

describe("the example in FORMAT.md", () => {
  it("is block for block what the code writes", () => {
    const inWords = blocksOfDocument().map(({ title, offsetBytes, bytes }) => [
      title,
      offsetBytes,
      hexDump(bytes),
    ]);
    expect(inWords).toEqual(
      exampleBlocks().map(({ title, offsetBytes, bytes }) => [title, offsetBytes, hexDump(bytes)]),
    );
  });

  it("begins with a superblock that names the root", async () => {
    const superblock = await superblockOfDocument();
    expect(superblock).toEqual(exampleSuperblock(superblock.root));
    const root = good(decodeRoot(await pageAt(superblock.root, PageKind.root)));
    expect(root).toMatchObject({
      checkpointSeq: 41,
      volumeCount: 2,
      segments: [{ device: 0, offsetBytes: 9 * MIB, extents: 848, virginFrom: 106 }],
      settings: { name: "tank", overcommitMax: 2.5, thresholds: [0.75, 0.875] },
    });
  });

  it("leads through the tree to the extents that the text names", async () => {
    const superblock = await superblockOfDocument();
    const root = good(decodeRoot(await pageAt(superblock.root, PageKind.root)));
    const [first] = good(decodePointers(await pageAt(root.directories[0], PageKind.directory)));
    const volumes = good(decodeVolumesPage(await pageAt(first, PageKind.volumes)));
    expect(volumes.map(({ attributes }) => attributes.name)).toEqual(["data", "data@mon"]);
    const [data, copy] = volumes;
    const [leafOfData] = good(decodeLeafNode(await pageAt(data?.root, PageKind.node)));
    const [leafOfCopy] = good(decodeLeafNode(await pageAt(copy?.root, PageKind.node)));
    const wordsOfData = await pageAt(leafOfData?.leaf, PageKind.leaf);
    const wordsOfCopy = await pageAt(leafOfCopy?.leaf, PageKind.leaf);
    const masks = await pageAt(leafOfData?.masks, PageKind.masks);
    const bases = await pageAt(leafOfData?.bases, PageKind.bases);
    const word = (page: Buffer, slot: number): number => getUint32LE(page, 64 + 4 * slot);
    const { zero, one, nine, nineNew } = EXAMPLE_EXTENTS;
    expect([0, 1, 2].map((slot) => word(wordsOfData, slot))).toEqual([zero + 1, one + 1, 0]);
    expect(word(wordsOfData, 9)).toBe(0x8000_0000 + nineNew + 1);
    expect([word(masks, 9), word(bases, 9)]).toEqual([0x8001, nine + 1]);
    expect(word(wordsOfCopy, 9)).toBe(nine + 1);
    expect(leafOfCopy).toMatchObject({ bases: null, masks: null });
  });

  it("goes on in the journal, each block bound to the one before", async () => {
    const { journal, epoch } = await superblockOfDocument();
    const blocks = [];
    for (const seq of [42, 43]) {
      const offsetBytes = journal.offsetBytes + (seq % journal.blocks) * 4096;
      const block = openJournalBlock(await readBytes(device, offsetBytes, 4096), EXAMPLE_POOL);
      blocks.push(good(block));
    }
    expect(blocks.map((block) => [block.seq, block.epoch])).toEqual([
      [42, epoch],
      [43, epoch],
    ]);
    expect(blocks[1]?.prevCrc).toBe(blocks[0]?.crc);
    expect(blocks.map(({ records }) => records)).toEqual(EXAMPLE_RECORDS);
  });
});
