import { beforeAll, describe, expect, it } from "vitest";
import { isFault } from "../../../src/thin/format/fault.ts";
import { openJournalBlock } from "../../../src/thin/format/journal-block.ts";
import { SUPERBLOCK_OFFSETS, tailOffsets } from "../../../src/thin/format/layout.ts";
import { checkPage, PageKind } from "../../../src/thin/format/page.ts";
import { decodeSuperblock } from "../../../src/thin/format/superblock.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { POOL_UUID } from "../pool/support/pool-bench.ts";
import { BLOCK, makeVictim, outcomeOf, type Victim } from "./support/victim.ts";

/**
 * One byte that is another, anywhere in the metadata of a pool with everything in it. Each byte of each structure is changed and
 * decoded by itself; for as many as time allows, the whole pool is opened: its volumes are what they were, or it is refused.
 */

const seed = chooseSeed(process.env);
/** THINLUN_FLIPS=4096 takes each byte once, and some minutes. */
const OPENS_PER_BLOCK = Math.min(BLOCK, Number(process.env["THINLUN_FLIPS"] ?? "8"));
const OPENS_LIMIT_MS = OPENS_PER_BLOCK === BLOCK ? 3_600_000 : 60_000;

let victim: Victim;
beforeAll(async () => {
  victim = await makeVictim();
});

/** Changes each byte of a block in turn, and puts it back; returns the offsets of those that `isNoticed` does not see. */
function missedFlips(at: number, isNoticed: (block: Buffer) => boolean): number[] {
  const block = victim.device.block(at);
  const missed: number[] = [];
  for (let offset = 0; offset < BLOCK; offset += 1) {
    const byte = block.readUInt8(offset);
    block.writeUInt8(byte ^ (1 << (offset % 8)), offset);
    if (!isNoticed(block)) missed.push(offset);
    block.writeUInt8(byte, offset);
  }
  return missed;
}

/** The fields of a header are few and matter most. */
function anyOffset(count: number, random: SeededRandom): number {
  return count % 2 === 0 ? random.below(128) : random.below(BLOCK);
}

/** What openings come to when a byte of the block is another. */
async function opens(at: number, random: SeededRandom): Promise<string[]> {
  const { device } = victim;
  const found = new Set<string>();
  for (let count = 0; count < OPENS_PER_BLOCK; count += 1) {
    const offset = OPENS_PER_BLOCK === BLOCK ? count : anyOffset(count, random);
    const byte = device.byteAt(at + offset);
    device.put(at + offset, Buffer.from([byte ^ random.between(1, 255)]));
    found.add(await outcomeOf(victim));
    device.reset();
  }
  return [...found].toSorted();
}

describe(`one byte that is another (THINLUN_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);

  it("has a pool with every kind of page, and it opens", async () => {
    const kinds = new Set(victim.pages.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(Object.values(PageKind)));
    expect(new Set(victim.pages.map(({ level }) => level))).toEqual(new Set([0, 1, 2]));
    expect(victim.journal.length).toBeGreaterThan(4);
    expect(await outcomeOf(victim)).toBe("exact");
    victim.device.reset();
  });

  it("is noticed in every byte of every superblock, journal block and page", () => {
    const superblocks = [...SUPERBLOCK_OFFSETS, ...tailOffsets(victim.device.capacityBytes)];
    for (const at of superblocks) {
      const missed = missedFlips(at, (block) => isFault(decodeSuperblock(block)));
      expect(missed, `superblock at ${at}`).toEqual([]);
    }
    for (const at of victim.journal) {
      const missed = missedFlips(at, (block) => isFault(openJournalBlock(block, POOL_UUID)));
      expect(missed, `journal block at ${at}`).toEqual([]);
    }
    for (const { offsetBytes, block: place } of victim.pages) {
      const missed = missedFlips(offsetBytes, (block) =>
        isFault(checkPage(block, POOL_UUID, { block: place })),
      );
      expect(missed, `page ${place}`).toEqual([]);
    }
  }, 60_000);

  it(
    "in a superblock changes nothing: there is a copy",
    async () => {
      for (const at of [...SUPERBLOCK_OFFSETS, ...tailOffsets(victim.device.capacityBytes)]) {
        expect(await opens(at, random)).toEqual(["exact"]);
      }
    },
    OPENS_LIMIT_MS,
  );

  it(
    "in the journal is a refusal; in its last block, a write that was cut off",
    async () => {
      const last = victim.journal.at(-1);
      for (const at of victim.journal) {
        expect(await opens(at, random)).toEqual(at === last ? ["earlier"] : ["corrupt"]);
      }
    },
    OPENS_LIMIT_MS,
  );

  it(
    "in a page leads to the checkpoint before, or to a refusal, and to the same volumes in any case",
    async () => {
      const found = new Set<string>();
      for (const { offsetBytes } of victim.pages) {
        for (const outcome of await opens(offsetBytes, random)) found.add(outcome);
      }
      expect([...found].toSorted()).toEqual(["corrupt", "exact"]);
    },
    OPENS_LIMIT_MS,
  );
});
