import { LEAF_ENTRIES } from "../format/layout.ts";
import { isPartial, physOf } from "../map/entry.ts";
import { NO_LEAF, type LeafStore } from "../map/leaf-store.ts";
import type { PoolState } from "../map/pool-state.ts";
import type { VolumeState } from "../map/volume-state.ts";

/** In which volume something is mapped. "changed": in both, and not the same. */
export type DifferenceKind = "changed" | "only-a" | "only-b";

/** A range in which two volumes may differ, in bytes of the volumes; what is not in a range is the same. */
export interface Difference {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly kind: DifferenceKind;
}

/** Where nothing is: zeros. */
const HOLE = -1;

/**
 * Where two volumes of a pool differ, in ascending order, as their maps tell: leaves that they share are not looked at, and no
 * data is read. Two ranges that were written with the same bytes count as different. PARTIAL entries are told apart part by part. Of
 * volumes that are written to meanwhile, each leaf is compared as it is when it has its turn. It begins with the leaf in which
 * `fromBytes` lies.
 *
 * @throws {IoError} a leaf cannot be read
 */
export async function* diffVolumes(
  state: PoolState,
  a: VolumeState,
  b: VolumeState,
  fromBytes: number = 0,
): AsyncGenerator<Difference> {
  const endBytes = Math.max(a.attributes.sizeBytes, b.attributes.sizeBytes);
  const leafCount = Math.max(a.map.leafCount, b.map.leafCount);
  let open: Difference | null = null;
  const leafBytes = LEAF_ENTRIES * state.geometry.extentBytes;
  for (let index = Math.floor(fromBytes / leafBytes); index < leafCount; index += 1) {
    if (leafAt(a, index) === leafAt(b, index)) continue;
    for (const difference of await diffLeaf(state, a, b, index)) {
      const cut = cutOff(difference, endBytes);
      if (cut === null) continue;
      const longer: Difference | null = open === null ? null : joined(open, cut);
      if (longer === null && open !== null) yield open;
      open = longer ?? cut;
    }
  }
  if (open !== null) yield open;
}

/** The last extent of a volume can go on past its end. */
function cutOff(
  { offsetBytes, lengthBytes, kind }: Difference,
  endBytes: number,
): Difference | null {
  const left = Math.min(lengthBytes, endBytes - offsetBytes);
  return left > 0 ? { offsetBytes, lengthBytes: left, kind } : null;
}

function joined(open: Difference, next: Difference): Difference | null {
  const isNext =
    open.offsetBytes + open.lengthBytes === next.offsetBytes && open.kind === next.kind;
  return isNext ? { ...open, lengthBytes: open.lengthBytes + next.lengthBytes } : null;
}

function leafAt({ map }: VolumeState, index: number): number {
  return index < map.leafCount ? map.leaf(index) : NO_LEAF;
}

/** Both leaves are held in memory while they are compared, which happens in one step. */
async function diffLeaf(
  state: PoolState,
  a: VolumeState,
  b: VolumeState,
  index: number,
): Promise<Difference[]> {
  const volumes = a === b ? [a] : [a, b];
  for (const { map } of volumes) map.pinSlot(index);
  try {
    // A write may put another leaf in the place while one is loaded.
    while (volumes.some((volume) => !isHere(state.leaves, leafAt(volume, index)))) {
      for (const volume of volumes) {
        const leaf = leafAt(volume, index);
        if (!isHere(state.leaves, leaf)) await state.leaves.load(leaf);
      }
    }
    return compareLeaves(state, index, leafAt(a, index), leafAt(b, index));
  } finally {
    for (const { map } of volumes) map.unpinSlot(index);
  }
}

function isHere(leaves: LeafStore, leaf: number): boolean {
  return leaf === NO_LEAF || leaves.isResident(leaf);
}

function compareLeaves(state: PoolState, index: number, a: number, b: number): Difference[] {
  const differences: Difference[] = [];
  const { leaves, geometry } = state;
  const { extentBytes, maskBlocks, maskBlockBytes } = geometry;
  for (let slot = 0; slot < LEAF_ENTRIES; slot += 1) {
    if (isSame(leaves, a, b, slot)) continue;
    const offsetBytes = (index * LEAF_ENTRIES + slot) * extentBytes;
    for (let part = 0; part < maskBlocks; part += 1) {
      const inA = placeOf(leaves, a, slot, part);
      const inB = placeOf(leaves, b, slot, part);
      if (inA === inB) continue;
      const kind = inA === HOLE ? "only-b" : inB === HOLE ? "only-a" : "changed";
      const at = offsetBytes + part * maskBlockBytes;
      differences.push({ offsetBytes: at, lengthBytes: maskBlockBytes, kind });
    }
  }
  return differences;
}

function isSame(leaves: LeafStore, a: number, b: number, slot: number): boolean {
  const inA = a === NO_LEAF ? 0 : leaves.entry(a, slot);
  const inB = b === NO_LEAF ? 0 : leaves.entry(b, slot);
  return inA === inB && (inA === 0 || !isPartial(inA));
}

/** The extent that holds this part of the entry. */
function placeOf(leaves: LeafStore, leaf: number, slot: number, part: number): number {
  if (leaf === NO_LEAF) return HOLE;
  const entry = leaves.entry(leaf, slot);
  if (entry === 0) return HOLE;
  if (!isPartial(entry)) return physOf(entry);
  const isOwn = ((leaves.mask(leaf, slot) >>> part) & 1) === 1;
  return isOwn ? physOf(entry) : leaves.base(leaf, slot);
}
