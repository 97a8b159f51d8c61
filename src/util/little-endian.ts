import { assert } from "./assert.ts";

/**
 * Little-endian access to bytes on a disk, the counterpart of `bytes.ts` for what we define ourselves. Callers hold a buffer
 * whose length was checked once; a read past the end would yield NaN.
 */

export function getUint16LE(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8);
}

export function getUint32LE(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset]! |
      (bytes[offset + 1]! << 8) |
      (bytes[offset + 2]! << 16) |
      (bytes[offset + 3]! << 24)) >>>
    0
  );
}

/**
 * An unsigned 64-bit value as a number. One past 2^53 loses its low bits but stays past 2^53, so that
 * `Number.isSafeInteger` tells whether the value is exact.
 */
export function getUint64LE(bytes: Uint8Array, offset: number): number {
  return getUint32LE(bytes, offset + 4) * 0x1_0000_0000 + getUint32LE(bytes, offset);
}

export function setUint16LE(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
}

export function setUint32LE(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

/** Writes a non-negative safe integer as 64 bits. */
export function setUint64LE(bytes: Uint8Array, offset: number, value: number): void {
  setUint32LE(bytes, offset, value % 0x1_0000_0000);
  setUint32LE(bytes, offset + 4, Math.floor(value / 0x1_0000_0000));
}

const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);

/** An IEEE 754 double. */
export function getFloat64LE(bytes: Uint8Array, offset: number): number {
  for (let index = 0; index < 8; index += 1) scratchBytes[index] = bytes[offset + index]!;
  return scratch[0]!;
}

export function setFloat64LE(bytes: Uint8Array, offset: number, value: number): void {
  scratch[0] = value;
  bytes.set(scratchBytes, offset);
}

scratch[0] = 1;
assert(
  scratchBytes[7] === 0x3f,
  "the processor is little-endian: leaves are used as they are on disk",
);
