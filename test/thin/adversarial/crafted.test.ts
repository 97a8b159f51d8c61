import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isFault } from "../../../src/thin/format/fault.ts";
import { newestOf, readSuperblockCopies } from "../../../src/thin/format/superblock-io.ts";
import { decodeRoot, encodeRoot, type Root } from "../../../src/thin/format/root.ts";
import { crcOfPage, PageKind, sealPage } from "../../../src/thin/format/page.ts";
import {
  decodeSuperblock,
  encodeSuperblock,
  type Superblock,
} from "../../../src/thin/format/superblock.ts";
import { setUint32LE, setUint64LE } from "../../../src/util/little-endian.ts";
import { crc32c } from "../../../native-free/crc32c.ts";
import { checkPool } from "../../../src/thin/tools/check.ts";
import { checkLeaf } from "../../../src/thin/map/leaf-check.ts";
import { POOL_UUID } from "../pool/support/pool-bench.ts";
import { type FoundPage, makeVictim, outcomeOf, type Victim } from "./support/victim.ts";

/** Metadata with right checksums and values that no pool of ours would have: each is refused, nothing is believed. */

let victim: Victim;
let superblock: Superblock;
beforeAll(async () => {
  victim = await makeVictim();
});
beforeEach(async () => {
  victim.device.reset();
  superblock = newestOf(await readSuperblockCopies(victim.device))!;
});

/** Makes this the newest superblock, in all its places. */
async function install(bytes: Uint8Array): Promise<void> {
  for (const { offsetBytes } of await readSuperblockCopies(victim.device)) {
    victim.device.put(offsetBytes, bytes);
  }
}

/** A page with other bytes, under parents that vouch for it, up to the superblock. */
async function changePage(page: FoundPage, edit: (bytes: Uint8Array) => void): Promise<void> {
  const bytes = victim.device.block(page.offsetBytes);
  const before = new Uint8Array(12);
  setUint64LE(before, 0, page.block);
  setUint32LE(before, 8, crcOfPage(bytes));
  edit(bytes);
  const crc = sealPage(bytes, POOL_UUID, page);
  victim.device.put(page.offsetBytes, bytes);
  if (page.block === superblock.root.block) {
    await install(encodeSuperblock({ ...superblock, root: { ...superblock.root, crc } }));
  }
  for (const parent of victim.pages) {
    const at = Buffer.from(victim.device.block(parent.offsetBytes)).indexOf(before);
    if (at >= 0) await changePage(parent, (own) => setUint32LE(own, at + 8, crc));
  }
}

/** The newest page of the kind, level and number. */
function pageOf(kind: PageKind, level: number, index: number): FoundPage {
  const all = victim.pages.filter((page) => page.kind === kind && page.level === level);
  const [page] = all
    .filter((each) => each.index === index)
    .toSorted((a, b) => b.generation - a.generation);
  if (page === undefined) throw new Error(`there is no page ${index} of kind ${kind}`);
  return page;
}

/** A root with other values, under a superblock that vouches for it. */
async function installRoot(change: (root: Root) => Root): Promise<void> {
  const page = victim.pages.find(
    ({ kind, block }) => kind === PageKind.root && block === superblock.root.block,
  )!;
  const bytes = victim.device.block(page.offsetBytes);
  const root = decodeRoot(bytes);
  if (isFault(root)) throw new Error(root.message);
  encodeRoot(bytes, change(root));
  const crc = sealPage(bytes, POOL_UUID, page);
  victim.device.put(page.offsetBytes, bytes);
  await install(encodeSuperblock({ ...superblock, root: { ...superblock.root, crc } }));
}

describe("crafted metadata", () => {
  it("is built the way that a true one is", async () => {
    await installRoot((root) => root);
    expect(await outcomeOf(victim)).toBe("exact");
    expect(await checkPool([victim.device])).toMatchObject({ isSound: true });
  });

  it("has no counters that could not go on", () => {
    for (const [offset, value] of [
      [80, 2 ** 53 - 2],
      [96, 2 ** 53 - 1],
    ] as const) {
      const bytes = encodeSuperblock(superblock);
      setUint64LE(bytes, offset, value);
      setUint32LE(bytes, 4092, crc32c(bytes, 0, 4092));
      expect(decodeSuperblock(bytes)).toMatchObject({ kind: "damaged" });
    }
    const bytes = encodeSuperblock(superblock);
    setUint32LE(bytes, 88, 2 ** 32 - 1);
    setUint32LE(bytes, 4092, crc32c(bytes, 0, 4092));
    expect(decodeSuperblock(bytes)).toMatchObject({ kind: "damaged" });
  });

  it("has no segments in one place, nor past an end", async () => {
    await installRoot((root) => ({ ...root, segments: [...root.segments, root.segments[0]!] }));
    expect(await outcomeOf(victim)).toBe("corrupt");
    expect(await checkPool([victim.device])).toMatchObject({ isSound: false, counts: null });
    victim.device.reset();
    await installRoot((root) => {
      const [first] = root.segments;
      return { ...root, segments: [{ ...first!, extents: first!.extents + 40 }] };
    });
    expect(await outcomeOf(victim)).toBe("corrupt");
    expect(await checkPool([victim.device])).toMatchObject({ isSound: false, counts: null });
  });

  it("has no node or leaf in two places", async () => {
    // Of the node: the second child is the first one. Of the leaves under the first node: the sixth is the first one.
    await changePage(pageOf(PageKind.node, 2, 0), (bytes) => bytes.copyWithin(80, 64, 80));
    expect(await outcomeOf(victim)).toBe("corrupt");
    const nodes = await checkPool([victim.device]);
    expect(nodes.findings.map(({ message }) => message).join()).toMatch(
      /node page 1 .*two parents/,
    );
    victim.device.reset();
    await changePage(pageOf(PageKind.node, 1, 0), (bytes) =>
      bytes.copyWithin(64 + 5 * 48, 64, 112),
    );
    expect(await outcomeOf(victim)).toBe("corrupt");
    const leaves = await checkPool([victim.device]);
    expect(leaves.findings.map(({ message }) => message).join()).toMatch(/leaf 5 .*two parents/);
  });

  it("has no node in two versions", async () => {
    // The snapshot's map, of which "data" has a copy with the same leaves, gets its root from there, with another checksum.
    const [from, to] = [0, 1].map((record) => 128 + record * 256 + 80) as [number, number];
    await changePage(pageOf(PageKind.volumes, 0, 0), (bytes) => {
      bytes.copyWithin(to, from, from + 12);
      bytes[to + 8]! ^= 1;
    });
    expect(await outcomeOf(victim)).toBe("corrupt");
  });

  it("has nothing in a side page for an entry that is not PARTIAL", () => {
    const pages = [0, 1, 2].map(() => new Uint32Array(1024));
    const [leaf, bases, masks] = pages as [Uint32Array, Uint32Array, Uint32Array];
    for (const entry of [0, 5]) {
      for (const side of [bases, masks]) {
        leaf[16] = entry;
        side[16] = 3;
        expect(checkLeaf({ leaf, bases, masks }, 100, 15)).toContain("side");
        side[16] = 0;
        expect(checkLeaf({ leaf, bases, masks }, 100, 15)).toMatchObject({ partials: 0 });
      }
    }
  });
});
