import { ZEROES_PIECE_BYTES } from "./limits.ts";

const zeroes = Buffer.alloc(ZEROES_PIECE_BYTES);

/** A view of zeros, at most {@link ZEROES_PIECE_BYTES}. Shared: never to be written. */
export function zeroBuffer(lengthBytes: number): Uint8Array {
  return zeroes.subarray(0, lengthBytes);
}
