import { EXTENTS, HOLE, VIRGIN_END } from "./geometry.ts";
import type { Entry } from "./metadata.ts";
import type { Pool } from "./pool.ts";
import { Violation } from "./violation.ts";

/** How often the extent that became free last is taken at once: the allocator that a wrong release hurts most. */
const REUSE_CHANCE = 0.5;

/** The extents that an entry keeps alive. */
export function referencesOf(entry: Entry | undefined): number[] {
  if (entry === undefined) return [];
  return entry.base === HOLE ? [entry.extent] : [entry.extent, entry.base];
}

/** The same, as the pool counts it. */
export function countedReferences(pool: Pool, entry: Entry | undefined): number[] {
  const all = referencesOf(entry);
  return pool.mutation === "baseNotCounted" ? all.slice(0, 1) : all;
}

/** Takes a free extent, or none where the pool is full. Its zeros are spent. */
export function allocate(pool: Pool): { extent: number; isZero: boolean } | undefined {
  const mark = pool.mutation === "markNotDurable" ? pool.virginFrom : pool.virginDurable;
  const free = [...pool.free].filter((extent) => extent < mark || extent >= VIRGIN_END);
  if (free.length === 0) return undefined;
  const last = free.at(-1);
  const isReuse = last !== undefined && pool.random.chance(REUSE_CHANCE);
  const extent = isReuse ? last : pool.random.pick(free);
  pool.free.delete(extent);
  return { extent, isZero: pool.zeroKnown.delete(extent) };
}

export function isExclusive(pool: Pool, extent: number): boolean {
  return pool.references[extent] === 1;
}

/** Moves the counts from what an entry kept alive to what it keeps now, because of record `seq`. */
export function moveReferences(
  pool: Pool,
  before: Entry | undefined,
  after: Entry | undefined,
  seq: number,
): void {
  const dropped = countedReferences(pool, before);
  for (const extent of countedReferences(pool, after)) {
    const kept = dropped.indexOf(extent);
    if (kept >= 0) dropped.splice(kept, 1);
    else count(pool, extent, 1);
  }
  const isFilled = before !== undefined && after !== undefined && before.extent === after.extent;
  for (const extent of dropped) drop(pool, extent, seq, isFilled);
}

function drop(pool: Pool, extent: number, seq: number, isFilled: boolean): void {
  const { mutation } = pool;
  if (mutation === "noQuarantine" || (mutation === "baseFreedAtOnce" && isFilled)) {
    if (count(pool, extent, -1) === 0) pool.free.add(extent);
  } else if (mutation === "refcountAtOnce") {
    if (count(pool, extent, -1) === 0) pool.freeing.push({ extent, seq, isCounted: true });
  } else {
    pool.freeing.push({ extent, seq, isCounted: false });
  }
}

/** Gives back what durable records have freed and no earlier I/O uses any more. */
export function release(pool: Pool): void {
  if (pool.virginSeq <= pool.durableSeq) pool.virginDurable = pool.virginFrom;
  if (pool.freeing.length === 0) return;
  if (pool.mutation === "countUnderIo") countUnderIo(pool);
  pool.freeing = pool.freeing.filter(({ extent, seq, isCounted }) => {
    const isPinned = (pool.pins[extent] ?? 0) > 0 && pool.mutation !== "releaseUnderIo";
    if (seq > pool.durableSeq || isPinned) return true;
    if (isCounted || count(pool, extent, -1) === 0) pool.free.add(extent);
    return false;
  });
}

/** The mutation's half of a release: the count drops as soon as the record is durable, only the reuse waits. */
function countUnderIo(pool: Pool): void {
  pool.freeing = pool.freeing.flatMap((freeing) => {
    if (freeing.isCounted || freeing.seq > pool.durableSeq) return [freeing];
    return count(pool, freeing.extent, -1) === 0 ? [{ ...freeing, isCounted: true }] : [];
  });
}

/** Keeps the extents of an entry from being released while I/O runs on them. */
export function pin(pool: Pool, entry: Entry | undefined): void {
  for (const extent of referencesOf(entry)) pool.pins[extent] = (pool.pins[extent] ?? 0) + 1;
}

export function unpin(pool: Pool, entry: Entry | undefined): void {
  for (const extent of referencesOf(entry)) pool.pins[extent] = (pool.pins[extent] ?? 0) - 1;
  release(pool);
}

/** Derives the counts from the maps and everything else as free: nothing of it is ever stored. */
export function deriveSpace(pool: Pool, capacity: readonly number[]): void {
  pool.references.fill(0);
  for (const volume of pool.volumes.values()) {
    for (const entry of volume.entries) {
      for (const extent of countedReferences(pool, entry)) count(pool, extent, 1);
    }
  }
  pool.free.clear();
  for (const extent of capacity) {
    if (pool.references[extent] === 0) pool.free.add(extent);
  }
}

function count(pool: Pool, extent: number, change: number): number {
  if (extent < 0 || extent >= EXTENTS) throw new Violation(`reference to extent ${extent}`);
  const references = (pool.references[extent] ?? 0) + change;
  pool.references[extent] = references;
  return references;
}
