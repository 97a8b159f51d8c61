import { isFault } from "../format/fault.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { PAGE_HEADER_BYTES } from "../format/layout.ts";
import { PageKind } from "../format/page.ts";
import type { LeafWords } from "../map/leaf-check.ts";
import { nameOf, readPages, type WantedPage } from "./page-batch.ts";
import type { NoteFault, PoolTree, TreeLeaf } from "./pool-tree.ts";

interface WantedLeaf extends WantedPage {
  readonly number: number;
}

/** The entries of a leaf: words of whole pages, the header included. Valid until the visitor returns. */
export type LeafVisitor = (number: number, words: LeafWords) => void;

/** Leaves whose side pages are read together with them; the pages of all of these are in memory at a time. */
const LEAVES_AT_A_TIME = 4096;

/** One more than the highest of the kinds of pages. */
const PAGE_KINDS = 8;

/**
 * Reads the leaves of these numbers, once each, in the order of their places where they have no side pages. A leaf of which a page is
 * not what it must be goes to `note` and is not visited.
 */
export async function readLeaves(
  tree: PoolTree,
  numbers: readonly number[],
  visit: LeafVisitor,
  note: NoteFault,
): Promise<void> {
  const plain: WantedLeaf[] = [];
  const sided: number[] = [];
  for (const number of numbers) {
    const leaf = tree.leaves[number];
    if (leaf === undefined) continue;
    if (leaf.pointers.bases === null) plain.push(wantedLeaf(leaf, number));
    else sided.push(number);
  }
  const { places, superblock } = tree;
  await readPages(places, superblock.poolUuid, plain, (wanted, found) => {
    if (isFault(found)) note(nameOf(wanted), found);
    else visit(wanted.number, { leaf: wordsOf(found.page), bases: null, masks: null });
  });
  for (let at = 0; at < sided.length; at += LEAVES_AT_A_TIME) {
    await readSided(tree, sided.slice(at, at + LEAVES_AT_A_TIME), visit, note);
  }
}

async function readSided(
  tree: PoolTree,
  numbers: readonly number[],
  visit: LeafVisitor,
  note: NoteFault,
): Promise<void> {
  const wanted: WantedLeaf[] = [];
  for (const number of numbers) {
    const leaf = tree.leaves[number];
    if (leaf === undefined) continue;
    const { bases, masks } = leaf.pointers;
    const { index } = leaf;
    wanted.push(wantedLeaf(leaf, number));
    if (bases !== null) wanted.push({ ...bases, kind: PageKind.bases, level: 0, index, number });
    if (masks !== null) wanted.push({ ...masks, kind: PageKind.masks, level: 0, index, number });
  }
  const pages = new Map<number, Uint32Array>();
  await readPages(tree.places, tree.superblock.poolUuid, wanted, (one, found) => {
    if (isFault(found)) note(nameOf(one), found);
    else pages.set(keyOf(one.number, one.kind), wordsOf(found.page).slice());
  });
  for (const number of numbers) {
    const leaf = pages.get(keyOf(number, PageKind.leaf));
    const bases = pages.get(keyOf(number, PageKind.bases)) ?? null;
    const masks = pages.get(keyOf(number, PageKind.masks)) ?? null;
    if (leaf !== undefined && bases !== null && masks !== null)
      visit(number, { leaf, bases, masks });
  }
}

function keyOf(number: number, kind: PageKind): number {
  return number * PAGE_KINDS + kind;
}

function wantedLeaf({ pointers, index }: TreeLeaf, number: number): WantedLeaf {
  return { ...pointers.leaf, kind: PageKind.leaf, level: 0, index, number };
}

/** The page as words, its header included. Pages lie at multiples of four in the memory that they were read into. */
export function wordsOf(page: Uint8Array): Uint32Array {
  return new Uint32Array(page.buffer, page.byteOffset, BLOCK_BYTES / 4);
}

/** Entries begin behind the header. */
export const HEADER_WORDS: number = PAGE_HEADER_BYTES / 4;
