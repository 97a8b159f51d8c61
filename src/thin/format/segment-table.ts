import { assert } from "../../util/assert.ts";
import { getUint32LE, getUint64LE, setUint32LE, setUint64LE } from "../../util/little-endian.ts";
import { DEVICES_MAX, DEVICE_BYTES_MAX, EXTENTS_MAX, SEGMENTS_MAX } from "../limits.ts";
import { checkLayout, HEAD_BYTES, TAIL_BYTES } from "./layout.ts";
import type { PoolDevice, Segment } from "./records.ts";

/** A segment in the root's table, and in a record. */
const SegmentField = {
  device: [0, 4],
  zero: [4, 4],
  offsetBytes: [8, 8],
  extents: [16, 8],
  virginFrom: [24, 8],
} as const;
export const SEGMENT_ENTRY_BYTES = 32;
checkLayout("segment", SegmentField, SEGMENT_ENTRY_BYTES);

export function setSegment(bytes: Uint8Array, offset: number, segment: Segment): void {
  setUint32LE(bytes, offset + SegmentField.device[0], segment.device);
  setUint32LE(bytes, offset + SegmentField.zero[0], 0);
  setUint64LE(bytes, offset + SegmentField.offsetBytes[0], segment.offsetBytes);
  setUint64LE(bytes, offset + SegmentField.extents[0], segment.extents);
  setUint64LE(bytes, offset + SegmentField.virginFrom[0], segment.virginFrom);
}

/** The segment at `offset`, null where none can be. */
export function getSegment(bytes: Uint8Array, offset: number): Segment | null {
  const device = getUint32LE(bytes, offset + SegmentField.device[0]);
  const zero = getUint32LE(bytes, offset + SegmentField.zero[0]);
  const offsetBytes = getUint64LE(bytes, offset + SegmentField.offsetBytes[0]);
  const extents = getUint64LE(bytes, offset + SegmentField.extents[0]);
  const virginFrom = getUint64LE(bytes, offset + SegmentField.virginFrom[0]);
  const isPossible =
    device < DEVICES_MAX &&
    zero === 0 &&
    offsetBytes >= HEAD_BYTES &&
    offsetBytes <= DEVICE_BYTES_MAX &&
    extents >= 1 &&
    extents <= EXTENTS_MAX &&
    virginFrom <= extents;
  return isPossible ? { device, offsetBytes, extents, virginFrom } : null;
}

export function encodeSegments(
  bytes: Uint8Array,
  offset: number,
  segments: readonly Segment[],
): void {
  assert(segments.length >= 1 && segments.length <= SEGMENTS_MAX, "a pool has 1 to 64 segments");
  for (const [index, segment] of segments.entries()) {
    setSegment(bytes, offset + index * SEGMENT_ENTRY_BYTES, segment);
  }
}

/** A table of `count` segments, which comes from the disk; null where it cannot be one. */
export function decodeSegments(bytes: Uint8Array, offset: number, count: number): Segment[] | null {
  if (count < 1 || count > SEGMENTS_MAX) return null;
  const segments: Segment[] = [];
  let extents = 0;
  for (let index = 0; index < count; index += 1) {
    const segment = getSegment(bytes, offset + index * SEGMENT_ENTRY_BYTES);
    if (segment === null) return null;
    extents += segment.extents;
    segments.push(segment);
  }
  return extents <= EXTENTS_MAX ? segments : null;
}

/** Whether no two segments share a place, and none ends past its device: two owners would write to the same bytes. */
export function haveRoom(
  segments: readonly Segment[],
  devices: readonly PoolDevice[],
  extentBytes: number,
): boolean {
  const ends = new Map<number, number>();
  return segments.every(({ device, offsetBytes, extents }) => {
    // A device grows at its end: its segments follow each other.
    const isBehind = offsetBytes >= (ends.get(device) ?? 0);
    const end = offsetBytes + extents * extentBytes;
    ends.set(device, end);
    return isBehind && end <= (devices[device]?.sizeBytes ?? 0) - TAIL_BYTES;
  });
}
