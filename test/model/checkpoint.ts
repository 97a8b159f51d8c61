import { assert } from "../../src/util/assert.ts";
import {
  LEAF_SLOTS,
  METADATA_DEVICE,
  ROOT_SLOTS,
  VIRGIN_FROM,
  leafCell,
  rootCell,
  superblockCell,
} from "./geometry.ts";
import { allDevices, flushDevices } from "./flush.ts";
import { appendBlock } from "./journal-block.ts";
import type { Leaf, LeafPointer, RootPointer } from "./metadata.ts";
import type { Pool, Steps } from "./pool.ts";
import { release } from "./space.ts";

interface Image {
  readonly leaves: LeafPointer[];
  readonly writes: { readonly slot: number; readonly leaf: Leaf }[];
}

/** Writes the maps as they are now to places that nothing refers to, and makes them the truth (rule C). */
export function* checkpoint(pool: Pool, epoch: number = pool.epoch): Steps {
  const { disk, mutation } = pool;
  pool.isCheckpointing = true;
  const generation = pool.generation + 1;
  const { seq, devices } = pool;
  const virginFrom = pool.mutation === "markForgotten" ? VIRGIN_FROM : pool.virginFrom;
  const { leaves, writes } = capture(pool);
  const root = rootPointer(pool);
  for (const { slot, leaf } of writes) {
    yield undefined;
    disk.write(leafCell(slot), leaf);
  }
  yield undefined;
  const { slot, written } = root;
  disk.write(rootCell(slot), { kind: "root", written, seq, devices, virginFrom, leaves });
  if (mutation === "checkpointOneDevice") yield* flushDevices(pool, [METADATA_DEVICE]);
  else if (mutation !== "checkpointNotFlushed") yield* flushDevices(pool, allDevices(pool));
  // Should this checkpoint be lost, the one before it and the journal must tell the same.
  const isBuried = seq > pool.durableSeq && mutation !== "checkpointWithoutBarrier";
  if (epoch === pool.epoch && isBuried) appendBlock(pool, { kind: "barrier", upto: seq });
  disk.write(superblockCell(generation), {
    kind: "superblock",
    generation,
    epoch,
    boot: disk.boot,
    root,
  });
  if (mutation !== "superblockNotFlushed") yield* flushDevices(pool, [METADATA_DEVICE]);
  pool.generation = generation;
  pool.retainedSeq = epoch === pool.epoch ? pool.checkpointSeq : seq;
  pool.epoch = epoch;
  pool.checkpointSeq = seq;
  pool.durableSeq = Math.max(pool.durableSeq, seq);
  pool.olderLeaves = pool.leaves;
  pool.leaves = leaves;
  pool.olderRoot = pool.root;
  pool.root = root;
  pool.tail = undefined;
  pool.isCheckpointing = false;
  release(pool);
}

/** What the checkpoint will say, taken in one step: it is the state after record `pool.seq`. */
function capture(pool: Pool): Image {
  const image: Image = { leaves: [], writes: [] };
  const older = pool.mutation === "freedAfterNext" ? [] : pool.olderLeaves;
  const taken = new Set([...pool.leaves, ...older].map(({ slot }) => slot));
  for (const volume of pool.volumes.values()) {
    if (volume.leaf === undefined) {
      const slot = slotFor(pool, volume.id, taken);
      taken.add(slot);
      volume.leaf = { volume: volume.id, slot, written: stamp(pool) };
      const leaf: Leaf = {
        kind: "leaf",
        written: volume.leaf.written,
        entries: [...volume.entries],
      };
      image.writes.push({ slot, leaf });
    }
    image.leaves.push(volume.leaf);
  }
  return image;
}

/** Unique over the history, as a checksum is: the generation alone repeats when a checkpoint is cut short. */
function stamp(pool: Pool): number {
  pool.pageWrites += 1;
  return pool.random.uint32() + (pool.pageWrites % LEAF_SLOTS) / LEAF_SLOTS;
}

function rootPointer(pool: Pool): RootPointer {
  let slot = 0;
  while (slot === pool.root?.slot || slot === pool.olderRoot?.slot) slot += 1;
  assert(slot < ROOT_SLOTS, "of three places for a root one is free");
  return { slot, written: stamp(pool) };
}

function slotFor(pool: Pool, volume: number, taken: ReadonlySet<number>): number {
  const last = pool.leaves.find((pointer) => pointer.volume === volume);
  if (pool.mutation === "leafInPlace" && last !== undefined) return last.slot;
  let slot = 0;
  while (taken.has(slot)) slot += 1;
  assert(slot < LEAF_SLOTS, "there are places for three generations of leaves");
  return slot;
}
