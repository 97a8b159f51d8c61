import { assert } from "../../util/assert.ts";
import { NODE_LEAVES, NODE_POINTERS } from "../format/layout.ts";
import type { PagePointer } from "../format/pointer.ts";
import type { VolumeAttributes } from "../format/records.ts";
import type { CapturedLeaf } from "./captured-leaf.ts";
import type { LeafChild, NodeChild } from "./captured-node.ts";
import { CapturedNode } from "./captured-node.ts";
import type { LeafStore } from "./leaf-store.ts";
import { NO_LEAF } from "./leaf-store.ts";
import type { PoolState } from "./pool-state.ts";
import type { TreeNode } from "./tree-node.ts";
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
    const root = nodeChild(map.root);
    return {
      attributes,
      mappedExtents,
      depth: map.depth,
      root: () => (root instanceof CapturedNode ? root.pointer : root),
    };
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
  for (const [below, level] of map.levels.entries()) {
    for (const [index, node] of level.entries()) {
      if (node?.isDirty !== true) continue;
      const place = { level: below + 1, index, volume };
      const children = {
        leaves: below === 0 ? leafChildren(leaves, map, place) : [],
        nodes: below === 0 ? [] : nodeChildren(map.levels[below - 1]!, index),
      };
      node.isDirty = false;
      node.capture = new CapturedNode(node, place, children, (pointer, isCurrent) =>
        leaves.retire(pointer, isCurrent),
      );
      node.capture.onWritten = written;
      nodes.push(node.capture);
    }
  }
}

function leafChildren(
  leaves: LeafStore,
  map: VolumeMap,
  { index, volume }: { readonly index: number; readonly volume: number },
): LeafChild[] {
  const first = index * NODE_LEAVES;
  const end = Math.min(first + NODE_LEAVES, map.leafCount);
  const children: LeafChild[] = [];
  for (let leafIndex = first; leafIndex < end; leafIndex += 1) {
    const leaf = map.leaf(leafIndex);
    const capture = leaf === NO_LEAF ? undefined : leaves.captureOf(leaf);
    if (capture !== undefined) {
      capture.volume = volume;
      capture.index = leafIndex;
    }
    const child = leaf === NO_LEAF ? null : (capture ?? leaves.pointers(leaf));
    assert(leaf === NO_LEAF || child !== null, "a leaf is on the media or being written");
    children.push(child);
  }
  return children;
}

function nodeChildren(level: readonly (TreeNode | null)[], index: number): NodeChild[] {
  const first = index * NODE_POINTERS;
  return level.slice(first, first + NODE_POINTERS).map((node) => nodeChild(node));
}

function nodeChild(node: TreeNode | null): NodeChild {
  return node === null ? null : (node.capture ?? node.place);
}
