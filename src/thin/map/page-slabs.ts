import { assert } from "../../util/assert.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";

/** Pages are taken from memory in pieces of 4 MiB: few objects, and little is lost in the last one. */
export const SLAB_PAGES = 1024;
export const SLAB_SHIFT = 10;
export const PAGE_SHIFT = 10;
export const SLAB_MASK: number = SLAB_PAGES - 1;
const PAGE_WORDS: number = BLOCK_BYTES / 4;
assert(1 << PAGE_SHIFT === PAGE_WORDS && 1 << SLAB_SHIFT === SLAB_PAGES, "shifts fit the sizes");
// What is in memory is what is on the media.
assert(new Uint8Array(new Uint16Array([1]).buffer)[0] === 1, "the host is little-endian");

/** Memory for 4 KiB pages, numbered from 0 on. */
export class PageSlabs {
  readonly slabs: Uint32Array[] = [];
  readonly #free: number[] = [];

  get usedPages(): number {
    return this.slabs.length * SLAB_PAGES - this.#free.length;
  }

  /** A page of zeros. */
  take(): number {
    const page = this.takeUnset();
    this.words(page).fill(0);
    return page;
  }

  /** A page of whatever was there: for a caller that writes all of it. */
  takeUnset(): number {
    if (this.#free.length === 0) this.#addSlab();
    return this.#free.pop()!;
  }

  give(page: number): void {
    this.#free.push(page);
  }

  words(page: number): Uint32Array {
    const start = (page & SLAB_MASK) << PAGE_SHIFT;
    return this.slabs[page >>> SLAB_SHIFT]!.subarray(start, start + PAGE_WORDS);
  }

  bytes(page: number): Uint8Array {
    const slab = this.slabs[page >>> SLAB_SHIFT]!;
    return new Uint8Array(slab.buffer, (page & SLAB_MASK) * BLOCK_BYTES, BLOCK_BYTES);
  }

  /** A new page with the content of this one. */
  copy(page: number): number {
    const copy = this.takeUnset();
    this.words(copy).set(this.words(page));
    return copy;
  }

  #addSlab(): void {
    const first = this.slabs.length * SLAB_PAGES;
    this.slabs.push(new Uint32Array(SLAB_PAGES * PAGE_WORDS));
    // From the back, so that pages are handed out in order.
    for (let page = first + SLAB_PAGES - 1; page >= first; page -= 1) this.#free.push(page);
  }
}
