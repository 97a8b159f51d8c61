import { assert } from "../../util/assert.ts";

/** Where extents for metadata come from and go to. */
export interface MetadataExtents {
  /** Takes free extents for metadata: the first and how many; null where there are none. */
  take(): { first: number; run: number } | null;
  /** Marks an extent as metadata that is so from before; throws where it is in use for data. */
  adopt(phys: number): void;
  giveBack(phys: number): void;
}

interface MetadataExtent {
  /** One byte for each block: 1 while something refers to it, or may after a crash. */
  readonly used: Uint8Array;
  usedCount: number;
}

/**
 * The blocks in which checkpoints lie. A block that generation g referred to last is free when generation g + 2 is durable:
 * recovery may fall back by one generation.
 */
export class MetadataSpace {
  readonly #blocksPerExtent: number;
  readonly #extents: MetadataExtents;
  readonly #byPhys = new Map<number, MetadataExtent>();
  /** Extents with a free block, and the one that blocks are taken from. */
  readonly #open = new Set<number>();
  #freeBlocks = 0;
  #freeing: { block: number; generation: number }[] = [];
  readonly #isFreeing = new Set<number>();

  constructor(blocksPerExtent: number, extents: MetadataExtents) {
    this.#blocksPerExtent = blocksPerExtent;
    this.#extents = extents;
  }

  get extentCount(): number {
    return this.#byPhys.size;
  }

  /** Blocks that are in use, those that wait for a generation included. */
  get usedBlocks(): number {
    let sum = 0;
    for (const { usedCount } of this.#byPhys.values()) sum += usedCount;
    return sum;
  }

  /** Blocks that can be taken without another extent. */
  get freeBlocks(): number {
    return this.#freeBlocks;
  }

  /** Blocks that nothing refers to any more once further checkpoints are durable. */
  get blocksToCome(): number {
    return this.#freeing.length;
  }

  isMetadata(phys: number): boolean {
    return this.#byPhys.has(phys);
  }

  extents(): IterableIterator<number> {
    return this.#byPhys.keys();
  }

  /** A free block, or 0 where the pool has none. Blocks come in ascending order within an extent. */
  take(): number {
    for (;;) {
      const [phys] = this.#open;
      if (phys !== undefined) return this.#takeFrom(phys);
      const run = this.#extents.take();
      if (run === null) return 0;
      for (let index = 0; index < run.run; index += 1) this.#addExtent(run.first + index);
    }
  }

  /** A block that the pool's checkpoint refers to, found at open; may be said again. */
  adopt(block: number): void {
    const phys = Math.floor(block / this.#blocksPerExtent);
    if (!this.#byPhys.has(phys)) {
      this.#extents.adopt(phys);
      this.#addExtent(phys);
    }
    const extent = this.#byPhys.get(phys)!;
    const index = block % this.#blocksPerExtent;
    if (extent.used[index] === 0) this.#use(phys, extent, index);
  }

  /** The block is not referred to after `generation`. */
  free(block: number, generation: number): void {
    const extent = this.#byPhys.get(Math.floor(block / this.#blocksPerExtent));
    assert(extent?.used[block % this.#blocksPerExtent] === 1, "a metadata block is in use");
    assert(!this.#isFreeing.has(block), "a metadata block is freed once");
    this.#isFreeing.add(block);
    this.#freeing.push({ block, generation });
  }

  /** Frees what nothing can refer to any more now; extents without a block in use become free for data. */
  durable(generation: number): void {
    const kept: { block: number; generation: number }[] = [];
    for (const freeing of this.#freeing) {
      if (freeing.generation + 2 > generation) kept.push(freeing);
      else this.#freeNow(freeing.block);
    }
    this.#freeing = kept;
    for (const [phys, extent] of this.#byPhys) {
      if (extent.usedCount > 0) continue;
      this.#byPhys.delete(phys);
      this.#open.delete(phys);
      this.#freeBlocks -= this.#usable(phys);
      this.#extents.giveBack(phys);
    }
  }

  #freeNow(block: number): void {
    const phys = Math.floor(block / this.#blocksPerExtent);
    const extent = this.#byPhys.get(phys)!;
    extent.used[block % this.#blocksPerExtent] = 0;
    extent.usedCount -= 1;
    this.#freeBlocks += 1;
    this.#isFreeing.delete(block);
    this.#open.add(phys);
  }

  #addExtent(phys: number): void {
    this.#byPhys.set(phys, { used: new Uint8Array(this.#blocksPerExtent), usedCount: 0 });
    this.#open.add(phys);
    this.#freeBlocks += this.#usable(phys);
  }

  #takeFrom(phys: number): number {
    const extent = this.#byPhys.get(phys)!;
    // Block 0 of extent 0 means "none" in a pointer.
    const index = extent.used.indexOf(0, phys === 0 ? 1 : 0);
    assert(index >= 0, "an open extent has a free block");
    this.#use(phys, extent, index);
    return phys * this.#blocksPerExtent + index;
  }

  #use(phys: number, extent: MetadataExtent, index: number): void {
    extent.used[index] = 1;
    extent.usedCount += 1;
    this.#freeBlocks -= 1;
    if (extent.usedCount === this.#usable(phys)) this.#open.delete(phys);
  }

  #usable(phys: number): number {
    return this.#blocksPerExtent - (phys === 0 ? 1 : 0);
  }
}
