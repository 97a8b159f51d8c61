import { BLOCK_BYTES, NO_EXTENT } from "../format/geometry.ts";
import { LEAF_ENTRIES, PAGE_HEADER_BYTES } from "../format/layout.ts";
import { isPartial, physOf } from "./entry.ts";

const HEADER_WORDS: number = PAGE_HEADER_BYTES / 4;

export interface LeafWords {
  readonly leaf: Uint32Array;
  readonly bases: Uint32Array | null;
  readonly masks: Uint32Array | null;
}

export interface LeafCounts {
  readonly mapped: number;
  readonly partials: number;
}

/** What side pages have for plain entries. */
const NO_SIDES = new Uint32Array(BLOCK_BYTES / 4);

/** Counts what a leaf maps; in words what is wrong where an entry cannot be. `extents` is how many the pool has. */
export function checkLeaf(
  pages: LeafWords,
  extents: number,
  fullMask: number,
): LeafCounts | string {
  const { leaf } = pages;
  const hasSides = pages.bases !== null && pages.masks !== null;
  const plain = hasSides ? -1 : countPlain(leaf, extents);
  if (plain >= 0) return { mapped: plain, partials: 0 };
  const bases = (hasSides ? pages.bases : null) ?? NO_SIDES;
  const masks = (hasSides ? pages.masks : null) ?? NO_SIDES;
  let mapped = 0;
  let partials = 0;
  for (let at = HEADER_WORDS; at < HEADER_WORDS + LEAF_ENTRIES; at += 1) {
    const entry = leaf[at]!;
    // Nearly all are holes or plain, and name an extent of the pool.
    if (entry <= extents && (bases[at]! | masks[at]!) === 0) {
      if (entry !== 0) mapped += 1;
      continue;
    }
    const slot = at - HEADER_WORDS;
    if (isPartial(entry) && !hasSides) return `entry ${slot} has no side pages`;
    const what = faultOf({ entry, base: bases[at]! - 1, mask: masks[at]! }, extents, fullMask);
    if (what !== null) return `entry ${slot} ${what}`;
    mapped += 1;
    partials += 1;
  }
  return { mapped, partials };
}

/** What is wrong with an entry that is not simply a hole or plain; null: it is a PARTIAL, and fine. */
function faultOf(
  { entry, base, mask }: { entry: number; base: number; mask: number },
  extents: number,
  fullMask: number,
): string | null {
  if (!isPartial(entry) && (base !== NO_EXTENT || mask !== 0)) return "has a side of nothing";
  const phys = physOf(entry);
  if (phys < 0 || phys >= extents) return `maps extent ${phys}`;
  if (base !== NO_EXTENT && (base >= extents || base === phys)) {
    return `has extent ${base} as its base`;
  }
  return mask === 0 || mask >= fullMask ? `has mask ${mask}` : null;
}

/** Entries that map something, where all are plain and name extents of the pool; otherwise -1. One tight loop: a pool has millions. */
function countPlain(words: Uint32Array, extents: number): number {
  let mapped = 0;
  let highest = 0;
  for (let at = HEADER_WORDS; at < HEADER_WORDS + LEAF_ENTRIES; at += 1) {
    const entry = words[at]!;
    if (entry !== 0) mapped += 1;
    if (entry > highest) highest = entry;
  }
  return highest <= extents ? mapped : -1;
}
