import { IoError } from "../../util/io-error.ts";
import { IoKind, IoRequest } from "../../util/io-request.ts";
import { isFault } from "../format/fault.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { checkPage, type PageHeader, PageKind } from "../format/page.ts";
import type { LeafPointers, PagePointer } from "../format/pointer.ts";
import type { PageToRead } from "../map/leaf-store-options.ts";
import { LEAF_GAP_PAGES_MAX, LEAF_RUN_PAGES_MAX } from "./limits.ts";
import type { PagePlaces } from "./page-place.ts";

/** Where the pages of a leaf go; null for those that it does not have. */
export interface LeafPages {
  readonly leaf: Uint8Array;
  readonly bases: Uint8Array | null;
  readonly masks: Uint8Array | null;
}

class PageRead extends IoRequest {
  readonly #end: (error: IoError | null) => void;

  constructor(memory: Uint8Array[], offsetBytes: number, end: (error: IoError | null) => void) {
    super();
    this.kind = IoKind.read;
    this.offsetBytes = offsetBytes;
    for (const { length } of memory) this.lengthBytes += length;
    this.buffers = memory;
    this.#end = end;
  }

  override done(error: IoError | null): void {
    this.#end(error);
  }
}

const NOWHERE = new Uint8Array(LEAF_GAP_PAGES_MAX * BLOCK_BYTES);

/** Reads pages of metadata and verifies them against what their parents say. */
export class PageReader {
  readonly #places: PagePlaces;
  readonly #poolUuid: string;
  readonly #poolName: string;

  constructor(places: PagePlaces, poolUuid: string, poolName: string) {
    this.#places = places;
    this.#poolUuid = poolUuid;
    this.#poolName = poolName;
  }

  /** A page in memory of its own. @throws {IoError} medium: not the page that is meant; or the device's error */
  async page(pointer: PagePointer, kind: PageKind, level: number = 0): Promise<Uint8Array> {
    const page = new Uint8Array(BLOCK_BYTES);
    const header = await this.#readPage(pointer, kind, page);
    if (header.level === level) return page;
    throw this.#broken(pointer, `a node of level ${header.level} instead of ${level}`);
  }

  /** A leaf with its side pages, into memory of the caller. @throws {IoError} like {@link page} */
  async read(pointers: LeafPointers, into: LeafPages): Promise<void> {
    await this.#readPage(pointers.leaf, PageKind.leaf, into.leaf);
    if (pointers.bases !== null && into.bases !== null) {
      await this.#readPage(pointers.bases, PageKind.bases, into.bases);
    }
    if (pointers.masks !== null && into.masks !== null) {
      await this.#readPage(pointers.masks, PageKind.masks, into.masks);
    }
  }

  /** Pages of leaves: what lies close together is read together. Resolves with whether each is the one that is meant. */
  async readTogether(pages: readonly PageToRead[]): Promise<boolean[]> {
    const reads: Promise<void>[] = [];
    const isRead: boolean[] = [];
    for (let first = 0; first < pages.length;) {
      const count = this.#runLength(pages, first);
      reads.push(this.#readRun(pages, first, count, isRead));
      first += count;
    }
    await Promise.all(reads);
    return isRead;
  }

  /** How many pages from this one on lie close behind each other on one device. */
  #runLength(pages: readonly PageToRead[], first: number): number {
    const start = pages[first]!.block;
    if (!this.#places.has(start)) return 1;
    const device = this.#places.deviceOf(start);
    const offsetBytes = this.#places.offsetOf(start);
    let count = 1;
    let last = start;
    while (first + count < pages.length) {
      const { block } = pages[first + count]!;
      const isClose = block > last && block - last <= LEAF_GAP_PAGES_MAX + 1;
      if (!isClose || block - start >= LEAF_RUN_PAGES_MAX || !this.#places.has(block)) break;
      // Extents that follow each other in number may lie on two devices.
      if (this.#places.deviceOf(block) !== device) break;
      if (this.#places.offsetOf(block) !== offsetBytes + (block - start) * BLOCK_BYTES) break;
      count += 1;
      last = block;
    }
    return count;
  }

  /** None of them is read where the device refuses. */
  async #readRun(
    pages: readonly PageToRead[],
    first: number,
    count: number,
    isRead: boolean[],
  ): Promise<void> {
    const { block } = pages[first]!;
    const run = pages.slice(first, first + count);
    const isFine =
      this.#places.has(block) &&
      (await new Promise<boolean>((resolve) => {
        const end = (error: IoError | null): void => resolve(error === null);
        const request = new PageRead(memoryFor(run), this.#places.offsetOf(block), end);
        this.#places.deviceOf(block).submit(request);
      }));
    for (const [index, page] of run.entries()) {
      const isMeant = isFine && !isFault(checkPage(page.into, this.#poolUuid, page));
      isRead[first + index] = isMeant;
    }
  }

  async #readPage(pointer: PagePointer, kind: PageKind, page: Uint8Array): Promise<PageHeader> {
    if (!this.#places.has(pointer.block)) throw this.#broken(pointer, "no place in the pool");
    const device = this.#places.deviceOf(pointer.block);
    const offsetBytes = this.#places.offsetOf(pointer.block);
    if (!device.tryRead(page, 0, BLOCK_BYTES, offsetBytes)) {
      await new Promise<void>((resolve, reject: (error: IoError) => void) => {
        const end = (error: IoError | null): void => {
          if (error === null) resolve();
          else reject(error);
        };
        device.submit(new PageRead([page], offsetBytes, end));
      });
    }
    const expect = { block: pointer.block, kind, crc: pointer.crc };
    const header = checkPage(page, this.#poolUuid, expect);
    if (isFault(header)) throw this.#broken(pointer, header.message);
    return header;
  }

  #broken(pointer: PagePointer, message: string): IoError {
    const text = `metadata block ${pointer.block} is broken: ${message}`;
    return new IoError("medium", text, { object: this.#poolName });
  }
}

/** The memory for pages in the order of their places, in as few pieces as it has; what lies between them goes where nobody looks. */
function memoryFor(pages: readonly PageToRead[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let next = pages[0]!.block;
  for (const { block, into } of pages) {
    if (block > next) pieces.push(NOWHERE.subarray(0, (block - next) * BLOCK_BYTES));
    next = block + 1;
    const last = pieces.at(-1);
    const isNext =
      last?.buffer === into.buffer && last.byteOffset + last.length === into.byteOffset;
    if (!isNext) {
      pieces.push(into);
      continue;
    }
    const length = last.length + into.length;
    pieces[pieces.length - 1] = new Uint8Array(into.buffer, last.byteOffset, length);
  }
  return pieces;
}
