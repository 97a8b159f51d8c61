import {
  JOURNAL_HEADER_BYTES,
  sealJournalBlock,
} from "../../../../src/thin/format/journal-block.ts";
import { encodeRecord } from "../../../../src/thin/format/journal-record.ts";
import { encodeLeafNode, encodePointers } from "../../../../src/thin/format/node.ts";
import { type PageHeader, PageKind, sealPage } from "../../../../src/thin/format/page.ts";
import type { PagePointer } from "../../../../src/thin/format/pointer.ts";
import type { JournalRecord } from "../../../../src/thin/format/records.ts";
import { encodeRoot } from "../../../../src/thin/format/root.ts";
import { encodeSuperblock, type Superblock } from "../../../../src/thin/format/superblock.ts";
import { encodeVolumesPage } from "../../../../src/thin/format/volume-record.ts";
import { setUint32LE } from "../../../../src/util/little-endian.ts";

/** The pool that FORMAT.md shows: block for block, with its place on the one device. */
export interface ExampleBlock {
  readonly title: string;
  readonly offsetBytes: number;
  readonly bytes: Uint8Array;
}

const MIB = 2 ** 20;
export const EXAMPLE_SIZE_BYTES: number = 64 * MIB;
export const EXAMPLE_POOL = "6f1d2c3b-4a59-4687-9785-a4b3c2d1e0ff";
const DEVICE = { uuid: "11111111-2222-4333-8444-555555555555", sizeBytes: EXAMPLE_SIZE_BYTES };
const SEGMENT = { device: 0, offsetBytes: 9 * MIB, extents: 848, virginFrom: 106 };
const JOURNAL = { offsetBytes: 8 * MIB, blocks: 256 };
const SEQ = 41;
const PARTIAL = 0x8000_0000;

/** The extents of the example, by what they hold. */
export const EXAMPLE_EXTENTS = { zero: 17, one: 18, nine: 19, nineNew: 20, two: 21 };

const origin = {
  id: 1,
  uuid: "cccccccc-dddd-4eee-8fff-000000000001",
  name: "data",
  sizeBytes: 1024 * MIB,
  readOnly: false,
  isSnapshot: false,
  originId: 0,
  createdAt: 1_790_000_001,
  reservedBytes: 0,
  quotaBytes: 0,
};

const snapshot = {
  ...origin,
  id: 2,
  uuid: "cccccccc-dddd-4eee-8fff-000000000002",
  name: "data@mon",
  readOnly: true,
  isSnapshot: true,
  originId: 1,
  createdAt: 1_790_000_100,
};

export const EXAMPLE_RECORDS: readonly (readonly JournalRecord[])[] = [
  [
    { kind: "map", volume: 1, lext: 2, phys: EXAMPLE_EXTENTS.two, run: 1, safe: true },
    { kind: "delete", volume: 2 },
  ],
  [{ kind: "barrier", upto: SEQ + 1 }],
];

class Pages {
  readonly blocks: ExampleBlock[] = [];

  add(
    title: string,
    header: Omit<PageHeader, "level"> & { level?: number },
    fill: (page: Uint8Array) => void,
  ): PagePointer {
    const bytes = new Uint8Array(4096);
    fill(bytes);
    const crc = sealPage(bytes, EXAMPLE_POOL, { level: 0, ...header });
    const offsetBytes = SEGMENT.offsetBytes + header.block * 4096;
    this.blocks.unshift({ title, offsetBytes, bytes });
    return { block: header.block, crc };
  }
}

function words(page: Uint8Array, values: Readonly<Record<number, number>>): void {
  for (const [slot, value] of Object.entries(values))
    setUint32LE(page, 64 + 4 * Number(slot), value);
}

function addTree(pages: Pages): PagePointer {
  const { zero, one, nine, nineNew } = EXAMPLE_EXTENTS;
  const old = { volume: 1, index: 0, generation: 4 };
  const current = { volume: 1, index: 0, generation: 5 };
  const snapshotLeaf = pages.add(
    "leaf of data@mon",
    { ...old, kind: PageKind.leaf, block: 9 },
    (page) => words(page, { 0: zero + 1, 1: one + 1, 9: nine + 1 }),
  );
  const masks = pages.add("masks of data", { ...current, kind: PageKind.masks, block: 8 }, (page) =>
    words(page, { 9: 0x8001 }),
  );
  const bases = pages.add("bases of data", { ...current, kind: PageKind.bases, block: 7 }, (page) =>
    words(page, { 9: nine + 1 }),
  );
  const leaf = pages.add("leaf of data", { ...current, kind: PageKind.leaf, block: 6 }, (page) =>
    words(page, { 0: zero + 1, 1: one + 1, 9: PARTIAL + nineNew + 1 }),
  );
  const node = { kind: PageKind.node, level: 1 } as const;
  const snapshotRoot = pages.add("node of data@mon", { ...old, ...node, block: 5 }, (page) =>
    encodeLeafNode(page, [{ leaf: snapshotLeaf, bases: null, masks: null }]),
  );
  const root = pages.add("node of data", { ...current, ...node, block: 4 }, (page) =>
    encodeLeafNode(page, [{ leaf, bases, masks }]),
  );
  const pool = { volume: 0, index: 0, generation: 5 };
  const volumes = pages.add("volumes", { ...pool, kind: PageKind.volumes, block: 3 }, (page) =>
    encodeVolumesPage(page, [
      { attributes: origin, mappedExtents: 3, ownedExtents: 1, depth: 1, root },
      { attributes: snapshot, mappedExtents: 3, ownedExtents: 0, depth: 1, root: snapshotRoot },
    ]),
  );
  return pages.add("directory", { ...pool, kind: PageKind.directory, block: 2 }, (page) =>
    encodePointers(page, [volumes]),
  );
}

export function exampleSuperblock(root: PagePointer): Superblock {
  return {
    features: { compat: 0, roCompat: 0, incompat: 0 },
    poolUuid: EXAMPLE_POOL,
    deviceUuid: DEVICE.uuid,
    deviceIndex: 0,
    devices: [DEVICE],
    extentBytes: 65_536,
    needsCheck: false,
    readOnly: false,
    clean: false,
    generation: 5,
    epoch: 3,
    root,
    checkpointSeq: SEQ,
    journal: JOURNAL,
    owner: {
      hostId: "01020304-0506-4708-890a-0b0c0d0e0f10",
      bootId: "b0071d00-0000-4000-8000-000000000001",
      nonce: "0000ce00-0000-4000-8000-000000000002",
      pid: 4242,
      openedAtSeconds: 1_790_000_000,
      state: "active",
    },
    poolName: "tank",
  };
}

function journalBlocks(): ExampleBlock[] {
  let prevCrc = 0x1234_5678;
  return EXAMPLE_RECORDS.map((records, index) => {
    const bytes = new Uint8Array(4096);
    let at = JOURNAL_HEADER_BYTES;
    for (const record of records) at = encodeRecord(record, bytes, at);
    const seq = SEQ + 1 + index;
    const used = at - JOURNAL_HEADER_BYTES;
    const header = { poolUuid: EXAMPLE_POOL, epoch: 3, seq, prevCrc };
    prevCrc = sealJournalBlock(bytes, { ...header, records: records.length, bytes: used });
    const offsetBytes = JOURNAL.offsetBytes + (seq % JOURNAL.blocks) * 4096;
    return { title: `journal block ${seq}`, offsetBytes, bytes };
  });
}

export function exampleBlocks(): ExampleBlock[] {
  const pages = new Pages();
  const directory = addTree(pages);
  const header = { kind: PageKind.root, volume: 0, index: 0, generation: 5, block: 1 };
  const root = pages.add("root", header, (page) =>
    encodeRoot(page, {
      checkpointSeq: SEQ,
      nextVolumeId: 3,
      volumeCount: 2,
      devices: [DEVICE],
      segments: [SEGMENT],
      settings: { name: "tank", overcommitMax: 2.5, thresholds: [0.75, 0.875] },
      directories: [directory],
    }),
  );
  const superblock = encodeSuperblock(exampleSuperblock(root));
  return [
    { title: "superblock, slot 1", offsetBytes: 3 * MIB + 65_536, bytes: superblock },
    ...pages.blocks,
    ...journalBlocks(),
  ];
}
