import { crc32c } from "../../native-free/crc32c.ts";
import { DIGEST_BYTES } from "./pdu/basic-header.ts";

/*
 * Header and data digests, RFC 7143 11.2.3 and 13.1. The CRC is sent with its least significant byte first: that is how
 * the RFC's bit order comes out (RFC 3720 appendix B.4 has the bytes of its examples).
 */

/** Writes the digest of `start` to `end` at `end`. */
export function writeDigest(bytes: Uint8Array, start: number, end: number): void {
  const digest = crc32c(bytes, start, end);
  for (let index = 0; index < DIGEST_BYTES; index += 1) bytes[end + index] = digest >>> (8 * index);
}

/** Whether the digest of `start` to `end` stands at `end`. */
export function digestMatches(bytes: Uint8Array, start: number, end: number): boolean {
  const digest = crc32c(bytes, start, end);
  for (let index = 0; index < DIGEST_BYTES; index += 1) {
    if (bytes[end + index] !== ((digest >>> (8 * index)) & 0xff)) return false;
  }
  return true;
}
