import { describe, expect, it } from "vitest";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { LEAF_ENTRIES } from "../../../src/thin/format/layout.ts";
import { encodePointers } from "../../../src/thin/format/node.ts";
import { PageKind } from "../../../src/thin/format/page.ts";
import { encodeVolumesPage } from "../../../src/thin/format/volume-record.ts";
import { checkPool } from "../../../src/thin/tools/check.ts";
import { checkJournal, readJournal } from "../../../src/thin/tools/check-journal.ts";
import { checkVolumes, leafCountOf } from "../../../src/thin/tools/check-volumes.ts";
import { ExtentCounts, sideOfNothing } from "../../../src/thin/tools/extent-counts.ts";
import { ExtentPlaces } from "../../../src/thin/tools/extent-places.ts";
import { Findings } from "../../../src/thin/tools/findings.ts";
import { FINDINGS_MAX } from "../../../src/thin/tools/limits.ts";
import { locatePool } from "../../../src/thin/tools/locate-pool.ts";
import { PageBuilder } from "../../../src/thin/tools/page-builder.ts";
import { readPages } from "../../../src/thin/tools/page-batch.ts";
import { imageOfTree } from "../../../src/thin/tools/pool-image.ts";
import { readTree } from "../../../src/thin/tools/pool-tree.ts";
import { HEADER_WORDS, readLeaves } from "../../../src/thin/tools/read-leaves.ts";
import { salvagePool } from "../../../src/thin/tools/salvage.ts";
import { ScannedPages } from "../../../src/thin/tools/page-scan.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { EXAMPLE_POOL } from "../format/support/example-pool.ts";
import { destroy, exampleDevice, offsetOf } from "./support/example-data.ts";

const SEGMENTS = [
  { device: 0, offsetBytes: 9 * 2 ** 20, extents: 10, virginFrom: 6 },
  { device: 1, offsetBytes: 8 * 2 ** 20, extents: 5, virginFrom: 5 },
];

describe("the places of extents", () => {
  it("go through the segments in their order", () => {
    const devices = [new MemoryDevice(0, "a"), null];
    const places = new ExtentPlaces(65_536, SEGMENTS, devices);
    expect([places.extentCount, places.blockCount]).toEqual([15, 240]);
    expect(places.placeOf(9)).toEqual({
      device: devices[0],
      offsetBytes: 9 * 2 ** 20 + 9 * 65_536,
    });
    expect(places.placeOf(10)).toEqual({ device: null, offsetBytes: 8 * 2 ** 20 });
    expect(places.placeOfBlock(16 * 11 + 3)).toEqual({
      device: null,
      offsetBytes: 8 * 2 ** 20 + 65_536 + 3 * 4096,
    });
    expect([0, 1, 239, 240].map((block) => places.hasBlock(block))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe("the counts of extents", () => {
  const places = new ExtentPlaces(65_536, SEGMENTS, []);
  const leafOf = (entries: Record<number, number>): Uint32Array => {
    const words = new Uint32Array(HEADER_WORDS + LEAF_ENTRIES);
    for (const [slot, word] of Object.entries(entries)) words[HEADER_WORDS + Number(slot)] = word;
    return words;
  };

  it("count entries and bases, once for each leaf", () => {
    const counts = new ExtentCounts(places);
    const plain = leafOf({ 0: 3, 1: 4 });
    expect(counts.countLeaf({ leaf: plain, bases: null, masks: null })).toEqual({
      mapped: 2,
      partial: 0,
      namesMetadata: false,
      complaint: null,
    });
    const leaf = leafOf({ 0: 0x8000_0000 + 5 });
    const sides = { bases: leafOf({ 0: 3 }), masks: leafOf({ 0: 1 }) };
    expect(counts.countLeaf({ leaf, ...sides })).toMatchObject({ mapped: 1, partial: 1 });
    expect([1, 2, 3, 4, 5].map((phys) => counts.references(phys))).toEqual([0, 2, 1, 1, 0]);
    expect(counts.totals()).toEqual({ used: 3, shared: 1 });
    expect(counts.beyondVirginMarks()).toEqual([]);
    counts.countLeaf({ leaf: leafOf({ 7: 8 }), bases: null, masks: null });
    expect(counts.beyondVirginMarks()).toEqual([7]);
  });

  it.each<[string, number, number, number]>([
    ["an extent past the pool", 16, 0, 0],
    ["PARTIAL without an extent", 0x8000_0000, 0, 0],
    ["an empty mask", 0x8000_0003, 0, 0],
    ["a full mask", 0x8000_0003, 0xffff, 0],
    ["a mask that is too wide", 0x8000_0003, 0x1_0000, 0],
    ["a base past the pool", 0x8000_0003, 1, 16],
    ["itself as its base", 0x8000_0003, 1, 3],
  ])("complain of %s", (_, word, mask, base) => {
    const pages = {
      leaf: leafOf({ 5: word }),
      bases: leafOf({ 5: base }),
      masks: leafOf({ 5: mask }),
    };
    expect(new ExtentCounts(places).countLeaf(pages).complaint).toContain("entry 5");
  });

  it.each<[string, number, number, number]>([
    ["a mask of a plain entry", 3, 1, 0],
    ["a base of a hole", 0, 0, 3],
  ])("are not all that is wrong with a leaf: %s", (_, word, mask, base) => {
    const leaf = leafOf({ 5: word });
    const sides = { bases: leafOf({ 5: base }), masks: leafOf({ 5: mask }) };
    expect(new ExtentCounts(places).countLeaf({ leaf, ...sides }).complaint).toBeNull();
    expect(sideOfNothing({ leaf, ...sides })).toContain("entry 5");
    expect(sideOfNothing({ leaf, bases: leafOf({}), masks: leafOf({}) })).toBeNull();
    expect(sideOfNothing({ leaf, bases: null, masks: null })).toBeNull();
  });

  it("do not run over", () => {
    const counts = new ExtentCounts(places);
    const many = leafOf(Object.fromEntries(Array.from({ length: 1000 }, (_, slot) => [slot, 2])));
    counts.countLeaf({ leaf: many, bases: null, masks: null });
    expect(counts.references(1)).toBe(254);
  });
});

describe("findings", () => {
  it("are counted beyond those that are kept", () => {
    const findings = new Findings();
    for (let index = 0; index < FINDINGS_MAX + 5; index += 1) findings.error(`finding ${index}`);
    findings.warning("late");
    expect(findings.list).toHaveLength(FINDINGS_MAX);
    expect([findings.errors, findings.warnings]).toEqual([FINDINGS_MAX + 5, 1]);
  });
});

describe("the check of volumes", () => {
  it("finds what their records rule out", async () => {
    const pool = await locatePool([await exampleDevice()]);
    const tree = await readTree(pool, pool.newest, () => undefined);
    if (tree === null) throw new Error("there is no tree");
    const [volume] = tree.volumes;
    if (volume === undefined) throw new Error("there is no volume");
    const { attributes } = volume;
    const twin = { ...volume, depth: 2, mappedExtents: 4, attributes: { ...attributes, id: 7 } };
    const findings = new Findings();
    const mapped = new Uint32Array(tree.leaves.length);
    await readLeaves(
      tree,
      [0, 1],
      (number) => (mapped[number] = 3),
      () => undefined,
    );
    checkVolumes({ ...tree, volumes: [volume, twin] }, mapped, findings);
    expect(findings.list.map(({ message }) => message)).toEqual([
      "two volumes are called name data",
      "two volumes are called cccccccc-dddd-4eee-8fff-000000000001",
      'volume "data" has an id of the future, 7',
      'volume "data" has a tree of 2 levels, which its size rules out',
      'volume "data" maps 0 extents, its record says 4',
    ]);
    expect(
      [0, 1, 65_536 * 1008, 65_536 * 1008 + 1].map((size) => leafCountOf(size, 65_536)),
    ).toEqual([0, 1, 1, 2]);
  });
});

describe("the check of a volume's map", () => {
  it("ends where a node is its own child, and finds a map that goes on past the volume", async () => {
    const pool = await locatePool([await exampleDevice()]);
    const tree = await readTree(pool, pool.newest, () => undefined);
    const [volume] = tree?.volumes ?? [];
    if (tree === null || volume === undefined) throw new Error("there is no volume");
    const findings = new Findings();
    const { block } = volume.root;
    const nodes = new Map([[block, { level: 2, index: 0, children: [block, -1] }]]);
    const attributes = { ...volume.attributes, sizeBytes: 2 ** 40 };
    const large = { ...volume, attributes, depth: 2, mappedExtents: 0 };
    checkVolumes({ ...tree, nodes, volumes: [large] }, new Uint32Array(), findings);
    const image = await imageOfTree({ ...tree, nodes, volumes: [large] }, () => undefined);
    expect([...image.volumes.values()].map(({ leaves }) => leaves.size)).toEqual([0]);
    const far = new Map([[block, { level: 1, index: 1, children: [-1] }]]);
    const small = { ...volume, mappedExtents: 0 };
    checkVolumes({ ...tree, nodes: far, volumes: [small] }, new Uint32Array(), findings);
    const huge = { ...small.attributes, sizeBytes: 2 ** 50 };
    const many = Array.from({ length: 20 }, () => ({ ...small, attributes: huge }));
    expect(findings.list.map(({ message }) => message)).toEqual([
      "1 volumes are there, the root says 2",
      "1 volumes are there, the root says 2",
      'volume "data" has a map that goes on past its end',
    ]);
    const sizes = new Findings();
    checkVolumes({ ...tree, volumes: many }, new Uint32Array(), sizes);
    expect(sizes.list.at(-1)?.message).toBe("the volumes are larger than their maps may be");
  });
});

describe("the check of the journal", () => {
  it("says when it cannot be read, or names extents that are not there", async () => {
    const device = new ErrorFilter(await exampleDevice());
    const pool = await locatePool([device]);
    expect((await readJournal(pool)).blocks.map(({ seq }) => seq)).toEqual([42, 43]);
    const tree = await readTree(pool, pool.newest, () => undefined);
    if (tree === null) throw new Error("there is no tree");
    const small = new Findings();
    const places = new ExtentPlaces(65_536, SEGMENTS, []);
    const root = { ...tree.root, segments: SEGMENTS };
    const suspicion = { metadata: new Set<number>(), leaves: [] };
    await checkJournal(pool, { tree: { ...tree, root, places }, suspicion }, small);
    expect(small.list.map(({ message }) => message)).toEqual([
      "journal block 42 has a record that cannot be: there is no extent 21 of 15",
    ]);
    device.setRules([{ error: "medium", startBytes: 8 * 2 ** 20, endBytes: 9 * 2 ** 20 }]);
    const findings = new Findings();
    await checkJournal(pool, { tree, suspicion }, findings);
    expect(findings.list[0]?.message).toContain("the journal cannot be read");
  });
});

describe("a journal with a gap", () => {
  it("is broken where a barrier says that the block was there", async () => {
    const device = await exampleDevice();
    await destroy(device, ["journal block 42"]);
    const report = await checkPool([device]);
    expect(report.findings.map(({ message }) => message)).toEqual([
      "journal block 42 is broken, and was whole before",
    ]);
    await destroy(device, ["journal block 43"]);
    expect(await checkPool([device])).toMatchObject({ isSound: true, journal: { blocks: 0 } });
  });

  it("is so where its device does not give the block, and else a place to be told of", async () => {
    const device = new ErrorFilter(await exampleDevice());
    const bad = (startBytes: number): void =>
      device.setRules([{ error: "medium", startBytes, endBytes: startBytes + 4096 }]);
    bad(offsetOf("journal block 42"));
    expect(await checkPool([device])).toMatchObject({ errors: 1, warnings: 1, isSound: false });
    bad(offsetOf("journal block 43") + 4096);
    const report = await checkPool([device]);
    expect(report).toMatchObject({ isSound: true, warnings: 1, journal: { blocks: 2 } });
    expect(report.findings[0]?.message).toContain("the first is 44");
  });
});

describe("reading pages", () => {
  it("loses no neighbour of a bad sector", async () => {
    const device = new ErrorFilter(await exampleDevice());
    const bad = offsetOf("bases of data");
    device.setRules([{ error: "medium", startBytes: bad, endBytes: bad + 512 }]);
    const pool = await locatePool([device]);
    const faults: string[] = [];
    const tree = await readTree(pool, pool.newest, (what) => faults.push(what));
    if (tree === null) throw new Error("there is no tree");
    const read: number[] = [];
    const numbers = tree.leaves.map((_, number) => number);
    await readLeaves(
      tree,
      numbers,
      (number) => read.push(number),
      (what) => faults.push(what),
    );
    expect(faults).toEqual(["bases page 0 (block 7)"]);
    expect(read).toHaveLength(1);
  });

  it("tells a page of another number, and a place that is none", async () => {
    const pool = await locatePool([await exampleDevice()]);
    const tree = await readTree(pool, pool.newest, () => undefined);
    const leaf = tree?.leaves[0]?.pointers.leaf;
    if (tree === null || leaf === undefined) throw new Error("there is no leaf");
    const wanted = { ...leaf, kind: PageKind.leaf, level: 0, index: 1 };
    const found: unknown[] = [];
    const nowhere = { ...wanted, block: 1e6 };
    await readPages(tree.places, EXAMPLE_POOL, [wanted, nowhere], (_, page) => found.push(page));
    expect(found).toEqual([
      expect.objectContaining({ kind: "damaged" }),
      expect.objectContaining({ kind: "misplaced" }),
    ]);
  });
});

describe("a salvage of nothing", () => {
  it("is an empty pool", async () => {
    const places = new ExtentPlaces(65_536, SEGMENTS, []);
    const settings = { name: "x", overcommitMax: 0, thresholds: [] };
    const source = { pages: new ScannedPages(), places, settings, newUuid: () => "" };
    const image = await salvagePool(source, () => undefined);
    expect([image.volumes.size, image.nextVolumeId]).toEqual([0, 1]);
    const builder = new PageBuilder(places, EXAMPLE_POOL, 1, 16);
    expect(await builder.writeVolumes(image, (leaf) => leaf)).toEqual([]);
    expect(builder.endExtent).toBe(1);
  });

  it("ends where a node is its own child", async () => {
    const device = new MemoryDevice(16 * 2 ** 20, "disk");
    const places = new ExtentPlaces(65_536, [{ ...SEGMENTS[0]!, extents: 10 }], [device]);
    const pages = new ScannedPages();
    const put = async (kind: PageKind, level: number, page: Uint8Array): Promise<void> => {
      const block = kind;
      await writeBytes(device, places.placeOfBlock(block).offsetBytes, page);
      pages.add({ header: { kind, level, volume: 1, index: 0, block, generation: 1 }, crc: 1 });
    };
    const itself = { block: PageKind.node, crc: 1 };
    const node = new Uint8Array(4096);
    encodePointers(
      node,
      Array.from({ length: 252 }, () => itself),
    );
    await put(PageKind.node, 5, node);
    const pool = await locatePool([await exampleDevice()]);
    const volume = (await readTree(pool, pool.newest, () => undefined))?.volumes[0];
    if (volume === undefined) throw new Error("there is no volume");
    const volumes = new Uint8Array(4096);
    encodeVolumesPage(volumes, [{ ...volume, depth: 5, root: itself }]);
    await put(PageKind.volumes, 0, volumes);
    const settings = { name: "x", overcommitMax: 0, thresholds: [] };
    const notes: string[] = [];
    const source = { pages, places, settings, newUuid: () => "" };
    const image = await salvagePool(source, (note) => notes.push(note));
    expect(image.volumes.get(1)?.leaves.size).toBe(0);
    expect(notes).toHaveLength(252);
  });
});
