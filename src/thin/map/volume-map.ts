import { assert } from "../../util/assert.ts";
import { LEAF_ENTRIES, NODE_LEAVES, NODE_POINTERS, depthFor } from "../format/layout.ts";
import type { LeafStore } from "./leaf-store.ts";
import { NO_LEAF } from "./leaf-store.ts";
import type { Retire } from "./tree-node.ts";
import { TreeNode } from "./tree-node.ts";

/** The nodes of one level, null where nothing was ever mapped below. */
export type Level = (TreeNode | null)[];

/** One volume's map: the ids of its leaves, and the nodes that a checkpoint writes above them. */
export class VolumeMap {
  readonly #leaves: LeafStore;
  readonly #retire: Retire;
  #extentCount: number;
  #leafIds: Uint32Array;
  /** Level 1 first; the last level is one node, the root. */
  #levels: Level[];
  /** How often each place is pinned, as far as any was. Past the end, too: of a map that was cut off, or compared with a longer one. */
  #slotPins: Uint32Array = new Uint32Array(0);

  constructor(leaves: LeafStore, extentCount: number) {
    this.#leaves = leaves;
    this.#retire = (pointer, isCurrent) => leaves.retire(pointer, isCurrent);
    this.#extentCount = extentCount;
    this.#leafIds = new Uint32Array(leafCountFor(extentCount));
    this.#levels = emptyLevels(this.#leafIds.length);
  }

  get extentCount(): number {
    return this.#extentCount;
  }

  get leafCount(): number {
    return this.#leafIds.length;
  }

  /** Levels of nodes; 0 for a volume without extents. */
  get depth(): number {
    return this.#levels.length;
  }

  /** Level 1 first. Of the checkpoint and of recovery. */
  get levels(): readonly Level[] {
    return this.#levels;
  }

  get root(): TreeNode | null {
    return this.#levels.at(-1)?.[0] ?? null;
  }

  /** The ids of all leaves, NO_LEAF for holes. Valid until the map changes. */
  get leafIds(): Uint32Array {
    return this.#leafIds;
  }

  /** The leaf that maps the extent, or NO_LEAF. */
  leafAt(lext: number): number {
    assert(lext < this.#extentCount, "an extent is inside its volume");
    return this.#leafIds[Math.floor(lext / LEAF_ENTRIES)]!;
  }

  leaf(leafIndex: number): number {
    return this.#leafIds[leafIndex]!;
  }

  /** Keeps whatever leaf is at this place in memory. */
  pinSlot(leafIndex: number): void {
    if (leafIndex >= this.#slotPins.length) this.#growSlotPins(leafIndex);
    const count = this.#slotPins[leafIndex]!;
    this.#slotPins[leafIndex] = count + 1;
    if (count === 0) this.#pinLeaf(leafIndex);
  }

  unpinSlot(leafIndex: number): void {
    const count = this.#slotPins[leafIndex] ?? 0;
    assert(count > 0, "a place that is unpinned was pinned");
    this.#slotPins[leafIndex] = count - 1;
    if (count === 1) this.#unpinLeaf(leafIndex);
  }

  /** Puts another leaf at this place; the pins of the place go with it. References are the caller's. */
  setLeaf(leafIndex: number, leaf: number): void {
    const before = this.#leafIds[leafIndex]!;
    this.#leafIds[leafIndex] = leaf;
    this.touch(leafIndex);
    if ((this.#slotPins[leafIndex] ?? 0) === 0) return;
    if (leaf !== NO_LEAF) this.#leaves.pin(leaf);
    if (before !== NO_LEAF) this.#leaves.unpin(before);
  }

  /** The leaf at this place is another, or has changed: the nodes above it are dirty, and this volume's own. */
  touch(leafIndex: number): void {
    let index = Math.floor(leafIndex / NODE_LEAVES);
    for (const level of this.#levels) {
      const node = level[index] ?? null;
      if (node === null || node.references > 1) {
        this.#drop(node);
        level[index] = this.#newNode();
      } else if (!node.isDirty) {
        node.isDirty = true;
        this.#leaves.dirtyNodes += 1;
      }
      index = Math.floor(index / NODE_POINTERS);
    }
  }

  /** The map becomes as long as this. What was past a shorter end was dropped by the caller. */
  resize(extentCount: number): void {
    const leafCount = leafCountFor(extentCount);
    this.#extentCount = extentCount;
    if (leafCount === this.#leafIds.length) return;
    const before = this.#leafIds;
    for (let index = leafCount; index < before.length; index += 1) {
      assert(before[index] === NO_LEAF, "what is cut off was dropped before");
    }
    this.#leafIds = new Uint32Array(leafCount);
    this.#leafIds.set(before.subarray(0, leafCount));
    this.#rebuildLevels(leafCount);
  }

  /** Not before something is pinned: most snapshots never have anything of it. */
  #growSlotPins(leafIndex: number): void {
    const before = this.#slotPins;
    this.#slotPins = new Uint32Array(Math.max(this.#leafIds.length, leafIndex + 1));
    this.#slotPins.set(before);
  }

  /** Keeps the nodes of level 1 that are left; those above, a few pages, are made anew. */
  #rebuildLevels(leafCount: number): void {
    const before = this.#levels;
    this.#levels = emptyLevels(leafCount);
    const [leavesLevel] = this.#levels;
    for (const [index, node] of (before[0] ?? []).entries()) {
      if (leavesLevel !== undefined && index < leavesLevel.length) leavesLevel[index] = node;
      else this.#drop(node);
    }
    for (const level of before.slice(1)) for (const node of level) this.#drop(node);
    for (const [index, node] of (leavesLevel ?? []).entries()) {
      if (node !== null) this.#addAncestors(index);
    }
    // The last node of level 1 may have lost leaves.
    if (leafCount > 0 && (leavesLevel?.at(-1) ?? null) !== null) this.touch(leafCount - 1);
  }

  #addAncestors(nodeIndex: number): void {
    let index = nodeIndex;
    for (const level of this.#levels.slice(1)) {
      index = Math.floor(index / NODE_POINTERS);
      if (level[index] !== null) continue;
      level[index] = this.#newNode();
    }
  }

  #newNode(): TreeNode {
    const node = new TreeNode(null);
    node.references = 1;
    this.#leaves.dirtyNodes += 1;
    return node;
  }

  #drop(node: TreeNode | null): void {
    if (node === null) return;
    node.drop(this.#retire);
    if (node.references === 0 && node.isDirty) this.#leaves.dirtyNodes -= 1;
  }

  /** The map becomes what `source` is: it shares all leaves and nodes, each with a reference more. The old leaves are the caller's to drop. */
  copyFrom(source: VolumeMap): void {
    this.#unpinLeaves();
    for (const level of this.#levels) for (const node of level) this.#drop(node);
    this.#extentCount = source.#extentCount;
    this.#leafIds = source.#leafIds.slice();
    this.#levels = source.#levels.map((level) => [...level]);
    this.#leaves.addReferences(this.#leafIds);
    for (const level of this.#levels) for (const node of level) if (node) node.references += 1;
    for (let leafIndex = 0; leafIndex < this.#slotPins.length; leafIndex += 1) {
      if (this.#slotPins[leafIndex]! > 0) this.#pinLeaf(leafIndex);
    }
  }

  #unpinLeaves(): void {
    for (let leafIndex = 0; leafIndex < this.#slotPins.length; leafIndex += 1) {
      if (this.#slotPins[leafIndex]! > 0) this.#unpinLeaf(leafIndex);
    }
  }

  #pinLeaf(leafIndex: number): void {
    const leaf = this.#leafIds[leafIndex] ?? NO_LEAF;
    if (leaf !== NO_LEAF) this.#leaves.pin(leaf);
  }

  #unpinLeaf(leafIndex: number): void {
    const leaf = this.#leafIds[leafIndex] ?? NO_LEAF;
    if (leaf !== NO_LEAF) this.#leaves.unpin(leaf);
  }

  /** The volume is gone: nothing is mapped, and the nodes are nobody's. The leaves are the caller's to drop. */
  clear(): void {
    this.#unpinLeaves();
    this.#leafIds.fill(NO_LEAF);
    for (const level of this.#levels) for (const node of level) this.#drop(node);
    this.#levels = emptyLevels(this.#leafIds.length);
  }

  /** At open: leaves of the checkpoint, from this place on; each gains a reference. */
  setStoredLeaves(firstLeafIndex: number, ids: ArrayLike<number>): void {
    for (let index = 0; index < ids.length; index += 1) {
      const leaf = ids[index]!;
      if (leaf === NO_LEAF) continue;
      assert(this.#leafIds[firstLeafIndex + index] === NO_LEAF, "a place has one leaf");
      this.#leafIds[firstLeafIndex + index] = leaf;
      this.#leaves.addReference(leaf);
    }
  }

  /** At open: a node of the checkpoint, which gains a reference; levels begin at 1. */
  setStoredNode(level: number, index: number, node: TreeNode): void {
    const nodes = this.#levels[level - 1];
    assert(nodes !== undefined && nodes[index] === null, "a place in the tree has one node");
    nodes[index] = node;
    node.references += 1;
  }
}

export function leafCountFor(extentCount: number): number {
  return Math.ceil(extentCount / LEAF_ENTRIES);
}

function emptyLevels(leafCount: number): Level[] {
  const levels: Level[] = [];
  let nodes = Math.ceil(leafCount / NODE_LEAVES);
  for (let level = 0; level < depthFor(leafCount); level += 1) {
    levels.push(Array.from({ length: nodes }, () => null));
    nodes = Math.ceil(nodes / NODE_POINTERS);
  }
  return levels;
}
