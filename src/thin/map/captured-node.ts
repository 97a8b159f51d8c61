import { assert } from "../../util/assert.ts";
import type { LeafPointers, PagePointer } from "../format/pointer.ts";
import type { CapturedLeaf } from "./captured-leaf.ts";
import type { Retire, TreeNode } from "./tree-node.ts";

/** What was below a node: written in this capture, or in place already. */
export type LeafChild = CapturedLeaf | LeafPointers | null;
export type NodeChild = CapturedNode | PagePointer | null;

/** A node as it was at one moment, to be written after what is below it. */
export class CapturedNode {
  readonly level: number;
  readonly index: number;
  /** One of the volumes that have it. */
  readonly volume: number;
  pointer: PagePointer | null = null;
  onWritten: () => void = () => undefined;
  /** Of level 1: one for each of its leaves. Otherwise empty. */
  readonly #leaves: readonly LeafChild[];
  /** Of levels above. */
  readonly #nodes: readonly NodeChild[];
  readonly #node: TreeNode;
  readonly #retire: Retire;

  constructor(
    node: TreeNode,
    place: { readonly level: number; readonly index: number; readonly volume: number },
    children: { readonly leaves: readonly LeafChild[]; readonly nodes: readonly NodeChild[] },
    retire: Retire,
  ) {
    this.#node = node;
    this.level = place.level;
    this.index = place.index;
    this.volume = place.volume;
    this.#leaves = children.leaves;
    this.#nodes = children.nodes;
    this.#retire = retire;
  }

  /** Of level 1: where its leaves are, null for holes. All captured leaves have to be written before. */
  leafPointers(): (LeafPointers | null)[] {
    return this.#leaves.map((child) => {
      if (child === null || !("page" in child)) return child;
      assert(child.pointers !== null, "leaves are written before the nodes above them");
      return child.pointers;
    });
  }

  /** Of level 2 and up: where its children are, null for holes. They have to be written before. */
  nodePointers(): (PagePointer | null)[] {
    return this.#nodes.map((child) => {
      if (child === null || !("level" in child)) return child;
      assert(child.pointer !== null, "nodes are written before the nodes above them");
      return child.pointer;
    });
  }

  /** It is on the device, though not flushed, at this place. The node's old place is freed: call nothing else for it. */
  written(pointer: PagePointer): void {
    assert(this.pointer === null, "a captured node is written once");
    this.pointer = pointer;
    this.onWritten();
    const node = this.#node;
    node.capture = null;
    if (node.references === 0) {
      this.#retire(pointer, true);
      return;
    }
    if (node.place !== null) this.#retire(node.place, false);
    node.place = pointer;
  }
}
