import type { Geometry } from "../format/geometry.ts";
import type { LeafPointers, PagePointer } from "../format/pointer.ts";
import type { LeafPages } from "./captured-leaf.ts";

/** Reads a leaf's pages and verifies their headers. Rejects with {@link IoError} "medium". */
export interface LeafReader {
  read(pointers: LeafPointers, into: LeafPages): Promise<void>;
  /**
   * The same for pages of leaves in ascending order of their places, in long reads. Resolves with whether each is in memory and is the
   * one that is meant; what is wrong with another is told when it is read by itself.
   */
  readTogether?(pointers: readonly PagePointer[], into: readonly Uint8Array[]): Promise<boolean[]>;
}

export interface LeafStoreOptions {
  readonly geometry: Geometry;
  readonly reader: LeafReader;
  /** How much memory pages may take, in bytes; more where they are dirty, in use or being written. */
  readonly memoryBytesMax: number;
  /** How many extents the pool has: no entry of a stored leaf may name another. */
  readonly extents: () => number;
}
