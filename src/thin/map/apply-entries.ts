import { assert } from "../../util/assert.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import { physOf } from "./entry.ts";
import { NO_LEAF } from "./leaf-store.ts";
import type { PoolState } from "./pool-state.ts";
import type { VolumeMap } from "./volume-map.ts";
import type { VolumeState } from "./volume-state.ts";

/** A run of extents of a volume. */
interface Range {
  readonly lext: number;
  readonly run: number;
}

/** Entries become plain: `phys` and those that follow. The range lies in one leaf. */
export function mapRun(
  state: PoolState,
  volume: VolumeState,
  { lext, run, phys }: Range & { readonly phys: number },
  seq: number,
): void {
  const leaf = ownLeaf(state, volume.map, Math.floor(lext / LEAF_ENTRIES));
  const first = lext % LEAF_ENTRIES;
  for (let index = 0; index < run; index += 1) {
    const slot = first + index;
    const entry = state.leaves.entry(leaf, slot);
    const base = state.leaves.base(leaf, slot);
    const after = phys + index;
    state.leaves.setPlain(leaf, slot, after);
    if (entry === 0) gainExtent(state, volume, after);
    else moveReferences(state, volume, { entry, base }, { phys: after, base: NO_EXTENT }, seq);
  }
}

export function setPartial(
  state: PoolState,
  volume: VolumeState,
  after: {
    readonly lext: number;
    readonly phys: number;
    readonly mask: number;
    readonly base: number;
  },
  seq: number,
): void {
  const { lext, phys, mask, base } = after;
  const leaf = ownLeaf(state, volume.map, Math.floor(lext / LEAF_ENTRIES));
  const slot = lext % LEAF_ENTRIES;
  const before = { entry: state.leaves.entry(leaf, slot), base: state.leaves.base(leaf, slot) };
  state.leaves.setPartial(leaf, slot, phys, mask, base);
  moveReferences(state, volume, before, after, seq);
}

/** Entries become holes. A leaf that is covered is dropped as it is, in memory or not. */
export function clearRange(
  state: PoolState,
  volume: VolumeState,
  { lext, run }: Range,
  seq: number,
): void {
  const { map } = volume;
  const end = lext + run;
  // The copy of one may need the memory of the other.
  const kept = leavesToClear(map, lext, run).filter((leaf) => leaf !== NO_LEAF);
  for (const leaf of kept) state.leaves.pin(leaf);
  let from = lext;
  while (from < end) {
    const leafIndex = Math.floor(from / LEAF_ENTRIES);
    const next = Math.min(end, (leafIndex + 1) * LEAF_ENTRIES);
    if (isCovered(map, from, next)) dropLeafAt(state, volume, leafIndex, seq);
    else clearSlots(state, volume, { lext: from, run: next - from }, seq);
    from = next;
  }
  for (const leaf of kept) state.leaves.unpin(leaf);
}

/** The leaves of a range that are covered in part, which {@link clearRange} has to look into. */
export function leavesToClear(map: VolumeMap, lext: number, run: number): number[] {
  const end = lext + run;
  const leaves = new Set<number>();
  const firstEnd = (Math.floor(lext / LEAF_ENTRIES) + 1) * LEAF_ENTRIES;
  if (!isCovered(map, lext, Math.min(firstEnd, end))) leaves.add(map.leafAt(lext));
  const last = end - 1;
  const lastStart = last - (last % LEAF_ENTRIES);
  if (!isCovered(map, Math.max(lastStart, lext), end)) leaves.add(map.leafAt(last));
  return [...leaves];
}

/** Whether a range inside a leaf is all of it that the volume has. */
function isCovered(map: VolumeMap, lext: number, end: number): boolean {
  return lext % LEAF_ENTRIES === 0 && (end % LEAF_ENTRIES === 0 || end === map.extentCount);
}

function dropLeafAt(state: PoolState, volume: VolumeState, leafIndex: number, seq: number): void {
  const leaf = volume.map.leaf(leafIndex);
  if (leaf === NO_LEAF) return;
  // In a replay this is not known yet; it is counted through at the end.
  volume.mappedExtents -= state.leaves.mapped(leaf);
  if (state.leaves.references(leaf) === 1) volume.ownedExtents -= state.leaves.mapped(leaf);
  volume.map.setLeaf(leafIndex, NO_LEAF);
  dropLeaf(state, leaf, seq);
}

function dropLeaf(state: PoolState, leaf: number, seq: number): void {
  if (!state.space.isDeriving) state.space.dropLeafLater(leaf, seq);
  else if (state.leaves.dropReference(leaf) === 0) forgetLeaf(state, leaf);
}

/** In a replay: nothing counts yet what the leaf refers to. */
function forgetLeaf(state: PoolState, leaf: number): void {
  const places = state.leaves.destroy(leaf);
  if (places === null) return;
  for (const place of [places.leaf, places.bases, places.masks]) {
    if (place === null) continue;
    state.space.adoptMetadataBlock(place.block);
    state.space.freeMetadataBlock(place.block, state.space.generation);
  }
}

/** Takes the references of leaf ids away, of a map that has forgotten them. */
export function dropAll(state: PoolState, leafIds: Uint32Array, seq: number): void {
  if (!state.space.isDeriving) {
    state.space.dropLeavesLater(leafIds, seq);
    return;
  }
  for (const leaf of leafIds) if (leaf !== NO_LEAF) dropLeaf(state, leaf, seq);
}

function clearSlots(
  state: PoolState,
  volume: VolumeState,
  { lext, run }: Range,
  seq: number,
): void {
  const { map } = volume;
  const leafIndex = Math.floor(lext / LEAF_ENTRIES);
  const before = map.leaf(leafIndex);
  if (before === NO_LEAF) return;
  const first = lext % LEAF_ENTRIES;
  let leaf: number = NO_LEAF;
  for (let slot = first; slot < first + run; slot += 1) {
    if (state.leaves.entry(leaf === NO_LEAF ? before : leaf, slot) === 0) continue;
    // A leaf that has nothing to lose stays as it is, and shared.
    if (leaf === NO_LEAF) leaf = ownLeaf(state, map, leafIndex);
    const entry = state.leaves.entry(leaf, slot);
    const base = state.leaves.base(leaf, slot);
    state.leaves.clear(leaf, slot);
    moveReferences(state, volume, { entry, base }, NOTHING, seq);
  }
}

const NOTHING = { phys: NO_EXTENT, base: NO_EXTENT } as const;

/** The leaf at this place, as one that only this volume has: made or copied where it is not. */
function ownLeaf(state: PoolState, map: VolumeMap, leafIndex: number): number {
  const { leaves } = state;
  const leaf = map.leaf(leafIndex);
  if (leaf === NO_LEAF) {
    const created = leaves.create();
    map.setLeaf(leafIndex, created);
    return created;
  }
  if (leaves.references(leaf) === 1) {
    map.touch(leafIndex);
    return leaf;
  }
  const copy = leaves.copy(leaf);
  if (!state.space.isDeriving) addReferences(state, copy);
  map.setLeaf(leafIndex, copy);
  // The extents are protected by the copy's references, so that this one needs no record to be durable.
  if (state.space.isDeriving) leaves.dropReference(leaf);
  else state.space.dropLeaf(leaf);
  return copy;
}

function addReferences(state: PoolState, leaf: number): void {
  const { leaves, space } = state;
  for (const entry of leaves.entries(leaf)) if (entry !== 0) space.addReference(physOf(entry));
  if (leaves.partials(leaf) === 0) return;
  for (let slot = 0; slot < LEAF_ENTRIES; slot += 1) {
    const base = leaves.base(leaf, slot);
    if (base !== NO_EXTENT) space.addReference(base);
  }
}

/** {@link moveReferences} for a hole that becomes an extent of its own: what writes do most. */
function gainExtent(state: PoolState, volume: VolumeState, phys: number): void {
  volume.mappedExtents += 1;
  if (state.space.isDeriving) return;
  volume.ownedExtents += 1;
  addAllocated(state, phys);
}

function addAllocated({ space }: PoolState, phys: number): void {
  assert(space.references(phys) === 0, "an extent that is mapped was allocated for it");
  space.addReference(phys);
}

/** Moves the counts from what an entry referred to to what it refers to now, and keeps the volume's sums (rules Q and P). */
function moveReferences(
  state: PoolState,
  volume: VolumeState,
  before: { readonly entry: number; readonly base: number },
  after: { readonly phys: number; readonly base: number },
  seq: number,
): void {
  const oldPhys = before.entry === 0 ? NO_EXTENT : physOf(before.entry);
  if (oldPhys === NO_EXTENT && after.phys !== NO_EXTENT) volume.mappedExtents += 1;
  if (oldPhys !== NO_EXTENT && after.phys === NO_EXTENT) volume.mappedExtents -= 1;
  if (state.space.isDeriving) return;
  moveOwned(state, volume, oldPhys, after.phys);
  const { space } = state;
  if (after.phys !== oldPhys && after.phys !== before.base && after.phys !== NO_EXTENT) {
    addAllocated(state, after.phys);
  }
  if (after.base !== oldPhys && after.base !== before.base && after.base !== NO_EXTENT) {
    space.addReference(after.base);
  }
  if (oldPhys !== NO_EXTENT && oldPhys !== after.phys && oldPhys !== after.base) {
    space.dropLater(oldPhys, seq);
  }
  const { base } = before;
  if (base !== NO_EXTENT && base !== after.phys && base !== after.base) {
    space.dropLater(base, seq);
  }
}

/** What the volume has for itself alone: an extent that nobody else refers to when it leaves the map was its own. */
function moveOwned(state: PoolState, volume: VolumeState, before: number, after: number): void {
  if (before === after) return;
  const isLoss = before !== NO_EXTENT && state.space.references(before) === 1;
  volume.ownedExtents += (after === NO_EXTENT ? 0 : 1) - (isLoss ? 1 : 0);
}
