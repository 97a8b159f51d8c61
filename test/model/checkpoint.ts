import { LEAF_SLOTS, METADATA_DEVICE, leafCell, rootCell, superblockCell } from "./geometry.ts";
import { allDevices, flushDevices } from "./flush.ts";
import type { Leaf, LeafPointer } from "./metadata.ts";
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
  const { leaves, writes } = capture(pool);
  for (const { slot, leaf } of writes) {
    yield undefined;
    disk.write(leafCell(slot), leaf);
  }
  yield undefined;
  disk.write(rootCell(generation), { kind: "root", generation, seq, devices, leaves });
  if (mutation === "checkpointOneDevice") yield* flushDevices(pool, [METADATA_DEVICE]);
  else if (mutation !== "checkpointNotFlushed") yield* flushDevices(pool, allDevices(pool));
  disk.write(superblockCell(generation), {
    kind: "superblock",
    generation,
    epoch,
    boot: disk.boot,
  });
  if (mutation !== "superblockNotFlushed") yield* flushDevices(pool, [METADATA_DEVICE]);
  pool.generation = generation;
  pool.epoch = epoch;
  pool.checkpointSeq = seq;
  pool.durableSeq = Math.max(pool.durableSeq, seq);
  pool.leaves = leaves;
  pool.tail = undefined;
  pool.isCheckpointing = false;
  release(pool);
}

/** What the checkpoint will say, taken in one step: it is the state after record `pool.seq`. */
function capture(pool: Pool): Image {
  const image: Image = { leaves: [], writes: [] };
  const taken = new Set(pool.leaves.map(({ slot }) => slot));
  for (const volume of pool.volumes.values()) {
    if (volume.leaf === undefined) {
      const slot = slotFor(pool, volume.id, taken);
      taken.add(slot);
      pool.leafWrites += 1;
      volume.leaf = { volume: volume.id, slot, written: leafStamp(pool) };
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
function leafStamp(pool: Pool): number {
  return pool.random.uint32() + pool.leafWrites / LEAF_SLOTS;
}

function slotFor(pool: Pool, volume: number, taken: ReadonlySet<number>): number {
  const last = pool.leaves.find((pointer) => pointer.volume === volume);
  if (pool.mutation === "leafInPlace" && last !== undefined) return last.slot;
  let slot = 0;
  while (taken.has(slot)) slot += 1;
  return slot;
}
