import { depthFor, LEAF_ENTRIES, leavesUnder } from "../format/layout.ts";
import { NO_POINTER } from "../format/pointer.ts";
import { LEAF_SLOTS_MAX } from "../limits.ts";
import type { Findings } from "./findings.ts";
import type { PoolTree } from "./pool-tree.ts";

/** Leaves that a volume of this size has. */
export function leafCountOf(sizeBytes: number, extentBytes: number): number {
  return Math.ceil(Math.ceil(sizeBytes / extentBytes) / LEAF_ENTRIES);
}

/** Names and ids that must differ, and what each volume says of its map. `mappedOfLeaf` is by the leaf's number. */
export function checkVolumes(tree: PoolTree, mappedOfLeaf: Uint32Array, findings: Findings): void {
  const { root, volumes, superblock } = tree;
  if (root.volumeCount !== volumes.length) {
    findings.error(`${volumes.length} volumes are there, the root says ${root.volumeCount}`);
  }
  const seen = new Set<string | number>();
  const subtrees = new Subtrees(tree, mappedOfLeaf);
  let leafSlots = 0;
  for (const { attributes, depth, mappedExtents, root: top } of volumes) {
    const { id, name, uuid, sizeBytes } = attributes;
    for (const key of [id, `name ${name}`, uuid]) {
      if (seen.has(key)) findings.error(`two volumes are called ${key}`);
      seen.add(key);
    }
    if (id >= root.nextVolumeId) findings.error(`volume "${name}" has an id of the future, ${id}`);
    const leafCount = leafCountOf(sizeBytes, superblock.extentBytes);
    leafSlots += leafCount;
    if (depth !== depthFor(leafCount)) {
      findings.error(`volume "${name}" has a tree of ${depth} levels, which its size rules out`);
    }
    const { mapped, end } = top === NO_POINTER ? NOTHING : subtrees.under(top.block, depth);
    if (end > leafCount) findings.error(`volume "${name}" has a map that goes on past its end`);
    if (mapped === mappedExtents) continue;
    findings.error(`volume "${name}" maps ${mapped} extents, its record says ${mappedExtents}`);
  }
  if (leafSlots > LEAF_SLOTS_MAX) findings.error("the volumes are larger than their maps may be");
}

/** What is under a node. */
interface Subtree {
  readonly mapped: number;
  /** The number behind that of the last leaf; where a node has none, that of the first that it could have. */
  readonly end: number;
}

const NOTHING: Subtree = { mapped: 0, end: 0 };

/** Looks at each node once, however many volumes have it. The recursion is as deep as a tree can be. */
class Subtrees {
  readonly #tree: PoolTree;
  readonly #mappedOfLeaf: Uint32Array;
  readonly #known = new Map<number, Subtree>();

  constructor(tree: PoolTree, mappedOfLeaf: Uint32Array) {
    this.#tree = tree;
    this.#mappedOfLeaf = mappedOfLeaf;
  }

  /** A block without a whole node of this level has nothing: that is noted elsewhere. Without the level, a node could be its own child. */
  under(block: number, level: number): Subtree {
    const node = this.#tree.nodes.get(block);
    if (node?.level !== level) return NOTHING;
    const known = this.#known.get(block);
    if (known !== undefined) return known;
    let mapped = 0;
    let end = node.index * leavesUnder(level) + 1;
    for (const child of node.children) {
      if (child < 0) continue;
      const below = level === 1 ? this.#leaf(child) : this.under(child, level - 1);
      mapped += below.mapped;
      end = Math.max(end, below.end);
    }
    const subtree = { mapped, end };
    this.#known.set(block, subtree);
    return subtree;
  }

  #leaf(number: number): Subtree {
    const end = (this.#tree.leaves[number]?.index ?? -1) + 1;
    return { mapped: this.#mappedOfLeaf[number] ?? 0, end };
  }
}
