import type { FormatFault } from "../format/fault.ts";
import {
  DEPTH_MAX,
  LEAF_ENTRIES,
  leavesUnder,
  NODE_LEAVES,
  PARTIAL_FLAG,
} from "../format/layout.ts";
import { NO_POINTER } from "../format/pointer.ts";
import type { PoolSettings, VolumeAttributes } from "../format/records.ts";
import type { LeafWords } from "../map/leaf-check.ts";
import type { ExtentPlaces } from "./extent-places.ts";
import type { NoteFault, PoolTree } from "./pool-tree.ts";
import { HEADER_WORDS, readLeaves } from "./read-leaves.ts";

/** The entries of a leaf, without page headers; side words only where an entry is PARTIAL. */
export interface LeafImage {
  readonly words: Uint32Array;
  bases: Uint32Array | null;
  masks: Uint32Array | null;
}

export interface VolumeImage {
  attributes: VolumeAttributes;
  /** By the leaf's number. Leaves that volumes share are the same object. */
  leaves: Map<number, LeafImage>;
}

/** The maps of a pool in memory, as plainly as can be: for tools that look at, or save, one that is not in use. */
export interface PoolImage {
  readonly places: ExtentPlaces;
  settings: PoolSettings;
  nextVolumeId: number;
  /** By id. */
  readonly volumes: Map<number, VolumeImage>;
}

/** Runs of entries that go on in the same way: from extent to extent, or unchanged. */
export interface MapRun {
  readonly lext: number;
  readonly run: number;
  readonly phys: number;
  /** Of a PARTIAL entry: which parts lie in `phys`, and where the others do, -1: they are zeros. */
  readonly partial: { readonly mask: number; readonly base: number } | null;
}

export function newLeaf(): LeafImage {
  return { words: new Uint32Array(LEAF_ENTRIES), bases: null, masks: null };
}

export function copyLeaf({ words, bases, masks }: LeafImage): LeafImage {
  return { words: words.slice(), bases: bases?.slice() ?? null, masks: masks?.slice() ?? null };
}

/** A leaf from its pages. */
export function leafFromPages({ leaf, bases, masks }: LeafWords): LeafImage {
  return {
    words: leaf.slice(HEADER_WORDS),
    bases: bases?.slice(HEADER_WORDS) ?? null,
    masks: masks?.slice(HEADER_WORDS) ?? null,
  };
}

/**
 * All maps of a checkpoint: 64 MiB of memory for each TiB that is mapped. Broken pages are holes, and noted. With `indexes`: of each volume
 * only the leaves of these numbers.
 */
export async function imageOfTree(
  tree: PoolTree,
  note: NoteFault,
  indexes: ReadonlySet<number> | null = null,
): Promise<PoolImage> {
  const images: (LeafImage | undefined)[] = [];
  const numbers: number[] = [];
  for (const [number, { index }] of tree.leaves.entries()) {
    if (indexes === null || indexes.has(index)) numbers.push(number);
  }
  await readLeaves(
    tree,
    numbers,
    (number, words) => {
      images[number] = leafFromPages(words);
    },
    note,
  );
  const { settings, nextVolumeId } = tree.root;
  const image: PoolImage = { places: tree.places, settings, nextVolumeId, volumes: new Map() };
  const wanted = indexes === null ? null : nodesAbove(indexes);
  for (const { attributes, depth, root } of tree.volumes) {
    const leaves = new Map<number, LeafImage>();
    if (root !== NO_POINTER) collectLeaves({ tree, images, wanted }, root.block, depth, leaves);
    image.volumes.set(attributes.id, { attributes, leaves });
  }
  return image;
}

/** By level, the numbers of the nodes that have some of the leaves under them. */
function nodesAbove(indexes: ReadonlySet<number>): Set<number>[] {
  return Array.from({ length: DEPTH_MAX + 1 }, (_, level) => {
    const under = leavesUnder(level);
    return new Set(Array.from(indexes, (index) => Math.floor(index / under)));
  });
}

interface Collected {
  readonly tree: PoolTree;
  readonly images: readonly (LeafImage | undefined)[];
  /** See {@link nodesAbove}; null: all. */
  readonly wanted: readonly ReadonlySet<number>[] | null;
}

/** A node of another level than its parent says is none: it could be its own child. */
function collectLeaves(
  from: Collected,
  block: number,
  level: number,
  leaves: Map<number, LeafImage>,
): void {
  const { tree, images, wanted } = from;
  const node = tree.nodes.get(block);
  if (node?.level !== level) return;
  if (wanted !== null && wanted[level]?.has(node.index) !== true) return;
  for (const [place, child] of node.children.entries()) {
    if (child < 0) continue;
    if (level > 1) {
      collectLeaves(from, child, level - 1, leaves);
      continue;
    }
    const leaf = images[child];
    if (leaf !== undefined) leaves.set(node.index * NODE_LEAVES + place, leaf);
  }
}

/** What a volume maps, in order. */
export function* runsOf({ leaves }: VolumeImage): Generator<MapRun> {
  let open: MapRun | null = null;
  for (const index of [...leaves.keys()].toSorted((a, b) => a - b)) {
    const leaf = leaves.get(index);
    for (let slot = 0; leaf !== undefined && slot < LEAF_ENTRIES; slot += 1) {
      const entry = entryOf(leaf, index, slot);
      if (entry === null) continue;
      const longer: MapRun | null = open === null ? null : joined(open, entry);
      if (longer === null && open !== null) yield open;
      open = longer ?? entry;
    }
  }
  if (open !== null) yield open;
}

function entryOf(leaf: LeafImage, index: number, slot: number): MapRun | null {
  const word = leaf.words[slot] ?? 0;
  if (word === 0) return null;
  const lext = index * LEAF_ENTRIES + slot;
  const phys = (word & ~PARTIAL_FLAG) - 1;
  return { lext, run: 1, phys, partial: word < PARTIAL_FLAG ? null : partialOf(leaf, slot) };
}

function joined(open: MapRun, entry: MapRun): MapRun | null {
  const continues =
    open.partial === null &&
    entry.partial === null &&
    open.lext + open.run === entry.lext &&
    open.phys + open.run === entry.phys;
  return continues ? { ...open, run: open.run + 1 } : null;
}

function partialOf({ bases, masks }: LeafImage, slot: number): { mask: number; base: number } {
  return { mask: masks?.[slot] ?? 0, base: (bases?.[slot] ?? 0) - 1 };
}

/** Notes of broken pages as text. */
export function inWords(what: string, fault: FormatFault): string {
  return `${what}: ${fault.message}`;
}
