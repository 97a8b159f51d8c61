import { getUint32LE, getUint64LE, setUint32LE, setUint64LE } from "../../util/little-endian.ts";
import { checkLayout, POINTER_BYTES } from "./layout.ts";

/** Where a page is, and which one it is: its CRC detects a page that is stale or was written elsewhere. */
export interface PagePointer {
  /** Metadata block of the pool: extent x blocks per extent + block in the extent. 0: none. */
  readonly block: number;
  /** Of the page, as in its header. */
  readonly crc: number;
}

/** Block 0, the first of extent 0, never holds metadata: so it can mean "none". */
export const NO_POINTER: PagePointer = { block: 0, crc: 0 };

const PointerField = { block: [0, 8], crc: [8, 4], zero: [12, 4] } as const;
checkLayout("pointer", PointerField, POINTER_BYTES);

/** A leaf and its two side pages, which it has while one of its entries is PARTIAL. */
export interface LeafPointers {
  readonly leaf: PagePointer;
  readonly bases: PagePointer | null;
  readonly masks: PagePointer | null;
}

export function setPointer(bytes: Uint8Array, offset: number, pointer: PagePointer): void {
  setUint64LE(bytes, offset + PointerField.block[0], pointer.block);
  setUint32LE(bytes, offset + PointerField.crc[0], pointer.crc);
  setUint32LE(bytes, offset + PointerField.zero[0], 0);
}

/** The same in words of the host, which is little-endian wherever pages are used in place. */
export function setPlace(words: Uint32Array, at: number, block: number, crc: number): void {
  words[at] = block;
  words[at + 1] = block / 0x1_0000_0000;
  words[at + 2] = crc;
  words[at + 3] = 0;
}

/** The pointer at `offset`; {@link NO_POINTER} itself for none, null where none can be. */
export function getPointer(bytes: Uint8Array, offset: number): PagePointer | null {
  const block = getUint64LE(bytes, offset + PointerField.block[0]);
  const crc = getUint32LE(bytes, offset + PointerField.crc[0]);
  if (getUint32LE(bytes, offset + PointerField.zero[0]) !== 0) return null;
  if (block === 0) return crc === 0 ? NO_POINTER : null;
  return Number.isSafeInteger(block) ? { block, crc } : null;
}
