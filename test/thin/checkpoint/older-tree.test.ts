import { describe, expect, it } from "vitest";
import type { MemoryDevice } from "../../../src/device/memory-device.ts";
import { assemble } from "../../../src/thin/checkpoint/assemble.ts";
import { candidatesOf } from "../../../src/thin/checkpoint/candidates.ts";
import { findOlderPages } from "../../../src/thin/checkpoint/older-tree.ts";
import { type LoadedTree, readTree } from "../../../src/thin/checkpoint/tree-reader.ts";
import type { Superblock } from "../../../src/thin/format/superblock.ts";
import { systemClock } from "../../../src/util/clock.ts";
import { SeededRandom } from "../../../src/util/random.ts";
import { appendSome, formatted, MIB, opened, RecordMaker } from "./fixture.ts";

interface TwoTrees {
  readonly device: MemoryDevice;
  readonly newer: LoadedTree;
  readonly older: LoadedTree;
  /** Of the older one. */
  readonly superblock: Superblock;
}

/** A pool of which the last two checkpoints share some pages. */
async function makeTwo(): Promise<TwoTrees> {
  const [device] = await formatted();
  const pool = await opened([device!], 1);
  const maker = new RecordMaker(pool.state, new SeededRandom(21));
  await appendSome(pool, maker, 60);
  await pool.checkpointer.run("asked");
  await appendSome(pool, maker, 8);
  await pool.checkpointer.run("asked");
  const { superblocks } = await assemble([device!]);
  const [newest, before] = candidatesOf(superblocks, true);
  const superblock = before!.superblock;
  const common = { devices: [device!], leafMemoryBytesMax: MIB, clock: systemClock };
  const newer = await readTree({ ...common, superblock: newest!.superblock });
  const older = await readTree({ ...common, superblock });
  return { device: device!, newer, older, superblock };
}

function find({ device, newer, superblock }: TwoTrees): Promise<readonly number[]> {
  const { state, blocks: known } = newer;
  return findOlderPages(superblock, { devices: [device], state, known });
}

function damage({ device, newer }: TwoTrees, block: number): void {
  const { addresses, geometry } = newer.state;
  const extent = Math.floor(block / geometry.blocksPerExtent);
  const inExtent = block % geometry.blocksPerExtent;
  device.tryWrite(Buffer.from([1, 2, 3]), 0, 3, addresses.offsetOf(extent) + inExtent * 4096 + 100);
}

describe("the pages of the checkpoint before", () => {
  it("are those that the newest does not share", async () => {
    const two = await makeTwo();
    const own = [...two.older.blocks].filter((block) => !two.newer.blocks.has(block));
    expect(own.length).toBeGreaterThan(5);
    expect(own.length).toBeLessThan(two.older.blocks.size - 3);
    const found = await find(two);
    expect(new Set(found)).toEqual(new Set(own));
    expect(found).toHaveLength(own.length);
  });

  it("are what can be found where some cannot be read", async () => {
    const two = await makeTwo();
    const own = [...two.older.blocks].filter((block) => !two.newer.blocks.has(block));
    const [, volumes] = two.older.topPages;
    damage(two, volumes!.block);
    const found = await find(two);
    expect(found).toContain(volumes!.block);
    expect(found.length).toBeLessThan(own.length);
    const none = await makeTwo();
    damage(none, none.superblock.root.block);
    expect(await find(none)).toEqual([]);
  });
});
