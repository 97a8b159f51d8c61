import { assert } from "../../util/assert.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { setChild, setLeafChild } from "../format/node.ts";
import type { PagePointer } from "../format/pointer.ts";
import type { CapturedLeaf } from "./captured-leaf.ts";
import type { Retire, TreeNode } from "./tree-node.ts";

/** A node as it was at one moment, to be written after what is below it. */
export class CapturedNode {
  readonly level: number;
  readonly index: number;
  /** One of the volumes that have it. */
  readonly volume: number;
  pointer: PagePointer | null = null;
  onWritten: () => void = () => undefined;
  /**
   * Its page, with what was in place already. Nothing is kept for that but its words: a node has many children, and few of them
   * change.
   */
  readonly words: Uint32Array = new Uint32Array(BLOCK_BYTES / 4);
  readonly #page = new Uint8Array(this.words.buffer);
  /** Children that are written in this capture, and their places in the node. */
  readonly #leaves: CapturedLeaf[] = [];
  readonly #nodes: CapturedNode[] = [];
  readonly #slots: number[] = [];
  readonly #node: TreeNode;
  readonly #retire: Retire;

  constructor(
    node: TreeNode,
    place: { readonly level: number; readonly index: number; readonly volume: number },
    retire: Retire,
  ) {
    this.#node = node;
    this.level = place.level;
    this.index = place.index;
    this.volume = place.volume;
    this.#retire = retire;
  }

  /** Of level 1; what is not captured is put into the words. */
  addLeaf(slot: number, child: CapturedLeaf): void {
    this.#leaves.push(child);
    this.#slots.push(slot);
  }

  /** Of levels above. */
  addNode(slot: number, child: CapturedNode | PagePointer): void {
    if ("level" in child) {
      this.#nodes.push(child);
      this.#slots.push(slot);
    } else setChild(this.#page, slot, child);
  }

  /** The node's page, but for its header. All that is below it has to be written before. */
  page(): Uint8Array {
    const message = "what is below a node is written before it";
    for (const [index, { pointers }] of this.#leaves.entries()) {
      assert(pointers !== null, message);
      setLeafChild(this.#page, this.#slots[index]!, pointers);
    }
    for (const [index, { pointer }] of this.#nodes.entries()) {
      assert(pointer !== null, message);
      setChild(this.#page, this.#slots[index]!, pointer);
    }
    return this.#page;
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
