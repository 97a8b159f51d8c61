import { assert } from "../../util/assert.ts";

/** References that a record has taken away, each with the record's number, in the order of the journal (rule Q). */
const LEAF_FLAG = 0x8000_0000;
const START_ITEMS = 1024;

export class Quarantine {
  /** A ring: an extent, or a leaf with the flag. */
  #items = new Uint32Array(START_ITEMS);
  #seqs = new Float64Array(START_ITEMS);
  #first = 0;
  #length = 0;
  #extents = 0;
  #lastSeq = 0;

  get length(): number {
    return this.#length;
  }

  /** How many of them are references to extents. */
  get extents(): number {
    return this.#extents;
  }

  get bytes(): number {
    return this.#items.byteLength + this.#seqs.byteLength;
  }

  addExtent(phys: number, seq: number): void {
    this.#add(phys, seq);
    this.#extents += 1;
  }

  addLeaf(leaf: number, seq: number): void {
    this.#add((leaf | LEAF_FLAG) >>> 0, seq);
  }

  /** Leaves that one record takes from a map, holes among them: at once, for a volume may have very many. */
  addLeaves(leaves: Uint32Array, seq: number): void {
    assert(seq >= this.#lastSeq, "records are carried out in their order");
    this.#lastSeq = seq;
    while (this.#length + leaves.length > this.#items.length) this.#resize();
    const items = this.#items;
    const seqs = this.#seqs;
    const mask = items.length - 1;
    let at = this.#first + this.#length;
    for (let index = 0; index < leaves.length; index += 1) {
      const leaf = leaves[index]!;
      if (leaf === 0) continue;
      items[at & mask] = (leaf | LEAF_FLAG) >>> 0;
      seqs[at & mask] = seq;
      at += 1;
    }
    this.#length = at - this.#first;
  }

  /** Whether the oldest one is durable. */
  isDue(durableSeq: number): boolean {
    return this.#length > 0 && this.#seqs[this.#first]! <= durableSeq;
  }

  /** Whether the oldest one is a leaf's, to be asked before {@link shift}. */
  get isLeaf(): boolean {
    return this.#items[this.#first]! >= LEAF_FLAG;
  }

  /** Takes the oldest one: the extent or the leaf. */
  shift(): number {
    assert(this.#length > 0, "something is in quarantine");
    const item = this.#items[this.#first]!;
    this.#first = (this.#first + 1) & (this.#items.length - 1);
    this.#length -= 1;
    if (item >= LEAF_FLAG) return item - LEAF_FLAG;
    this.#extents -= 1;
    return item;
  }

  forEach(callback: (item: number, isLeaf: boolean) => void): void {
    for (let index = 0; index < this.#length; index += 1) {
      const item = this.#items[(this.#first + index) & (this.#items.length - 1)]!;
      if (item >= LEAF_FLAG) callback(item - LEAF_FLAG, true);
      else callback(item, false);
    }
  }

  #add(item: number, seq: number): void {
    assert(seq >= this.#lastSeq, "records are carried out in their order");
    this.#lastSeq = seq;
    if (this.#length === this.#items.length) this.#resize();
    const last = (this.#first + this.#length) & (this.#items.length - 1);
    this.#items[last] = item;
    this.#seqs[last] = seq;
    this.#length += 1;
  }

  #resize(): void {
    const before = this.#items.length;
    const items = new Uint32Array(2 * before);
    const seqs = new Float64Array(2 * before);
    items.set(this.#items.subarray(this.#first));
    items.set(this.#items.subarray(0, this.#first), before - this.#first);
    seqs.set(this.#seqs.subarray(this.#first));
    seqs.set(this.#seqs.subarray(0, this.#first), before - this.#first);
    this.#items = items;
    this.#seqs = seqs;
    this.#first = 0;
  }
}
