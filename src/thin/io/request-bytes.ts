import { zeroBuffer } from "../../device/zero-buffer.ts";
import { ZEROES_PIECE_BYTES } from "../../device/limits.ts";

/** The bytes of a request, which lie in several buffers, by their offset in the request. */

/** Adds views of a range to `views`. */
export function addViews(
  buffers: readonly Uint8Array[],
  offsetBytes: number,
  lengthBytes: number,
  views: Uint8Array[],
): void {
  const end = offsetBytes + lengthBytes;
  let start = 0;
  for (const buffer of buffers) {
    const next = start + buffer.length;
    if (next > offsetBytes) {
      const from = Math.max(0, offsetBytes - start);
      const to = Math.min(buffer.length, end - start);
      if (to > from) {
        views.push(from === 0 && to === buffer.length ? buffer : buffer.subarray(from, to));
      }
    }
    start = next;
    if (start >= end) return;
  }
}

/** Adds as many zeros. */
export function addZeroes(lengthBytes: number, views: Uint8Array[]): void {
  for (let rest = lengthBytes; rest > 0; rest -= ZEROES_PIECE_BYTES) {
    views.push(zeroBuffer(Math.min(rest, ZEROES_PIECE_BYTES)));
  }
}

export function clearRange(
  buffers: readonly Uint8Array[],
  offsetBytes: number,
  lengthBytes: number,
): void {
  const end = offsetBytes + lengthBytes;
  let start = 0;
  for (const buffer of buffers) {
    if (start >= end) return;
    const from = Math.max(0, offsetBytes - start);
    const to = Math.min(buffer.length, end - start);
    if (to > from) buffer.fill(0, from, to);
    start += buffer.length;
  }
}

export function isZeroRange(
  buffers: readonly Uint8Array[],
  offsetBytes: number,
  lengthBytes: number,
): boolean {
  const end = offsetBytes + lengthBytes;
  let start = 0;
  for (const buffer of buffers) {
    if (start >= end) return true;
    const from = Math.max(0, offsetBytes - start);
    const to = Math.min(buffer.length, end - start);
    if (to > from && !isZero(buffer, from, to)) return false;
    start += buffer.length;
  }
  return true;
}

/** Whether the bytes from `from` to `to` - 1 are all zeros: most data tell in their first byte that they are not. */
export function isZero(buffer: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += ZEROES_PIECE_BYTES) {
    if (buffer[at] !== 0) return false;
    const length = Math.min(to - at, ZEROES_PIECE_BYTES);
    if (Buffer.compare(buffer.subarray(at, at + length), zeroBuffer(length)) !== 0) return false;
  }
  return true;
}
