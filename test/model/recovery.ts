import type { SeededRandom } from "../../src/util/random.ts";
import { apply } from "./apply.ts";
import { checkpoint } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import { flushDevices } from "./flush.ts";
import {
  EXTENTS,
  EXTENTS_PER_VOLUME,
  JOURNAL_BLOCKS,
  METADATA_DEVICE,
  VIRGIN_END,
  deviceOfExtent,
  journalCell,
  labelCell,
  leafCell,
  rootCell,
  superblockCell,
} from "./geometry.ts";
import type { Entries, JournalBlock, Root, Superblock } from "./metadata.ts";
import { isSafe } from "./metadata.ts";
import type { Pool, Steps } from "./pool.ts";
import { newVolume } from "./pool.ts";
import { deriveSpace } from "./space.ts";
import { Violation } from "./violation.ts";

/** Makes a new pool with these volumes, all of it zeros. */
export function* format(pool: Pool, volumes: readonly number[]): Steps {
  for (const id of volumes) {
    const entries = Array.from({ length: EXTENTS_PER_VOLUME }, () => undefined);
    pool.volumes.set(id, newVolume(id, entries));
  }
  deriveSpace(pool, capacityOf(pool));
  for (const extent of pool.free) pool.zeroKnown.add(extent);
  yield* checkpoint(pool, 1);
}

interface Truth {
  readonly superblock: Superblock;
  readonly root: Root;
  readonly leaves: ReadonlyMap<number, Entries>;
}

/**
 * Opens the pool on a disk after whatever has happened to it: the best checkpoint, then the journal; all of it where the page
 * cache is the one that the killed process wrote to, otherwise what a power loss leaves trustworthy. It ends with a
 * checkpoint in a new epoch, which buries what was not replayed (rule E).
 */
export function* recover(pool: Pool): Steps {
  const { disk, mutation } = pool;
  const { truth, older } = findTruth(disk);
  const { superblock, root, leaves } = truth;
  // After a kill the newest superblock may be in the page cache only, and the checkpoint below overwrites blocks of
  // the one before it, which would be the truth after a power loss.
  if (mutation !== "recoveryNotFlushed") yield* flushDevices(pool, [METADATA_DEVICE]);
  pool.devices = root.devices;
  // A generation that is lost must not come back as a newer one, and the next one must not be written over this one.
  pool.generation = superblock.generation + (older === undefined ? 2 : 0);
  pool.epoch = superblock.epoch;
  pool.leaves = root.leaves;
  pool.root = superblock.root;
  pool.olderLeaves = older?.root.leaves ?? [];
  pool.olderRoot = older?.superblock.root;
  pool.virginFrom = root.virginFrom;
  for (const pointer of root.leaves) {
    const volume = newVolume(pointer.volume, leaves.get(pointer.slot) ?? []);
    volume.leaf = pointer;
    pool.volumes.set(pointer.volume, volume);
  }
  const blocks = readJournal(disk, superblock.epoch, root.seq);
  const isSameBoot = superblock.boot === disk.boot && mutation !== "bootIgnored";
  replay(pool, blocks, isSameBoot || mutation === "trustWholeJournal");
  checkDevices(pool);
  pool.seq = root.seq + blocks.length;
  pool.durableSeq = pool.seq;
  pool.checkpointSeq = root.seq;
  pool.virginDurable = pool.virginFrom;
  pool.freeing = [];
  deriveSpace(pool, capacityOf(pool));
  for (const extent of pool.free) {
    if (extent >= pool.virginFrom && extent < VIRGIN_END) pool.zeroKnown.add(extent);
  }
  yield* checkpoint(pool, mutation === "epochKept" ? pool.epoch : pool.epoch + 1);
}

/** The highest generation of which superblock, root and leaves are whole, and the other one where that is so too. */
function findTruth(disk: Disk): { truth: Truth; older: Truth | undefined } {
  const [truth, older] = [0, 1]
    .flatMap((slot) => truthOf(disk, slot) ?? [])
    .toSorted((a, b) => b.superblock.generation - a.superblock.generation);
  if (truth === undefined) throw new Violation("no superblock is valid");
  return { truth, older };
}

/** The checkpoint before the newest one is whole for as long as its superblock is there (rule L). */
export function checkFallback(disk: Disk): void {
  for (const slot of [0, 1]) {
    const [superblock, other] = [superblockAt(disk, slot), superblockAt(disk, 1 - slot)];
    if (superblock === undefined || superblock.epoch !== other?.epoch) continue;
    if (truthOf(disk, slot) === undefined) {
      throw new Violation(`generation ${superblock.generation} is not there to fall back to`);
    }
  }
}

/**
 * A place of which the loss costs the newest checkpoint, and nothing else: only where the one before it is of the same
 * epoch, so that the journal leads from there to here (rule L).
 */
export function expendableCell(disk: Disk, random: SeededRandom): number | undefined {
  const [newest, older] = [0, 1]
    .flatMap((slot) => superblockAt(disk, slot) ?? [])
    .toSorted((a, b) => b.generation - a.generation);
  if (newest === undefined || older?.epoch !== newest.epoch) return undefined;
  const rootOf = (superblock: Superblock): Root | undefined => {
    const root = disk.read(rootCell(superblock.root.slot));
    return typeof root === "object" && root.kind === "root" ? root : undefined;
  };
  const shared = new Set(rootOf(older)?.leaves.map(({ slot }) => slot));
  const leaves = (rootOf(newest)?.leaves ?? []).filter(({ slot }) => !shared.has(slot));
  return random.pick([
    superblockCell(newest.generation),
    rootCell(newest.root.slot),
    ...leaves.map(({ slot }) => leafCell(slot)),
  ]);
}

function superblockAt(disk: Disk, slot: number): Superblock | undefined {
  const superblock = disk.read(superblockCell(slot));
  return typeof superblock === "object" && superblock.kind === "superblock"
    ? superblock
    : undefined;
}

function truthOf(disk: Disk, slot: number): Truth | undefined {
  const superblock = superblockAt(disk, slot);
  if (superblock === undefined) return undefined;
  const root = disk.read(rootCell(superblock.root.slot));
  if (typeof root !== "object" || root.kind !== "root") return undefined;
  if (root.written !== superblock.root.written) return undefined;
  const leaves = new Map<number, Entries>();
  for (const pointer of root.leaves) {
    const leaf = disk.read(leafCell(pointer.slot));
    if (typeof leaf !== "object" || leaf.kind !== "leaf") return undefined;
    if (leaf.written !== pointer.written) return undefined;
    leaves.set(pointer.slot, leaf.entries);
  }
  return { superblock, root, leaves };
}

/** The blocks that follow the checkpoint without a gap, in its epoch. */
function readJournal(disk: Disk, epoch: number, after: number): JournalBlock[] {
  const blocks: JournalBlock[] = [];
  while (blocks.length < JOURNAL_BLOCKS) {
    const seq = after + blocks.length + 1;
    const block = disk.read(journalCell(seq));
    if (typeof block !== "object" || block.kind !== "journal") break;
    if (block.seq !== seq || block.epoch !== epoch) break;
    blocks.push(block);
  }
  return blocks;
}

function replay(pool: Pool, blocks: readonly JournalBlock[], isAllTrusted: boolean): void {
  let covered = 0;
  for (const record of blocks.flatMap(({ records }) => records)) {
    if (record.kind === "barrier") covered = Math.max(covered, record.upto);
  }
  for (const { seq, records } of blocks) {
    for (const record of records) {
      const isTrusted = isAllTrusted || seq <= covered || isSafe(record);
      // A barrier vouches for what is before it and has no effect of its own.
      if (record.kind === "barrier") continue;
      if (!isTrusted) return;
      apply(pool, record, seq);
    }
  }
}

function checkDevices(pool: Pool): void {
  for (let device = 0; device < pool.devices; device += 1) {
    const label = pool.disk.read(labelCell(device));
    if (typeof label !== "object" || label.kind !== "label") {
      throw new Violation(`device ${device} belongs to the pool and has no label`);
    }
  }
}

function capacityOf(pool: Pool): number[] {
  return Array.from({ length: EXTENTS }, (_, extent) => extent).filter(
    (extent) => deviceOfExtent(extent) < pool.devices,
  );
}
