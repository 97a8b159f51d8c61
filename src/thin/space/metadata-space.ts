import { assert } from "../../util/assert.ts";

/** Where extents for metadata come from and go to. */
export interface MetadataExtents {
  /** Takes free extents for metadata: the first and how many; null where there are none. */
  take(): { first: number; run: number } | null;
  /** Marks an extent as metadata that is so from before; throws where it is in use for data. */
  adopt(phys: number): void;
  giveBack(phys: number): void;
}

/** What a block is. One that was freed waits until nothing can refer to it. */
const FREE = 0;
const USED = 1;
const FREED = 2;

class MetadataExtent {
  readonly phys: number;
  readonly blocks: Uint8Array;
  /** Blocks that are not free. */
  used = 0;
  isListed = false;
  /** Its neighbours in its list. */
  before: MetadataExtent | null = null;
  after: MetadataExtent | null = null;

  constructor(phys: number, blocks: Uint8Array) {
    this.phys = phys;
    this.blocks = blocks;
  }
}

/** Extents with equally many blocks in use, in the order in which they came to that. */
class ExtentList {
  first: MetadataExtent | null = null;
  #last: MetadataExtent | null = null;

  add(extent: MetadataExtent): void {
    extent.isListed = true;
    extent.before = this.#last;
    extent.after = null;
    if (this.#last === null) this.first = extent;
    else this.#last.after = extent;
    this.#last = extent;
  }

  remove(extent: MetadataExtent): void {
    extent.isListed = false;
    if (extent.before === null) this.first = extent.after;
    else extent.before.after = extent.after;
    if (extent.after === null) this.#last = extent.before;
    else extent.after.before = extent.before;
  }
}

/**
 * The blocks in which checkpoints lie. A block that generation g referred to last is free when generation g + 2 is durable:
 * recovery may fall back by one generation. Blocks are taken from the emptiest extents, so that they are written in long pieces.
 */
export class MetadataSpace {
  readonly #blocksPerExtent: number;
  readonly #extents: MetadataExtents;
  readonly #byPhys = new Map<number, MetadataExtent>();
  /** Extents with free blocks, by the number of those that are not, apart from the one that blocks are taken from. */
  readonly #open: readonly ExtentList[];
  #current: MetadataExtent | null = null;
  #freeBlocks = 0;
  /** Freed blocks, by the generation that referred to them last; */
  readonly #freed = new Map<number, number[]>();
  #freedBlocks = 0;
  /** and those that nothing can refer to any more, from `#dueFrom` on. */
  #due: number[] = [];
  #dueFrom = 0;

  constructor(blocksPerExtent: number, extents: MetadataExtents) {
    this.#blocksPerExtent = blocksPerExtent;
    this.#extents = extents;
    this.#open = Array.from({ length: blocksPerExtent }, () => new ExtentList());
  }

  get extentCount(): number {
    return this.#byPhys.size;
  }

  /** Blocks that are in use, those that wait for a generation included. */
  get usedBlocks(): number {
    let sum = 0;
    for (const { used } of this.#byPhys.values()) sum += used;
    return sum;
  }

  /** Blocks that can be taken without another extent. */
  get freeBlocks(): number {
    return this.#freeBlocks;
  }

  /** Blocks that nothing refers to any more once further checkpoints are durable. */
  get blocksToCome(): number {
    return this.#freedBlocks;
  }

  /** Whether {@link release} would do something. */
  get isDue(): boolean {
    return this.#dueFrom < this.#due.length;
  }

  isMetadata(phys: number): boolean {
    return this.#byPhys.has(phys);
  }

  extents(): IterableIterator<number> {
    return this.#byPhys.keys();
  }

  /** A free block, or 0 where the pool has none. Blocks come in ascending order within an extent. */
  take(): number {
    this.#current ??= this.#takeExtent();
    const extent = this.#current;
    if (extent === null) return 0;
    // Block 0 of extent 0 means "none" in a pointer.
    const index = extent.blocks.indexOf(FREE, extent.phys === 0 ? 1 : 0);
    assert(index >= 0, "an open extent has a free block");
    this.#use(extent, index);
    if (!this.#hasFree(extent)) this.#current = null;
    return extent.phys * this.#blocksPerExtent + index;
  }

  /** A block that the pool's checkpoint refers to, found at open; may be said again. */
  adopt(block: number): void {
    const phys = Math.floor(block / this.#blocksPerExtent);
    let extent = this.#byPhys.get(phys);
    if (extent === undefined) {
      this.#extents.adopt(phys);
      extent = this.#addExtent(phys);
    }
    const index = block % this.#blocksPerExtent;
    if (extent.blocks[index] !== FREE) return;
    this.#unlist(extent);
    this.#use(extent, index);
    this.#list(extent);
  }

  /** The block is not referred to after `generation`. */
  free(block: number, generation: number): void {
    const extent = this.#byPhys.get(Math.floor(block / this.#blocksPerExtent));
    const index = block % this.#blocksPerExtent;
    assert(extent !== undefined && extent.blocks[index] !== FREE, "a metadata block is in use");
    assert(extent.blocks[index] === USED, "a metadata block is freed once");
    extent.blocks[index] = FREED;
    this.#freedBlocks += 1;
    const others = this.#freed.get(generation);
    if (others === undefined) this.#freed.set(generation, [block]);
    else others.push(block);
  }

  /** From now on {@link release} frees what only older generations refer to. Extents that were taken and not used are given back. */
  durable(generation: number): void {
    for (const [last, blocks] of this.#freed) {
      if (last + 2 > generation) continue;
      this.#freed.delete(last);
      this.#freedBlocks -= blocks.length;
      this.#due = this.isDue ? [...this.#due.slice(this.#dueFrom), ...blocks] : blocks;
      this.#dueFrom = 0;
    }
    const unused = this.#open[0];
    while (unused !== undefined && unused.first !== null) this.#giveBack(unused.first);
  }

  /** Frees so many blocks at the most, and extents without a block in use for data; returns how many blocks it were. */
  release(blocksMax: number): number {
    const count = Math.min(blocksMax, this.#due.length - this.#dueFrom);
    const end = this.#dueFrom + count;
    for (let at = this.#dueFrom; at < end; at += 1) this.#release(this.#due[at]!);
    this.#dueFrom = end;
    if (!this.isDue) this.#due = [];
    return count;
  }

  #release(block: number): void {
    const extent = this.#byPhys.get(Math.floor(block / this.#blocksPerExtent))!;
    this.#unlist(extent);
    extent.blocks[block % this.#blocksPerExtent] = FREE;
    extent.used -= 1;
    this.#freeBlocks += 1;
    if (extent.used === 0) this.#giveBack(extent);
    else this.#list(extent);
  }

  #addExtent(phys: number): MetadataExtent {
    const extent = new MetadataExtent(phys, new Uint8Array(this.#blocksPerExtent));
    this.#byPhys.set(phys, extent);
    this.#freeBlocks += this.#usable(phys);
    this.#list(extent);
    return extent;
  }

  #giveBack(extent: MetadataExtent): void {
    this.#unlist(extent);
    if (extent === this.#current) this.#current = null;
    this.#byPhys.delete(extent.phys);
    this.#freeBlocks -= this.#usable(extent.phys);
    this.#extents.giveBack(extent.phys);
  }

  /** The emptiest one, or one that the pool has for it. */
  #takeExtent(): MetadataExtent | null {
    if (!this.#hasOpen() && !this.#takeRun()) {
      // The pool has none: then what is due comes at once, in extents of its own, or in some that it gives back whole.
      this.release(this.#due.length);
      if (!this.#hasOpen()) this.#takeRun();
    }
    const extent = this.#open.find(({ first }) => first !== null)?.first ?? null;
    if (extent !== null) this.#unlist(extent);
    return extent;
  }

  #hasOpen(): boolean {
    return this.#open.some(({ first }) => first !== null);
  }

  /** False where the pool has no extents for it. */
  #takeRun(): boolean {
    const run = this.#extents.take();
    if (run === null) return false;
    for (let index = 0; index < run.run; index += 1) this.#addExtent(run.first + index);
    return true;
  }

  #list(extent: MetadataExtent): void {
    if (extent !== this.#current && this.#hasFree(extent)) this.#open[extent.used]!.add(extent);
  }

  #unlist(extent: MetadataExtent): void {
    if (extent.isListed) this.#open[extent.used]!.remove(extent);
  }

  #use(extent: MetadataExtent, index: number): void {
    extent.blocks[index] = USED;
    extent.used += 1;
    this.#freeBlocks -= 1;
  }

  #hasFree({ phys, used }: MetadataExtent): boolean {
    return used < this.#usable(phys);
  }

  #usable(phys: number): number {
    return this.#blocksPerExtent - (phys === 0 ? 1 : 0);
  }
}
