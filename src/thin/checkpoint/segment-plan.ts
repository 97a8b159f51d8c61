import { BLOCK_BYTES } from "../format/geometry.ts";
import {
  JOURNAL_OFFSET_BYTES,
  HEAD_BYTES,
  SEGMENT_ALIGNMENT_BYTES,
  TAIL_BYTES,
} from "../format/layout.ts";
import type { Segment } from "../format/records.ts";
import { DEVICE_BYTES_MAX, JOURNAL_BYTES_DEFAULT, JOURNAL_BYTES_MIN } from "../limits.ts";

/** The journal takes no more than this share of a small device. */
const JOURNAL_SHARE = 1 / 16;

/**
 * So much of a new device of zeros can be handed out before the first virgin mark is appended, as a share and in extents at the most. The
 * less it is, the less is of unknown content after a crash.
 */
const FIRST_VIRGIN_SHARE = 1 / 8;
const FIRST_VIRGIN_EXTENTS_MAX = 1024;

/** The size of the journal where none was asked for, in bytes. */
export function defaultJournalBytes(deviceBytes: number): number {
  const share = Math.floor((deviceBytes * JOURNAL_SHARE) / JOURNAL_BYTES_MIN) * JOURNAL_BYTES_MIN;
  return Math.min(JOURNAL_BYTES_DEFAULT, Math.max(JOURNAL_BYTES_MIN, share));
}

export interface SegmentRequest {
  /** Index into the pool's devices. */
  readonly device: number;
  /** The device's own, in bytes. */
  readonly sizeBytes: number;
  /** 0 on all devices but the first. */
  readonly journalBytes: number;
  readonly extentBytes: number;
  readonly isZero: boolean;
}

/** The extents of a device that becomes the pool's; null where there is no room for one. */
export function planSegment(request: SegmentRequest): Segment | null {
  const { device, extentBytes, journalBytes } = request;
  const sizeBytes = usableBytes(request.sizeBytes);
  const head = journalBytes === 0 ? HEAD_BYTES : JOURNAL_OFFSET_BYTES + journalBytes;
  const offsetBytes = Math.ceil(head / SEGMENT_ALIGNMENT_BYTES) * SEGMENT_ALIGNMENT_BYTES;
  const extents = extentsFrom(offsetBytes, sizeBytes, extentBytes);
  if (extents < 1) return null;
  const first = Math.ceil(extents * FIRST_VIRGIN_SHARE);
  const virginFrom = request.isZero ? Math.min(first, FIRST_VIRGIN_EXTENTS_MAX) : extents;
  return { device, offsetBytes, extents, virginFrom };
}

/** Extents between a place and the tail of a device of this size; all in bytes. Below 1: there is no room. */
export function extentsFrom(offsetBytes: number, sizeBytes: number, extentBytes: number): number {
  return Math.floor((sizeBytes - TAIL_BYTES - offsetBytes) / extentBytes);
}

/** What of a device's size is used: whole blocks, up to the limit. */
export function usableBytes(sizeBytes: number): number {
  return Math.min(sizeBytes - (sizeBytes % BLOCK_BYTES), DEVICE_BYTES_MAX);
}
