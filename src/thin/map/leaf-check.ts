import { NO_EXTENT } from "../format/geometry.ts";
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

/** Counts what a leaf maps; in words what is wrong where an entry cannot be. `extents` is how many the pool has. */
export function checkLeaf(
  pages: LeafWords,
  extents: number,
  fullMask: number,
): LeafCounts | string {
  const words = pages.leaf;
  const plain = pages.bases === null && pages.masks === null ? countPlain(words, extents) : -1;
  if (plain >= 0) return { mapped: plain, partials: 0 };
  let mapped = 0;
  let partials = 0;
  for (let slot = 0; slot < LEAF_ENTRIES; slot += 1) {
    const entry = words[HEADER_WORDS + slot]!;
    if (!isPartial(entry) && hasSide(pages, slot)) return `entry ${slot} has a side of nothing`;
    if (entry === 0) continue;
    mapped += 1;
    const phys = physOf(entry);
    if (phys < 0 || phys >= extents) return `entry ${slot} maps extent ${phys}`;
    if (!isPartial(entry)) continue;
    partials += 1;
    if (pages.bases === null || pages.masks === null) return `entry ${slot} has no side pages`;
    const base = pages.bases[HEADER_WORDS + slot]! - 1;
    const mask = pages.masks[HEADER_WORDS + slot]!;
    if (base !== NO_EXTENT && (base >= extents || base === phys)) {
      return `entry ${slot} has extent ${base} as its base`;
    }
    if (mask === 0 || mask >= fullMask) return `entry ${slot} has mask ${mask}`;
  }
  return { mapped, partials };
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

/** Whether something stands in a side page for the entry: in that of a plain entry nothing may. */
function hasSide({ bases, masks }: LeafWords, slot: number): boolean {
  if (bases === null || masks === null) return false;
  return bases[HEADER_WORDS + slot] !== 0 || masks[HEADER_WORDS + slot] !== 0;
}
