import { ALL_BLOCKS, readSector, writeBlocks } from "./content.ts";
import type { BlockSource } from "./content.ts";
import { enter, leave, lock, unlock } from "./gate.ts";
import { BLOCKS_PER_EXTENT, FULL_MASK, HOLE, SECTORS_PER_BLOCK } from "./geometry.ts";
import { append } from "./journal.ts";
import type { Entry } from "./metadata.ts";
import type { Pool, Steps, Volume } from "./pool.ts";
import { allocate, isExclusive, pin, unpin } from "./space.ts";

/** How often a first write takes a PARTIAL entry where it could also copy the extent. */
const PARTIAL_CHANCE = 0.6;

/** A block of a volume, and where its extent and the place in it are. */
interface Target {
  readonly volume: Volume;
  readonly lext: number;
  readonly offset: number;
}

/** Writes one block; false where the pool is full or the volume ends before it. */
export function* write(pool: Pool, id: number, block: number, value: number): Steps<boolean> {
  const volume = yield* enter(pool, id);
  if (volume === undefined) return false;
  const lext = Math.floor(block / BLOCKS_PER_EXTENT);
  const offset = block % BLOCKS_PER_EXTENT;
  const isWritten =
    lext < volume.entries.length && (yield* writeTo(pool, { volume, lext, offset }, value));
  leave(volume);
  return isWritten;
}

function* writeTo(pool: Pool, target: Target, value: number): Steps<boolean> {
  const { volume, lext, offset } = target;
  for (;;) {
    const entry = volume.entries[lext];
    if (entry !== undefined && isExclusive(pool, entry.extent) && hasBlock(entry, offset)) {
      pin(pool, entry);
      yield* writeBlocks(pool, entry.extent, [{ block: offset, value }], undefined);
      unpin(pool, entry);
      return true;
    }
    if (!volume.locks.has(lext) || pool.mutation === "allocateWithoutLock") break;
    yield () => !volume.locks.has(lext);
  }
  volume.locks.add(lext);
  const isWritten = yield* writeElsewhere(pool, target, value);
  unlock(volume, lext);
  return isWritten;
}

interface Plan {
  readonly entry: Entry;
  readonly safe: boolean;
  readonly sources: readonly BlockSource[];
}

/** A write that changes the map: data first, then the record (rule A). */
function* writeElsewhere(pool: Pool, target: Target, value: number): Steps<boolean> {
  const { volume, lext, offset } = target;
  const old = volume.entries[lext];
  const plan = planWrite(pool, old, { block: offset, value });
  if (plan === undefined) return false;
  const { entry, safe, sources } = plan;
  const grows = entry.extent === old?.extent;
  const isRecordFirst = pool.mutation === (grows ? "maskBeforeData" : "mapBeforeData");
  const record = { kind: "map", volume: volume.id, lext, entry, safe } as const;
  pin(pool, old);
  if (isRecordFirst) yield* append(pool, record);
  yield* writeBlocks(pool, entry.extent, sources, old);
  if (!isRecordFirst) yield* append(pool, record);
  unpin(pool, old);
  return true;
}

function planWrite(pool: Pool, old: Entry | undefined, source: BlockSource): Plan | undefined {
  if (old !== undefined && old.mask !== FULL_MASK && mayGrow(pool, old)) {
    return planGrowth(pool, old, source);
  }
  const place = allocate(pool);
  if (place === undefined) return undefined;
  const { extent, isZero } = place;
  if (old === undefined && (isZero || pool.mutation === "safeOnDirtyExtent")) {
    const entry = { extent, mask: FULL_MASK, base: HOLE };
    return { entry, safe: true, sources: [source] };
  }
  const isWhole = old === undefined || old.mask === FULL_MASK;
  if (isWhole && pool.random.chance(PARTIAL_CHANCE)) {
    const entry = { extent, mask: 1 << source.block, base: old?.extent ?? HOLE };
    return { entry, safe: pool.mutation === "safeOverBase", sources: [source] };
  }
  const sources = ALL_BLOCKS.map((block) =>
    block === source.block ? source : { block, value: undefined },
  );
  return { entry: { extent, mask: FULL_MASK, base: HOLE }, safe: false, sources };
}

function mayGrow(pool: Pool, old: Entry): boolean {
  return isExclusive(pool, old.extent) || pool.mutation === "sharedPartialInPlace";
}

/** One more block of a PARTIAL that nobody shares; the last one makes it plain. */
function planGrowth(pool: Pool, old: Entry, source: BlockSource): Plan {
  const mask = old.mask | (1 << source.block);
  const base = mask === FULL_MASK ? HOLE : old.base;
  const safe = pool.mutation === "safeOverBase";
  return { entry: { extent: old.extent, mask, base }, safe, sources: [source] };
}

/** Completes a PARTIAL entry from its base, in the background. */
export function* fill(pool: Pool, id: number, lext: number): Steps {
  const volume = yield* enter(pool, id);
  if (volume === undefined) return;
  const isLocked = pool.mutation !== "fillerWithoutLock";
  if (isLocked) yield* lock(volume, lext);
  const old = volume.entries[lext];
  if (old !== undefined && old.mask !== FULL_MASK && isExclusive(pool, old.extent)) {
    const missing = ALL_BLOCKS.filter((block) => !hasBlock(old, block));
    const entry = { extent: old.extent, mask: FULL_MASK, base: HOLE };
    pin(pool, old);
    yield* writeBlocks(
      pool,
      old.extent,
      missing.map((block) => ({ block, value: undefined })),
      old,
    );
    yield* append(pool, { kind: "map", volume: id, lext, entry, safe: false });
    unpin(pool, old);
  }
  if (isLocked) unlock(volume, lext);
  leave(volume);
}

/** Unmaps one extent; false where the volume ends before it. */
export function* unmap(pool: Pool, id: number, lext: number): Steps<boolean> {
  const volume = yield* enter(pool, id);
  if (volume === undefined) return false;
  yield* lock(volume, lext);
  const isInside = lext < volume.entries.length;
  if (isInside && volume.entries[lext] !== undefined) {
    yield* append(pool, { kind: "unmap", volume: id, lext });
  }
  unlock(volume, lext);
  leave(volume);
  return isInside;
}

/** Reads one block, sector by sector; undefined where there is none. It passes gates: content does not change there. */
export function* read(pool: Pool, id: number, block: number): Steps<number[] | undefined> {
  yield undefined;
  const volume = pool.volumes.get(id);
  const lext = Math.floor(block / BLOCKS_PER_EXTENT);
  if (volume === undefined || lext >= volume.entries.length) return undefined;
  const entry = volume.entries[lext];
  const values: number[] = [];
  pin(pool, entry);
  for (let sector = 0; sector < SECTORS_PER_BLOCK; sector += 1) {
    yield undefined;
    values.push(readSector(pool, entry, block % BLOCKS_PER_EXTENT, sector));
  }
  unpin(pool, entry);
  return values;
}

function hasBlock(entry: Entry, block: number): boolean {
  return (entry.mask & (1 << block)) !== 0;
}
