import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isFault } from "../../../src/thin/format/fault.ts";
import { newestOf, readSuperblockCopies } from "../../../src/thin/format/superblock-io.ts";
import { decodeRoot, encodeRoot, type Root } from "../../../src/thin/format/root.ts";
import { PageKind, sealPage } from "../../../src/thin/format/page.ts";
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
import { makeVictim, outcomeOf, type Victim } from "./support/victim.ts";

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
