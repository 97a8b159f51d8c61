import { assert } from "../../util/assert.ts";
import { FormatFault } from "./fault.ts";
import { BLOCK_BYTES } from "./geometry.ts";
import {
  LEAF_POINTERS_BYTES,
  NODE_LEAVES,
  NODE_POINTERS,
  PAGE_HEADER_BYTES,
  POINTER_BYTES,
} from "./layout.ts";
import {
  getPointer,
  type LeafPointers,
  NO_POINTER,
  type PagePointer,
  setPointer,
} from "./pointer.ts";

/**
 * The bodies of nodes and directory pages; header and checksum are added by `sealPage`. A place without a child is zeros, at the end as
 * well: lists are shorter than a page, and null inside.
 */

/** Writes the children of a node of level 1. */
export function encodeLeafNode(page: Uint8Array, leaves: readonly (LeafPointers | null)[]): void {
  page.fill(0, PAGE_HEADER_BYTES);
  for (const [slot, pointers] of leaves.entries()) {
    if (pointers !== null) setLeafChild(page, slot, pointers);
  }
}

/** Writes one of them. */
export function setLeafChild(page: Uint8Array, slot: number, pointers: LeafPointers): void {
  const { leaf, bases, masks } = pointers;
  assert(page.length === BLOCK_BYTES && slot < NODE_LEAVES, "a node holds 84 leaves");
  assert(leaf.block !== 0, "a leaf has a place");
  assert((bases === null) === (masks === null), "side pages come in pairs");
  const at = PAGE_HEADER_BYTES + slot * LEAF_POINTERS_BYTES;
  setPointer(page, at, leaf);
  setPointer(page, at + POINTER_BYTES, bases ?? NO_POINTER);
  setPointer(page, at + 2 * POINTER_BYTES, masks ?? NO_POINTER);
}

/** The 84 children of a node of level 1. */
export function decodeLeafNode(page: Uint8Array): (LeafPointers | null)[] | FormatFault {
  const leaves: (LeafPointers | null)[] = [];
  for (let slot = 0; slot < NODE_LEAVES; slot += 1) {
    const at = PAGE_HEADER_BYTES + slot * LEAF_POINTERS_BYTES;
    const leaf = getPointer(page, at);
    const bases = getPointer(page, at + POINTER_BYTES);
    const masks = getPointer(page, at + 2 * POINTER_BYTES);
    if (leaf === null || bases === null || masks === null) return impossible(slot);
    const hasSides = bases !== NO_POINTER;
    if (hasSides !== (masks !== NO_POINTER)) return impossible(slot);
    if (leaf === NO_POINTER) {
      if (hasSides) return impossible(slot);
      leaves.push(null);
      continue;
    }
    leaves.push({ leaf, bases: hasSides ? bases : null, masks: hasSides ? masks : null });
  }
  return leaves;
}

/** Writes the children of a node of level 2 and up, or of a directory page. */
export function encodePointers(page: Uint8Array, pointers: readonly (PagePointer | null)[]): void {
  page.fill(0, PAGE_HEADER_BYTES);
  for (const [slot, pointer] of pointers.entries()) {
    if (pointer !== null) setChild(page, slot, pointer);
  }
}

/** Writes one of them. */
export function setChild(page: Uint8Array, slot: number, pointer: PagePointer): void {
  assert(page.length === BLOCK_BYTES && slot < NODE_POINTERS, "a node holds 252 pointers");
  setPointer(page, PAGE_HEADER_BYTES + slot * POINTER_BYTES, pointer);
}

/** The 252 children of a node of level 2 and up, or of a directory page. */
export function decodePointers(page: Uint8Array): (PagePointer | null)[] | FormatFault {
  const pointers: (PagePointer | null)[] = [];
  for (let slot = 0; slot < NODE_POINTERS; slot += 1) {
    const pointer = getPointer(page, PAGE_HEADER_BYTES + slot * POINTER_BYTES);
    if (pointer === null) return impossible(slot);
    pointers.push(pointer === NO_POINTER ? null : pointer);
  }
  return pointers;
}

function impossible(slot: number): FormatFault {
  return new FormatFault("damaged", `an impossible pointer in place ${slot}`);
}
