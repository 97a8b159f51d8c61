import { assert } from "../../util/assert.ts";
import { IoError } from "../../util/io-error.ts";
import { BLOCK_BYTES, NO_EXTENT } from "../format/geometry.ts";
import { PAGE_HEADER_BYTES, PARTIAL_FLAG, POINTER_BYTES } from "../format/layout.ts";
import { PageKind } from "../format/page.ts";
import { NO_POINTER, setPlace } from "../format/pointer.ts";
import type { LeafPointers, PagePointer } from "../format/pointer.ts";
import { CapturedLeaf } from "./captured-leaf.ts";
import { isPartial } from "./entry.ts";
import type { LeafCounts, LeafWords } from "./leaf-check.ts";
import { checkLeaf } from "./leaf-check.ts";
import type { LeafStoreOptions, PageToRead } from "./leaf-store-options.ts";
import {
  LEAF_CAPTURED,
  LEAF_DIRTY,
  LEAF_EXISTS,
  LEAF_USED,
  LeafTable,
  NO_PAGE,
} from "./leaf-table.ts";
import { PAGE_SHIFT, PageSlabs, SLAB_MASK, SLAB_SHIFT } from "./page-slabs.ts";

export type { LeafPointers } from "../format/pointer.ts";
export type { LeafPages } from "./captured-leaf.ts";
export type { LeafReader, LeafStoreOptions } from "./leaf-store-options.ts";
export { CapturedLeaf } from "./captured-leaf.ts";

/** The id of no leaf. */
export const NO_LEAF = 0;

const HEADER_WORDS: number = PAGE_HEADER_BYTES / 4;
const POINTER_WORDS: number = POINTER_BYTES / 4;

/** Leaves that the clock's hand looks at for one page: the limit is soft, a command's time is not. */
const CLOCK_STEPS_MAX = 512;

interface Load {
  /** Of several leaves: resolves when all were read or are found to need a read of their own. */
  readonly isShared: boolean;
  promise: Promise<void>;
}

/**
 * All leaves of all volumes: the pages in memory, and the places on the media. Volumes share leaves by their ids.
 * Clean leaves that nobody has pinned are given up when memory is short: who waits for a {@link load} pins the leaf before.
 */
export class LeafStore {
  /** Called when a leaf's last pin is gone. */
  onUnpinned: (leaf: number) => void = () => undefined;
  /** Called with a place that the leaf has no more; `isCurrent`: the newest generation refers to it. */
  retire: (pointer: PagePointer, isCurrent: boolean) => void = () => undefined;
  /** Nodes above leaves that a checkpoint would have to write: kept by the maps. */
  dirtyNodes = 0;
  readonly #options: LeafStoreOptions;
  readonly #slabs = new PageSlabs();
  readonly #pages: Uint32Array[] = this.#slabs.slabs;
  readonly #table = new LeafTable();
  readonly #loads = new Map<number, Load>();
  readonly #captures = new Map<number, CapturedLeaf>();
  #hand = 1;
  #dirtyPages = 0;

  constructor(options: LeafStoreOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#table.count;
  }

  /** One past the highest id in use. */
  get end(): number {
    return this.#table.end;
  }

  /** Pages that memory cannot be without before the next checkpoint is written. */
  get dirtyPages(): number {
    return this.#dirtyPages;
  }

  get residentBytes(): number {
    return this.#slabs.usedPages * BLOCK_BYTES;
  }

  /** All memory of the store, in bytes: slabs are not given back. */
  get memoryBytes(): number {
    return this.#slabs.slabs.length * (this.#slabs.slabs[0]?.byteLength ?? 0) + this.#table.bytes;
  }

  exists(leaf: number): boolean {
    return this.#table.exists(leaf);
  }

  /** An empty leaf with one reference: dirty and in memory, as all new ones. */
  create(): number {
    const leaf = this.#table.take();
    this.#table.references[leaf] = 1;
    this.#table.page[leaf] = this.#takePage();
    this.#markDirty(leaf);
    return leaf;
  }

  /** A new leaf with the content of this one, and one reference. */
  copy(leaf: number): number {
    const table = this.#table;
    assert(this.isResident(leaf), "a leaf that is copied is in memory");
    this.pin(leaf);
    const page = this.#copyPage(table.page[leaf]!);
    const bases = this.#copyPage(table.bases[leaf]!);
    const masks = this.#copyPage(table.masks[leaf]!);
    this.unpin(leaf);
    const copy = table.take();
    table.references[copy] = 1;
    table.page[copy] = page;
    table.bases[copy] = bases;
    table.masks[copy] = masks;
    table.mapped[copy] = table.mapped[leaf]!;
    table.partials[copy] = table.partials[leaf]!;
    this.#markDirty(copy);
    return copy;
  }

  /** A leaf of the checkpoint: clean, not in memory, without references. */
  addStored(pointers: LeafPointers): number {
    const leaf = this.#table.take();
    this.#table.setPlaces(leaf, pointers);
    return leaf;
  }

  /** How many places in the maps of volumes have this leaf, those that wait for their record or for a pin included. */
  references(leaf: number): number {
    return this.#table.references[leaf]!;
  }

  addReference(leaf: number): void {
    assert(this.exists(leaf), "a leaf that is referred to is there");
    this.#table.references[leaf]! += 1;
  }

  /** A reference more for each of these ids that is one, in one tight loop: a copy of a large volume takes no longer than this. */
  addReferences(leaves: Uint32Array): void {
    const { references, flags } = this.#table;
    for (let index = 0; index < leaves.length; index += 1) {
      const leaf = leaves[index]!;
      if (leaf === NO_LEAF) continue;
      if ((flags[leaf]! & LEAF_EXISTS) === 0) assert(false, "a leaf that is referred to is there");
      references[leaf]! += 1;
    }
  }

  /** Returns how many are left. A leaf without any is to be destroyed by the caller, when its extents are done with. */
  dropReference(leaf: number): number {
    const references = this.#table.references[leaf]!;
    assert(references > 0, "a leaf loses no reference that it does not have");
    this.#table.references[leaf] = references - 1;
    return references - 1;
  }

  isResident(leaf: number): boolean {
    return this.#table.page[leaf]! !== NO_PAGE;
  }

  /** Keeps the leaf in memory, or from being given up once it is loaded. */
  pin(leaf: number): void {
    assert(this.exists(leaf), "a leaf that is pinned is there");
    this.#table.pins[leaf]! += 1;
  }

  unpin(leaf: number): void {
    const pins = this.#table.pins[leaf]!;
    assert(pins > 0, "a leaf that is unpinned was pinned");
    this.#table.pins[leaf] = pins - 1;
    if (pins === 1) this.onUnpinned(leaf);
  }

  isPinned(leaf: number): boolean {
    return this.#table.pins[leaf]! > 0;
  }

  /** The raw word of a leaf in memory: 0, or the extent plus one, with the flag of a PARTIAL. */
  entry(leaf: number, slot: number): number {
    const table = this.#table;
    const page = table.page[leaf]!;
    assert(page >= 0, "a leaf that is read is in memory");
    table.flags[leaf]! |= LEAF_USED;
    return this.#pages[page >>> SLAB_SHIFT]![
      ((page & SLAB_MASK) << PAGE_SHIFT) + HEADER_WORDS + slot
    ]!;
  }

  /** All entries of a leaf in memory, to be read at once: valid until anything changes. */
  entries(leaf: number): Uint32Array {
    const page = this.#table.page[leaf]!;
    assert(page >= 0, "a leaf that is read is in memory");
    return this.#slabs.words(page).subarray(HEADER_WORDS);
  }

  /** Where the blocks outside the mask of a PARTIAL are; NO_EXTENT: they are zeros, or the entry is not PARTIAL. */
  base(leaf: number, slot: number): number {
    const page = this.#table.bases[leaf]!;
    return page === NO_PAGE ? NO_EXTENT : this.#word(page, slot) - 1;
  }

  /** The mask of a PARTIAL, unsigned; 0 for other entries. */
  mask(leaf: number, slot: number): number {
    const page = this.#table.masks[leaf]!;
    return page === NO_PAGE ? 0 : this.#word(page, slot);
  }

  /** Entries that map something; known of a stored leaf once it was in memory. */
  mapped(leaf: number): number {
    return this.#table.mapped[leaf]!;
  }

  partials(leaf: number): number {
    return this.#table.partials[leaf]!;
  }

  isDirty(leaf: number): boolean {
    return (this.#table.flags[leaf]! & LEAF_DIRTY) !== 0;
  }

  setPlain(leaf: number, slot: number, phys: number): void {
    this.#set(leaf, slot, phys + 1);
  }

  setPartial(leaf: number, slot: number, phys: number, mask: number, base: number): void {
    assert(
      mask > 0 && mask < this.#options.geometry.fullMask,
      "a PARTIAL has some blocks, not all",
    );
    this.#set(leaf, slot, (phys + 1 + PARTIAL_FLAG) >>> 0);
    this.#setWord(this.#table.bases[leaf]!, slot, base + 1);
    this.#setWord(this.#table.masks[leaf]!, slot, mask);
  }

  clear(leaf: number, slot: number): void {
    this.#set(leaf, slot, 0);
  }

  #set(leaf: number, slot: number, entry: number): void {
    const table = this.#table;
    const before = this.entry(leaf, slot);
    this.#startChange(leaf);
    if ((before === 0) !== (entry === 0)) table.mapped[leaf]! += entry === 0 ? -1 : 1;
    const wasPartial = isPartial(before);
    if (isPartial(entry)) {
      if (!wasPartial) table.partials[leaf]! += 1;
      if (table.bases[leaf] === NO_PAGE) this.#addSidePages(leaf);
    } else if (wasPartial) {
      this.#setWord(table.bases[leaf]!, slot, 0);
      this.#setWord(table.masks[leaf]!, slot, 0);
      table.partials[leaf]! -= 1;
      if (table.partials[leaf] === 0) this.#dropSidePages(leaf);
    }
    this.#setWord(table.page[leaf]!, slot, entry);
  }

  #word(page: number, slot: number): number {
    return this.#pages[page >>> SLAB_SHIFT]![
      ((page & SLAB_MASK) << PAGE_SHIFT) + HEADER_WORDS + slot
    ]!;
  }

  #setWord(page: number, slot: number, word: number): void {
    const index = ((page & SLAB_MASK) << PAGE_SHIFT) + HEADER_WORDS + slot;
    this.#pages[page >>> SLAB_SHIFT]![index] = word;
  }

  /** Before a change: the leaf becomes dirty, and a capture in flight keeps the pages as they were. */
  #startChange(leaf: number): void {
    const flags = this.#table.flags[leaf]!;
    if ((flags & (LEAF_DIRTY | LEAF_CAPTURED)) === LEAF_DIRTY) return;
    assert((flags & LEAF_EXISTS) !== 0, "a leaf that is changed is there");
    if ((flags & LEAF_CAPTURED) !== 0) this.#detach(leaf);
    this.#markDirty(leaf);
  }

  #detach(leaf: number): void {
    const table = this.#table;
    const capture = this.#captures.get(leaf)!;
    capture.isDetached = true;
    table.flags[leaf]! &= ~LEAF_CAPTURED;
    this.pin(leaf);
    table.page[leaf] = this.#copyPage(capture.page);
    table.bases[leaf] = this.#copyPage(capture.basesPage);
    table.masks[leaf] = this.#copyPage(capture.masksPage);
    this.unpin(leaf);
  }

  #markDirty(leaf: number): void {
    this.#table.flags[leaf]! |= LEAF_DIRTY;
    this.#dirtyPages += this.#pagesOf(leaf);
  }

  #pagesOf(leaf: number): number {
    return this.#table.bases[leaf] === NO_PAGE ? 1 : 3;
  }

  #addSidePages(leaf: number): void {
    this.#table.bases[leaf] = this.#takePage();
    this.#table.masks[leaf] = this.#takePage();
    this.#dirtyPages += 2;
  }

  #dropSidePages(leaf: number): void {
    this.#slabs.give(this.#table.bases[leaf]!);
    this.#slabs.give(this.#table.masks[leaf]!);
    this.#table.bases[leaf] = NO_PAGE;
    this.#table.masks[leaf] = NO_PAGE;
    this.#dirtyPages -= 2;
  }

  /**
   * Reads the leaf's pages, once however many ask. Rejects with {@link IoError} "medium". Pin the leaf before: otherwise it may be
   * given up again before the caller goes on.
   */
  load(leaf: number): Promise<void> {
    if (this.isResident(leaf)) return Promise.resolve();
    const running = this.#loads.get(leaf);
    if (running?.isShared === true) return running.promise.then(() => this.load(leaf));
    if (running !== undefined) return running.promise;
    const load: Load = { isShared: false, promise: Promise.resolve() };
    this.#loads.set(leaf, load);
    load.promise = this.#read(leaf, load);
    return load.promise;
  }

  /** Loads several leaves, best in the order of their places, in long reads. Otherwise like {@link load}. */
  async loadAll(leaves: Uint32Array): Promise<void> {
    const isNew = (leaf: number): boolean => !this.isResident(leaf) && !this.#loads.has(leaf);
    const together = leaves.filter(isNew);
    if (together.length > 1) {
      const load: Load = { isShared: true, promise: Promise.resolve() };
      for (const leaf of together) this.#loads.set(leaf, load);
      load.promise = this.#readTogether(together, load);
      await load.promise;
    }
    const loads: Promise<void>[] = [];
    for (const leaf of leaves) if (!this.isResident(leaf)) loads.push(this.load(leaf));
    const failed = (await Promise.allSettled(loads)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  async #readTogether(leaves: Uint32Array, load: Load): Promise<void> {
    const table = this.#table;
    const reads: PageToRead[] = [];
    const plan = (kind: PageKind, block: number, crc: number): number => {
      if (block === NO_POINTER.block) return NO_PAGE;
      const page = this.#takeUnsetPage();
      reads.push({ block, crc, kind, into: this.#slabs.bytes(page) });
      return page;
    };
    const planned = Array.from(leaves, (leaf) => {
      const page = plan(PageKind.leaf, table.leafBlock[leaf]!, table.leafCrc[leaf]!);
      const bases = plan(PageKind.bases, table.basesBlock[leaf]!, table.basesCrc[leaf]!);
      const masks = plan(PageKind.masks, table.masksBlock[leaf]!, table.masksCrc[leaf]!);
      return { leaf, page, bases, masks, end: reads.length };
    });
    let isRead: readonly boolean[] = [];
    try {
      isRead = (await this.#options.reader.readTogether?.(reads)) ?? [];
    } finally {
      let at = 0;
      for (const { leaf, page, bases, masks, end } of planned) {
        const isWanted = this.#loads.get(leaf) === load;
        if (isWanted) this.#loads.delete(leaf);
        let isWhole = isWanted;
        for (; at < end; at += 1) isWhole &&= isRead[at] === true;
        const isAdopted = isWhole && this.#adopt(leaf, page, bases, masks) === null;
        if (!isAdopted) this.#givePages(page, bases, masks);
      }
    }
  }

  async #read(leaf: number, load: Load): Promise<void> {
    const pointers = this.pointers(leaf);
    assert(pointers !== null, "a leaf that is not in memory is on the media");
    const page = this.#takeUnsetPage();
    const bases = pointers.bases === null ? NO_PAGE : this.#takeUnsetPage();
    const masks = pointers.masks === null ? NO_PAGE : this.#takeUnsetPage();
    try {
      await this.#options.reader.read(pointers, {
        leaf: this.#slabs.bytes(page),
        bases: bases === NO_PAGE ? null : this.#slabs.bytes(bases),
        masks: masks === NO_PAGE ? null : this.#slabs.bytes(masks),
      });
      if (this.#loads.get(leaf) === load) {
        const fault = this.#adopt(leaf, page, bases, masks);
        if (fault !== null) throw this.#damaged(leaf, fault);
      } else {
        this.#givePages(page, bases, masks);
      }
    } catch (error) {
      this.#givePages(page, bases, masks);
      throw error;
    } finally {
      if (this.#loads.get(leaf) === load) this.#loads.delete(leaf);
    }
  }

  #words(page: number, bases: number, masks: number): LeafWords {
    return {
      leaf: this.#slabs.words(page),
      bases: bases === NO_PAGE ? null : this.#slabs.words(bases),
      masks: masks === NO_PAGE ? null : this.#slabs.words(masks),
    };
  }

  /** Makes pages that were read the leaf's; in words what is wrong where an entry cannot be. */
  #adopt(leaf: number, page: number, bases: number, masks: number): string | null {
    const table = this.#table;
    const counts = this.#check(this.#words(page, bases, masks));
    if (typeof counts === "string") return counts;
    table.page[leaf] = page;
    table.bases[leaf] = bases;
    table.masks[leaf] = masks;
    table.mapped[leaf] = counts.mapped;
    table.partials[leaf] = counts.partials;
    table.flags[leaf]! |= LEAF_USED;
    return null;
  }

  #check(words: LeafWords): LeafCounts | string {
    return checkLeaf(words, this.#options.extents(), this.#options.geometry.fullMask);
  }

  #damaged(leaf: number, what: string): IoError {
    const message = `the map page in block ${this.#table.leafBlock[leaf]!} is damaged: ${what}`;
    return new IoError("medium", message, { object: "pool" });
  }

  /** The leaf's pages as they are on the media, in memory of their own. Rejects with {@link IoError} "medium". */
  async readStored(leaf: number): Promise<LeafWords> {
    const pointers = this.pointers(leaf);
    assert(pointers !== null, "a leaf that is not in memory is on the media");
    const room = (pointer: PagePointer | null): Uint32Array | null =>
      pointer === null ? null : new Uint32Array(BLOCK_BYTES / 4);
    const words = {
      leaf: new Uint32Array(BLOCK_BYTES / 4),
      bases: room(pointers.bases),
      masks: room(pointers.masks),
    };
    const bytes = (page: Uint32Array | null): Uint8Array | null =>
      page === null ? null : new Uint8Array(page.buffer);
    await this.#options.reader.read(pointers, {
      leaf: new Uint8Array(words.leaf.buffer),
      bases: bytes(words.bases),
      masks: bytes(words.masks),
    });
    const counts = this.#check(words);
    if (typeof counts === "string") throw this.#damaged(leaf, counts);
    return words;
  }

  #givePages(page: number, bases: number, masks: number): void {
    this.#slabs.give(page);
    if (bases !== NO_PAGE) this.#slabs.give(bases);
    if (masks !== NO_PAGE) this.#slabs.give(masks);
  }

  #copyPage(page: number): number {
    if (page === NO_PAGE) return NO_PAGE;
    this.#makeRoom();
    return this.#slabs.copy(page);
  }

  #takePage(): number {
    this.#makeRoom();
    return this.#slabs.take();
  }

  #takeUnsetPage(): number {
    this.#makeRoom();
    return this.#slabs.takeUnset();
  }

  /** Gives up clean leaves, least recently used ones more or less first, until a page fits into the limit, or few can go. */
  #makeRoom(): void {
    const pagesMax = Math.max(1, Math.floor(this.#options.memoryBytesMax / BLOCK_BYTES));
    const table = this.#table;
    let steps = CLOCK_STEPS_MAX;
    while (this.#slabs.usedPages >= pagesMax && steps > 0) {
      if (steps > 2 * table.end) steps = 2 * table.end;
      steps -= 1;
      if (this.#hand >= table.end) this.#hand = 1;
      const leaf = this.#hand;
      this.#hand += 1;
      if (leaf >= table.end || table.page[leaf]! === NO_PAGE) continue;
      const flags = table.flags[leaf]!;
      if ((flags & LEAF_EXISTS) === 0) continue;
      if ((flags & LEAF_USED) !== 0) table.flags[leaf] = flags & ~LEAF_USED;
      else this.evict(leaf);
    }
  }

  /** Gives up the leaf's pages if nothing needs them in memory; false where something does. */
  evict(leaf: number): boolean {
    const table = this.#table;
    const isNeeded = (table.flags[leaf]! & (LEAF_DIRTY | LEAF_CAPTURED)) !== 0;
    if (isNeeded || table.pins[leaf]! > 0 || table.page[leaf]! === NO_PAGE) return false;
    this.#givePages(table.page[leaf]!, table.bases[leaf]!, table.masks[leaf]!);
    table.page[leaf] = NO_PAGE;
    table.bases[leaf] = NO_PAGE;
    table.masks[leaf] = NO_PAGE;
    return true;
  }

  /** All dirty leaves as they are now; they are clean when they are written, unless they change before. One capture at a time. */
  capture(): CapturedLeaf[] {
    assert(this.#captures.size === 0, "one capture is written before the next");
    const table = this.#table;
    const all: CapturedLeaf[] = [];
    const end = (capture: CapturedLeaf): void => this.#captureWritten(capture);
    for (let leaf = 1; leaf < table.end; leaf += 1) {
      // One without references is about to be taken apart.
      if ((table.flags[leaf]! & LEAF_DIRTY) === 0 || table.references[leaf] === 0) continue;
      const pages = [table.page[leaf]!, table.bases[leaf]!, table.masks[leaf]!] as const;
      const capture = new CapturedLeaf(this.#slabs, leaf, pages, end);
      this.#captures.set(leaf, capture);
      all.push(capture);
      table.flags[leaf] = (table.flags[leaf]! & ~LEAF_DIRTY) | LEAF_CAPTURED;
    }
    return all;
  }

  /** The capture in flight that has the leaf, if it has not changed since. */
  captureOf(leaf: number): CapturedLeaf | undefined {
    const isCaptured = (this.#table.flags[leaf]! & LEAF_CAPTURED) !== 0;
    return isCaptured ? this.#captures.get(leaf) : undefined;
  }

  #captureWritten(capture: CapturedLeaf): void {
    const { leaf, pointers } = capture;
    assert(pointers !== null, "a leaf that was written has places");
    this.#dirtyPages -= capture.pageCount;
    if (capture.isDetached) {
      this.#givePages(capture.page, capture.basesPage, capture.masksPage);
    }
    if (capture.isGone) {
      this.#retireAll(pointers, true);
      return;
    }
    this.#captures.delete(leaf);
    this.#table.flags[leaf]! &= ~LEAF_CAPTURED;
    const before = this.pointers(leaf);
    if (before !== null) this.#retireAll(before, false);
    this.#table.setPlaces(leaf, pointers);
  }

  #retireAll({ leaf, bases, masks }: LeafPointers, isCurrent: boolean): void {
    this.retire(leaf, isCurrent);
    if (bases !== null) this.retire(bases, isCurrent);
    if (masks !== null) this.retire(masks, isCurrent);
  }

  /** Where the leaf was written last; null where it never was. */
  pointers(leaf: number): LeafPointers | null {
    return this.#table.places(leaf);
  }

  /** Puts the same into a node's words, as they are on the media; the leaf has to be there. */
  putPointers(leaf: number, node: Uint32Array, at: number): void {
    const table = this.#table;
    assert(table.leafBlock[leaf] !== NO_POINTER.block, "a leaf is on the media or being written");
    setPlace(node, at, table.leafBlock[leaf]!, table.leafCrc[leaf]!);
    if (table.basesBlock[leaf] === NO_POINTER.block) return;
    setPlace(node, at + POINTER_WORDS, table.basesBlock[leaf]!, table.basesCrc[leaf]!);
    setPlace(node, at + 2 * POINTER_WORDS, table.masksBlock[leaf]!, table.masksCrc[leaf]!);
  }

  /** Forgets a leaf without references; returns the places that it had, which are the caller's to free. Its id may be used again. */
  destroy(leaf: number): LeafPointers | null {
    const table = this.#table;
    assert(this.exists(leaf), "a leaf is forgotten once");
    assert(table.references[leaf] === 0 && !this.isPinned(leaf), "nobody needs a leaf that goes");
    const places = this.pointers(leaf);
    const capture = this.#captures.get(leaf);
    if (capture !== undefined) {
      this.#captures.delete(leaf);
      capture.isGone = true;
    }
    const isCaptures = (table.flags[leaf]! & LEAF_CAPTURED) !== 0;
    if (this.isDirty(leaf)) this.#dirtyPages -= this.#pagesOf(leaf);
    if (isCaptures) capture!.isDetached = true;
    else if (this.isResident(leaf)) {
      this.#givePages(table.page[leaf]!, table.bases[leaf]!, table.masks[leaf]!);
    }
    this.#loads.delete(leaf);
    table.give(leaf);
    return places;
  }
}
