import type { Geometry } from "../format/geometry.ts";
import type { PageKind } from "../format/page.ts";
import type { LeafPointers } from "../format/pointer.ts";
import type { LeafPages } from "./captured-leaf.ts";

/** A page of a leaf, and memory for it. */
export interface PageToRead {
  readonly block: number;
  readonly crc: number;
  readonly kind: PageKind;
  readonly into: Uint8Array;
}

/** Reads a leaf's pages and verifies their headers. Rejects with {@link IoError} "medium". */
export interface LeafReader {
  read(pointers: LeafPointers, into: LeafPages): Promise<void>;
  /**
   * The same for many pages, in long reads where their places follow each other. Resolves with whether each is in memory and is the
   * one that is meant; what is wrong with another is told when its leaf is read by itself.
   */
  readTogether?(pages: readonly PageToRead[]): Promise<boolean[]>;
}

export interface LeafStoreOptions {
  readonly geometry: Geometry;
  readonly reader: LeafReader;
  /** How much memory pages may take, in bytes; more where they are dirty, in use or being written. */
  readonly memoryBytesMax: number;
  /** How many extents the pool has: no entry of a stored leaf may name another. */
  readonly extents: () => number;
}
