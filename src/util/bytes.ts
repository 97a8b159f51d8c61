/**
 * Big-endian access to protocol bytes (RFC 7143 and SPC use network byte order throughout).
 * Free functions over a Uint8Array: the one place where an index is not checked for `undefined`.
 * A read past the end would yield NaN, so callers hold a buffer whose length was checked once.
 */

export function getUint8(bytes: Uint8Array, offset: number): number {
  return bytes[offset]!;
}

export function getUint16BE(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

export function getUint24BE(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 16) | (bytes[offset + 1]! << 8) | bytes[offset + 2]!;
}

export function getUint32BE(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset]! << 24) |
      (bytes[offset + 1]! << 16) |
      (bytes[offset + 2]! << 8) |
      bytes[offset + 3]!) >>>
    0
  );
}

/**
 * An unsigned 64-bit value as a number. Values past 2^53 lose their low bits, which keeps them larger than
 * every capacity that this program can have: a range check on the result refuses them as it should.
 */
export function getUint64BE(bytes: Uint8Array, offset: number): number {
  return getUint32BE(bytes, offset) * 0x1_0000_0000 + getUint32BE(bytes, offset + 4);
}

export function setUint8(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
}

export function setUint16BE(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

export function setUint24BE(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 16;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value;
}

export function setUint32BE(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

/** Writes a non-negative safe integer as 64 bits. */
export function setUint64BE(bytes: Uint8Array, offset: number, value: number): void {
  setUint32BE(bytes, offset, Math.floor(value / 0x1_0000_0000));
  setUint32BE(bytes, offset + 4, value % 0x1_0000_0000);
}
