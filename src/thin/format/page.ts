import { crc32c, crc32cOfZeros } from "../../../native-free/crc32c.ts";
import { assert } from "../../util/assert.ts";
import {
  getUint16LE,
  getUint32LE,
  getUint64LE,
  setUint32LE,
  setUint64LE,
} from "../../util/little-endian.ts";
import { FormatFault } from "./fault.ts";
import { BLOCK_BYTES } from "./geometry.ts";
import { getUuid, hasUuid, isZero, setUuid } from "./identity.ts";
import { checkLayout, DEPTH_MAX, PAGE_HEADER_BYTES } from "./layout.ts";

/** What a page of metadata is. */
export const PageKind = {
  root: 1,
  directory: 2,
  volumes: 3,
  node: 4,
  leaf: 5,
  bases: 6,
  masks: 7,
} as const;
export type PageKind = (typeof PageKind)[keyof typeof PageKind];

const KIND_MAX = 7;

/** What a page says of itself, so that it can be found and judged without its parents. */
export interface PageHeader {
  readonly kind: PageKind;
  /** Of a node: 1 and up. Otherwise 0. */
  readonly level: number;
  /** Of node, leaf, bases and masks: the volume that wrote it; others may share it. Otherwise 0. */
  readonly volume: number;
  /** Its number among the pages of its kind and level: a leaf's number in the volume, say. */
  readonly index: number;
  /** Where it lies: its own metadata block. */
  readonly block: number;
  /** Of the checkpoint that wrote it. */
  readonly generation: number;
}

const PageField = {
  magic: [0, 4],
  kind: [4, 1],
  level: [5, 1],
  reserved6: [6, 2],
  poolUuid: [8, 16],
  generation: [24, 8],
  block: [32, 8],
  volume: [40, 4],
  index: [44, 4],
  reserved48: [48, 12],
  crc: [60, 4],
} as const;
checkLayout("page header", PageField, PAGE_HEADER_BYTES);

/** "TLPG" */
const MAGIC = 0x4750_4c54;

const NO_CRC = new Uint8Array(PageField.crc[1]);

/**
 * The CRC32C of a block of 4 KiB whose checksum lies at byte 60, as if that field were zero. Bytes from `end` on are taken for the zeros that
 * the caller has put there.
 */
export function blockCrc(bytes: Uint8Array, end: number = BLOCK_BYTES): number {
  const head = crc32c(bytes, 0, PageField.crc[0]);
  const gap = crc32c(NO_CRC, 0, NO_CRC.length, head);
  const used = crc32c(bytes, PAGE_HEADER_BYTES, end, gap);
  return crc32cOfZeros(BLOCK_BYTES - end, used);
}

/** Writes the header and the checksum of a page of which all else is there; returns the checksum, for the parent. */
export function sealPage(bytes: Uint8Array, poolUuid: string, header: PageHeader): number {
  assert(bytes.length === BLOCK_BYTES, "a page is a block");
  assert(header.block > 0 && Number.isSafeInteger(header.block), "a page has a place");
  bytes.fill(0, 0, PAGE_HEADER_BYTES);
  setUint32LE(bytes, PageField.magic[0], MAGIC);
  bytes[PageField.kind[0]] = header.kind;
  bytes[PageField.level[0]] = header.level;
  setUuid(bytes, PageField.poolUuid[0], poolUuid);
  setUint64LE(bytes, PageField.generation[0], header.generation);
  setUint64LE(bytes, PageField.block[0], header.block);
  setUint32LE(bytes, PageField.volume[0], header.volume);
  setUint32LE(bytes, PageField.index[0], header.index);
  const crc = blockCrc(bytes);
  setUint32LE(bytes, PageField.crc[0], crc);
  return crc;
}

/** The checksum that a sealed page carries. */
export function crcOfPage(bytes: Uint8Array): number {
  return getUint32LE(bytes, PageField.crc[0]);
}

/** Whether a page could begin here: cheap, for scans. */
export function looksLikePage(bytes: Uint8Array, offset: number): boolean {
  return getUint32LE(bytes, offset) === MAGIC;
}

/**
 * Verifies a page: checksum, pool, and what its parent says of it. `crc` is the parent's; a scan has none. `kind` is
 * undefined where any will do.
 */
export function checkPage(
  bytes: Uint8Array,
  poolUuid: string,
  expect: { block: number; kind?: PageKind; crc?: number },
): PageHeader | FormatFault {
  if (bytes.length !== BLOCK_BYTES) return new FormatFault("absent", "not a block of 4 KiB");
  if (!looksLikePage(bytes, 0)) return new FormatFault("absent", "no page of metadata lies here");
  const stored = crcOfPage(bytes);
  if (expect.crc !== undefined && expect.crc !== stored) {
    return new FormatFault("misplaced", "not the page that its parent means: stale or overwritten");
  }
  if (blockCrc(bytes) !== stored) return new FormatFault("damaged", "the page's checksum is wrong");
  if (!hasUuid(bytes, PageField.poolUuid[0], poolUuid)) {
    const other = getUuid(bytes, PageField.poolUuid[0]);
    return new FormatFault("misplaced", `a page of another pool, ${other}`);
  }
  return checkHeader(bytes, expect);
}

function checkHeader(
  bytes: Uint8Array,
  expect: { block: number; kind?: PageKind },
): PageHeader | FormatFault {
  const kind = bytes[PageField.kind[0]] ?? 0;
  const level = bytes[PageField.level[0]] ?? 0;
  const block = getUint64LE(bytes, PageField.block[0]);
  const generation = getUint64LE(bytes, PageField.generation[0]);
  if (kind < 1 || kind > KIND_MAX) {
    return new FormatFault("unsupported", `a page of the unknown kind ${kind}`);
  }
  const isLevelFine = kind === PageKind.node ? level >= 1 && level <= DEPTH_MAX : level === 0;
  const isPadded = getUint16LE(bytes, PageField.reserved6[0]) === 0;
  const [start, lengthBytes] = PageField.reserved48;
  if (!isLevelFine || !isPadded || !isZero(bytes, start, start + lengthBytes)) {
    return new FormatFault("damaged", "a page header with impossible values");
  }
  if (!Number.isSafeInteger(generation)) {
    return new FormatFault("damaged", "a page of an impossible generation");
  }
  if (block !== expect.block) {
    return new FormatFault("misplaced", `the page of block ${block} lies in block ${expect.block}`);
  }
  if (expect.kind !== undefined && kind !== expect.kind) {
    return new FormatFault("misplaced", `a page of kind ${kind} instead of ${expect.kind}`);
  }
  return {
    kind: kind as PageKind,
    level,
    volume: getUint32LE(bytes, PageField.volume[0]),
    index: getUint32LE(bytes, PageField.index[0]),
    block,
    generation,
  };
}
