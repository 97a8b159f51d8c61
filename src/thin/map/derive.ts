import type { Clock } from "../../util/clock.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { PoolError } from "../pool-error.ts";
import { physOf } from "./entry.ts";
import { NO_LEAF } from "./leaf-store.ts";
import type { PoolState } from "./pool-state.ts";
import type { VolumeState } from "./volume-state.ts";

/** Leaves that are read at the same time: 1 MiB where they lie together. */
const BATCH_LEAVES = 256;

/** Batches that are read ahead of the one that is counted: disks are faster with several requests. */
const BATCHES_AHEAD = 3;

/**
 * After a replay: counts the references of all leaves, each once however many volumes have it, and what volumes map; everything else
 * below the virgin marks that holds no metadata is free. The blocks of metadata were adopted before. Leaves that do not fit
 * into the memory limit are read and given up again. Throws {@link PoolError} "corrupt" where maps and metadata contradict each other, and
 * IoError "medium" where a leaf cannot be read. Nothing may change meanwhile. `keptBlocks` are metadata of the checkpoint before.
 */
export async function deriveSpace(
  state: PoolState,
  keptBlocks: readonly number[] = [],
): Promise<void> {
  state.space.startDeriving();
  const leaves = sortByPlace(state, allLeaves(state));
  const counter = new ReferenceCounter(state);
  const ahead: Promise<void>[] = [];
  const failed: PromiseRejectedResult[] = [];
  for (let first = 0; first < leaves.length; first += BATCH_LEAVES) {
    const batch = leaves.subarray(first, first + BATCH_LEAVES);
    const counted = withLeaves(state, batch, (leaf) => counter.countLeaf(leaf));
    const ended = Promise.allSettled([counted]).then(([result]) => {
      if (result.status === "rejected") failed.push(result);
    });
    ahead.push(ended);
    if (ahead.length <= BATCHES_AHEAD) continue;
    await ahead.shift();
    await nextTurn(state.clock);
    if (failed.length > 0) break;
  }
  // Also where one has failed: nothing is read behind the caller's back.
  await Promise.all(ahead);
  if (failed[0] !== undefined) throw failed[0].reason;
  for (const volume of state.volumes.values()) {
    volume.mappedExtents = sumMapped(state, volume);
    if (volume.attributes.reservedBytes > 0) await countOwned(state, volume);
  }
  for (const block of keptBlocks) state.space.keepMetadataBlock(block);
  state.space.finishDeriving();
}

/**
 * Counts anew what the volume has for itself alone, the basis of its reservation: after snapshots of it are gone, that is more than
 * what it mapped since. Where the volume changes meanwhile the result can be too small, and never too large: then what it was promised would be
 * others'.
 */
export async function countOwned(state: PoolState, volume: VolumeState): Promise<void> {
  let owned = 0;
  const lostBefore = volume.lostExtents;
  const ids = volume.map.leafIds.filter(
    (leaf) => leaf !== NO_LEAF && state.leaves.references(leaf) === 1,
  );
  for (let first = 0; first < ids.length; first += BATCH_LEAVES) {
    // One that has lost its last reference meanwhile is about to be taken apart, and nobody may pin it.
    const batch = ids
      .subarray(first, first + BATCH_LEAVES)
      .filter((leaf) => state.leaves.exists(leaf) && state.leaves.references(leaf) > 0);
    await withLeaves(state, batch, (leaf) => {
      owned += ownedIn(state, leaf);
    });
    await nextTurn(state.clock);
  }
  // Some of that was lost before it would have been counted.
  volume.ownedExtents = owned - (volume.lostExtents - lostBefore);
}

/** Loads leaves, calls back with each, and lets them go. */
async function withLeaves(
  state: PoolState,
  batch: Uint32Array,
  callback: (leaf: number) => void,
): Promise<void> {
  const { leaves } = state;
  for (const leaf of batch) leaves.pin(leaf);
  try {
    await leaves.loadAll(batch);
    for (const leaf of batch) callback(leaf);
  } finally {
    for (const leaf of batch) leaves.unpin(leaf);
  }
}

function allLeaves({ leaves }: PoolState): Uint32Array {
  const ids = new Uint32Array(leaves.count);
  let count = 0;
  for (let leaf = 1; leaf < leaves.end; leaf += 1) {
    if (!leaves.exists(leaf)) continue;
    ids[count] = leaf;
    count += 1;
  }
  return ids;
}

/** Leaves in the order of their places on the media, those that were never written last. */
export function sortByPlace({ leaves }: PoolState, ids: Uint32Array): Uint32Array {
  const places = Float64Array.from(
    ids,
    (leaf) => leaves.pointers(leaf)?.leaf.block ?? Number.MAX_SAFE_INTEGER,
  );
  // After a checkpoint of all of them they are.
  if (places.every((place, index) => index === 0 || place >= places[index - 1]!)) return ids;
  const order = Uint32Array.from(ids.keys()).sort((a, b) => places[a]! - places[b]!);
  return order.map((index) => ids[index]!);
}

/** Counts the references of leaves; keeps the segment that the last extent was in, because most are in one. */
class ReferenceCounter {
  readonly #state: PoolState;
  #first = 0;
  #end = 0;

  constructor(state: PoolState) {
    this.#state = state;
  }

  countLeaf(leaf: number): void {
    const { leaves, space } = this.#state;
    const entries = leaves.entries(leaf);
    let slot = space.countReferences(entries, 0, this.#first, this.#end);
    while (slot < entries.length) {
      this.#count(leaf, physOf(entries[slot]!));
      const base = leaves.base(leaf, slot);
      if (base !== NO_EXTENT) this.#count(leaf, base);
      slot = space.countReferences(entries, slot + 1, this.#first, this.#end);
    }
  }

  #count(leaf: number, phys: number): void {
    if (phys < this.#first || phys >= this.#end) this.#moveTo(leaf, phys);
    if (!this.#state.space.countReference(phys)) this.#refuse(leaf, phys);
  }

  #moveTo(leaf: number, phys: number): void {
    const { addresses } = this.#state;
    if (!addresses.isMappable(phys, 1)) this.#refuse(leaf, phys);
    const segment = addresses.segmentOf(phys);
    this.#first = addresses.firstOf(segment);
    this.#end = this.#first + addresses.segments[segment]!.virginFrom;
  }

  #refuse(leaf: number, phys: number): never {
    const block = this.#state.leaves.pointers(leaf)?.leaf.block;
    const place =
      block === undefined ? "a map page made by the journal" : `the map page in block ${block}`;
    throw new PoolError("corrupt", `${place} maps extent ${phys}, which cannot hold data`);
  }
}

function sumMapped(state: PoolState, volume: VolumeState): number {
  let sum = 0;
  for (const leaf of volume.map.leafIds) if (leaf !== NO_LEAF) sum += state.leaves.mapped(leaf);
  return sum;
}

function ownedIn(state: PoolState, leaf: number): number {
  const { space } = state;
  let owned = 0;
  for (const entry of state.leaves.entries(leaf)) {
    if (entry !== 0 && space.references(physOf(entry)) === 1) owned += 1;
  }
  return owned;
}

function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(0, resolve);
  });
}
