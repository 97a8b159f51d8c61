import { assert } from "../../util/assert.ts";
import {
  LEAF_POINTERS_BYTES,
  NODE_LEAVES,
  NODE_POINTERS,
  PAGE_HEADER_BYTES,
} from "../format/layout.ts";
import type { PagePointer } from "../format/pointer.ts";
import type { VolumeAttributes } from "../format/records.ts";
import type { CapturedLeaf } from "./captured-leaf.ts";
import { CapturedNode } from "./captured-node.ts";
import type { LeafStore } from "./leaf-store.ts";
import { NO_LEAF } from "./leaf-store.ts";
import type { PoolState } from "./pool-state.ts";
import type { Retire, TreeNode } from "./tree-node.ts";
import type { VolumeMap } from "./volume-map.ts";

/** A volume as the checkpoint will have it. */
export interface CapturedVolume {
  readonly attributes: VolumeAttributes;
  readonly mappedExtents: number;
  readonly depth: number;
  /** The root's place, null for a volume that maps nothing; all nodes have to be written before. */
  readonly root: () => PagePointer | null;
}

export interface CapturedMaps {
  /** To be written first, in any order. */
  readonly leaves: readonly CapturedLeaf[];
  /** To be written then, in this order: those of level 1 first. */
  readonly nodes: readonly CapturedNode[];
  readonly volumes: readonly CapturedVolume[];
}

/**
 * Takes the maps for checkpoint `generation` in one step: all that changed since the last capture, and where the rest is. Each leaf and
 * node is told its new place by `written`, which frees the old one.
 */
export function captureMaps(state: PoolState, generation: number): CapturedMaps {
  assert(generation > state.space.generation, "generations ascend");
  state.space.generation = generation;
  const leaves = state.leaves.capture();
  const nodes: CapturedNode[] = [];
  for (const { id, map } of state.volumes.values()) {
    // Whatever changes a node changes all above it, and volumes that share a root share what is below.
    if (map.root?.isDirty === true) captureNodes(state.leaves, id, map, nodes);
  }
  assert(nodes.length === state.leaves.dirtyNodes, "all nodes that changed are captured");
  nodes.sort((a, b) => a.level - b.level);
  const volumes = [...state.volumes.values()].map(({ attributes, mappedExtents, map }) => {
    const capture = map.root?.capture ?? null;
    const place = map.root?.place ?? null;
    const root = (): PagePointer | null => (capture === null ? place : capture.pointer);
    return { attributes, mappedExtents, depth: map.depth, root };
  });
  return { leaves, nodes, volumes };
}

function captureNodes(
  leaves: LeafStore,
  volume: number,
  map: VolumeMap,
  nodes: CapturedNode[],
): void {
  const written = (): void => void (leaves.dirtyNodes -= 1);
  const retire: Retire = (pointer, isCurrent) => leaves.retire(pointer, isCurrent);
  for (const [below, level] of map.levels.entries()) {
    for (const [index, node] of level.entries()) {
      if (node?.isDirty !== true) continue;
      const capture = new CapturedNode(node, { level: below + 1, index, volume }, retire);
      const under = map.levels[below - 1];
      if (under === undefined) addLeaves(capture, leaves, map);
      else addNodes(capture, under);
      node.isDirty = false;
      node.capture = capture;
      capture.onWritten = written;
      nodes.push(capture);
    }
  }
}

function addLeaves(node: CapturedNode, leaves: LeafStore, map: VolumeMap): void {
  const first = node.index * NODE_LEAVES;
  const end = Math.min(first + NODE_LEAVES, map.leafCount);
  for (let leafIndex = first; leafIndex < end; leafIndex += 1) {
    const leaf = map.leaf(leafIndex);
    if (leaf === NO_LEAF) continue;
    const slot = leafIndex - first;
    const capture = leaves.captureOf(leaf);
    if (capture === undefined) {
      leaves.putPointers(leaf, node.words, (PAGE_HEADER_BYTES + slot * LEAF_POINTERS_BYTES) / 4);
      continue;
    }
    capture.volume = node.volume;
    capture.index = leafIndex;
    node.addLeaf(slot, capture);
  }
}

function addNodes(node: CapturedNode, level: readonly (TreeNode | null)[]): void {
  const first = node.index * NODE_POINTERS;
  const end = Math.min(first + NODE_POINTERS, level.length);
  for (let index = first; index < end; index += 1) {
    const below = level[index] ?? null;
    if (below === null) continue;
    const child = below.capture ?? below.place;
    assert(child !== null, "a node is on the media or being written");
    node.addNode(index - first, child);
  }
}
