import type { ExtentPlaces } from "./extent-places.ts";
import { LEAF_ENTRIES, PARTIAL_FLAG } from "../format/layout.ts";
import type { LeafWords } from "../map/leaf-check.ts";
import { HEADER_WORDS } from "./read-leaves.ts";

/** More references than this are not told apart. */
const MANY = 254;

/** In place of a count: the extent has pages, and nothing counts who maps it. */
const METADATA = 255;

/** What a leaf maps, or in words what cannot be in it. */
export interface CountedLeaf {
  readonly mapped: number;
  readonly partial: number;
  /** An extent with pages is among what it maps. */
  readonly namesMetadata: boolean;
  /** Null: all is well. */
  readonly complaint: string | null;
}

/**
 * Counts who refers to each extent, from leaves alone: nothing here is shared with what keeps the counts of a pool that is open. One byte
 * for each extent of the pool, 16 MiB for 1 TiB.
 */
export class ExtentCounts {
  readonly #references: Uint8Array;
  readonly #places: ExtentPlaces;
  /** Runs of extents past the segments' virgin marks. */
  readonly #virgins: readonly (readonly [from: number, end: number])[];

  constructor(places: ExtentPlaces) {
    this.#places = places;
    this.#references = new Uint8Array(places.extentCount);
    const virgins: [number, number][] = [];
    let first = 0;
    for (const { extents, virginFrom } of places.segments) {
      if (virginFrom < extents) virgins.push([first + virginFrom, first + extents]);
      first += extents;
    }
    this.#virgins = virgins;
  }

  /** 254: that many or more; 0 for an extent with pages. */
  references(phys: number): number {
    const count = this.#references[phys] ?? 0;
    return count === METADATA ? 0 : count;
  }

  /** Before anything is counted: the extent has pages. */
  markMetadata(phys: number): void {
    this.#references[phys] = METADATA;
  }

  countLeaf({ leaf, bases, masks }: LeafWords): CountedLeaf {
    const references = this.#references;
    const extents = references.length;
    // Nearly all leaves of a pool, and millions of entries: plain ones, all of them fine.
    const plain = this.#countPlain(leaf);
    let slot = HEADER_WORDS + plain.entries;
    let { mapped, namesMetadata } = plain;
    let partial = 0;
    let complaint: string | null = null;
    for (; slot < HEADER_WORDS + LEAF_ENTRIES; slot += 1) {
      const word = leaf[slot] ?? 0;
      if (word === 0) continue;
      mapped += 1;
      const phys = (word & ~PARTIAL_FLAG) - 1;
      if (phys < 0 || phys >= extents) {
        complaint ??= `entry ${slot - HEADER_WORDS} maps extent ${phys} of ${extents}`;
        continue;
      }
      const count = references[phys] ?? 0;
      if (count < MANY) references[phys] = count + 1;
      else namesMetadata ||= count === METADATA;
      if (word < PARTIAL_FLAG) continue;
      partial += 1;
      namesMetadata ||= bases !== null && references[(bases[slot] ?? 0) - 1] === METADATA;
      complaint ??= this.#countBase(slot, phys, bases, masks);
    }
    return { mapped, partial, namesMetadata, complaint };
  }

  /** Counts plain entries up to the first that needs a closer look; says how many entries, and how many of them map something. */
  #countPlain(leaf: Uint32Array): { entries: number; mapped: number; namesMetadata: boolean } {
    const references = this.#references;
    let mapped = 0;
    let namesMetadata = false;
    let entry = 0;
    for (; entry < LEAF_ENTRIES; entry += 1) {
      const word = leaf[HEADER_WORDS + entry]!;
      if (word === 0) continue;
      // Of a PARTIAL, or of an extent that the pool does not have: undefined.
      const count = references[word - 1];
      if (count === undefined) break;
      mapped += 1;
      if (count < MANY) references[word - 1] = count + 1;
      else if (count === METADATA) namesMetadata = true;
    }
    return { entries: entry, mapped, namesMetadata };
  }

  #countBase(
    slot: number,
    phys: number,
    bases: Uint32Array | null,
    masks: Uint32Array | null,
  ): string | null {
    const entry = slot - HEADER_WORDS;
    if (bases === null || masks === null) return `entry ${entry} is PARTIAL without side pages`;
    const mask = masks[slot] ?? 0;
    if (mask === 0 || mask >= this.#places.geometry.fullMask)
      return `entry ${entry} has mask ${mask}`;
    const base = (bases[slot] ?? 0) - 1;
    if (base < 0) return null;
    if (base >= this.#references.length || base === phys) return `entry ${entry} has base ${base}`;
    const count = this.#references[base] ?? 0;
    if (count < MANY) this.#references[base] = count + 1;
    return null;
  }

  /** How many extents somebody refers to, and how many of them more than one. */
  totals(): { used: number; shared: number } {
    let used = 0;
    let shared = 0;
    const references = this.#references;
    for (let phys = 0; phys < references.length; phys += 1) {
      const count = references[phys]!;
      if (count === METADATA) continue;
      if (count > 0) used += 1;
      if (count > 1) shared += 1;
    }
    return { used, shared };
  }

  /** Extents that somebody refers to although they were never handed out. */
  beyondVirginMarks(): number[] {
    const found: number[] = [];
    for (const [from, end] of this.#virgins) {
      for (let phys = from; phys < end; phys += 1) if (this.references(phys) > 0) found.push(phys);
    }
    return found;
  }
}

/** Which entry is not PARTIAL and has a base or mask all the same, in words; null: none. */
export function sideOfNothing({ leaf, bases, masks }: LeafWords): string | null {
  if (bases === null || masks === null) return null;
  for (let at = HEADER_WORDS; at < HEADER_WORDS + LEAF_ENTRIES; at += 1) {
    if (leaf[at]! < PARTIAL_FLAG && (bases[at]! | masks[at]!) !== 0) {
      return `entry ${at - HEADER_WORDS} is not PARTIAL and has a base or mask`;
    }
  }
  return null;
}
