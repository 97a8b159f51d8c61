import { assert } from "../../util/assert.ts";
import { type LeafPointers, NO_POINTER } from "../format/pointer.ts";

const START_CAPACITY = 256;

export const NO_PAGE = -1;

/** Bits of a leaf's flags. */
export const LEAF_EXISTS = 1;
/** It was changed since it was stored or captured last. */
export const LEAF_DIRTY = 2;
/** A capture in flight uses its pages. */
export const LEAF_CAPTURED = 4;
/** It was used since the clock's hand passed. */
export const LEAF_USED = 8;

/** What is known of each leaf besides its pages: one typed array for each property, by the leaf's id; ids begin at 1. */
export class LeafTable {
  flags: Uint8Array = new Uint8Array(START_CAPACITY);
  references: Uint32Array = new Uint32Array(START_CAPACITY);
  pins: Uint32Array = new Uint32Array(START_CAPACITY);
  /** Pages in memory, or NO_PAGE. */
  page: Int32Array = new Int32Array(START_CAPACITY);
  bases: Int32Array = new Int32Array(START_CAPACITY);
  masks: Int32Array = new Int32Array(START_CAPACITY);
  /** Entries that map something, and how many of those are PARTIAL. Kept while the pages are not in memory, once they were. */
  mapped: Uint16Array = new Uint16Array(START_CAPACITY);
  partials: Uint16Array = new Uint16Array(START_CAPACITY);
  /** Places on the media; block 0: none. */
  leafBlock: Float64Array = new Float64Array(START_CAPACITY);
  basesBlock: Float64Array = new Float64Array(START_CAPACITY);
  masksBlock: Float64Array = new Float64Array(START_CAPACITY);
  leafCrc: Uint32Array = new Uint32Array(START_CAPACITY);
  basesCrc: Uint32Array = new Uint32Array(START_CAPACITY);
  masksCrc: Uint32Array = new Uint32Array(START_CAPACITY);
  readonly #free: number[] = [];
  #end = 1;

  /** One past the highest id that was given. */
  get end(): number {
    return this.#end;
  }

  get count(): number {
    return this.#end - 1 - this.#free.length;
  }

  get bytes(): number {
    // 1 of flags, 2 x 4 of counts, 3 x 4 of pages, 2 x 2 of counters, 3 x 12 of places.
    return this.flags.length * 61;
  }

  take(): number {
    const reused = this.#free.pop();
    const leaf = reused ?? this.#end;
    if (reused === undefined) {
      this.#end += 1;
      if (leaf >= this.flags.length) this.#grow();
    }
    this.flags[leaf] = LEAF_EXISTS;
    this.references[leaf] = 0;
    this.pins[leaf] = 0;
    this.page[leaf] = NO_PAGE;
    this.bases[leaf] = NO_PAGE;
    this.masks[leaf] = NO_PAGE;
    this.mapped[leaf] = 0;
    this.partials[leaf] = 0;
    this.leafBlock[leaf] = 0;
    this.basesBlock[leaf] = 0;
    this.masksBlock[leaf] = 0;
    return leaf;
  }

  give(leaf: number): void {
    assert(this.exists(leaf), "a leaf is forgotten once");
    this.flags[leaf] = 0;
    this.#free.push(leaf);
  }

  exists(leaf: number): boolean {
    return leaf > 0 && leaf < this.#end && (this.flags[leaf]! & LEAF_EXISTS) !== 0;
  }

  /** Where the leaf was written last; null where it never was. */
  places(leaf: number): LeafPointers | null {
    const block = this.leafBlock[leaf]!;
    if (block === NO_POINTER.block) return null;
    const bases = this.basesBlock[leaf]!;
    const masks = this.masksBlock[leaf]!;
    return {
      leaf: { block, crc: this.leafCrc[leaf]! },
      bases: bases === NO_POINTER.block ? null : { block: bases, crc: this.basesCrc[leaf]! },
      masks: masks === NO_POINTER.block ? null : { block: masks, crc: this.masksCrc[leaf]! },
    };
  }

  setPlaces(leaf: number, { leaf: main, bases, masks }: LeafPointers): void {
    this.leafBlock[leaf] = main.block;
    this.leafCrc[leaf] = main.crc;
    this.basesBlock[leaf] = bases?.block ?? NO_POINTER.block;
    this.basesCrc[leaf] = bases?.crc ?? 0;
    this.masksBlock[leaf] = masks?.block ?? NO_POINTER.block;
    this.masksCrc[leaf] = masks?.crc ?? 0;
  }

  #grow(): void {
    // By half: at 1 TiB, doubling could waste a megabyte.
    const capacity = Math.ceil(this.flags.length * 1.5);
    this.flags = copied(new Uint8Array(capacity), this.flags);
    this.references = copied(new Uint32Array(capacity), this.references);
    this.pins = copied(new Uint32Array(capacity), this.pins);
    this.page = copied(new Int32Array(capacity), this.page);
    this.bases = copied(new Int32Array(capacity), this.bases);
    this.masks = copied(new Int32Array(capacity), this.masks);
    this.mapped = copied(new Uint16Array(capacity), this.mapped);
    this.partials = copied(new Uint16Array(capacity), this.partials);
    this.leafBlock = copied(new Float64Array(capacity), this.leafBlock);
    this.basesBlock = copied(new Float64Array(capacity), this.basesBlock);
    this.masksBlock = copied(new Float64Array(capacity), this.masksBlock);
    this.leafCrc = copied(new Uint32Array(capacity), this.leafCrc);
    this.basesCrc = copied(new Uint32Array(capacity), this.basesCrc);
    this.masksCrc = copied(new Uint32Array(capacity), this.masksCrc);
  }
}

function copied<Column extends { set(before: Column): void }>(
  after: Column,
  before: Column,
): Column {
  after.set(before);
  return after;
}
