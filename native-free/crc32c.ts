import { CRC32C_TABLES as TABLES, SLICES } from "./crc32c-tables.ts";
import { CRC32C_WINDOW_BYTES, startCrc32cWasm } from "./crc32c-wasm.ts";

/** Below this the copy into WebAssembly memory and the call cost more than they save (bench/micro/crc32c.ts). */
const WASM_BYTES_MIN = 256;

const module = startCrc32cWasm();

/** Slicing by 8 in JavaScript: the whole job for headers, and for everything where WebAssembly is missing. */
function advance(inverted: number, bytes: Uint8Array, start: number, end: number): number {
  let crc = inverted;
  let position = start;
  for (const last = end - 8; position <= last; position += 8) {
    crc =
      TABLES[1792 + ((crc & 0xff) ^ bytes[position]!)]! ^
      TABLES[1536 + (((crc >>> 8) & 0xff) ^ bytes[position + 1]!)]! ^
      TABLES[1280 + (((crc >>> 16) & 0xff) ^ bytes[position + 2]!)]! ^
      TABLES[1024 + ((crc >>> 24) ^ bytes[position + 3]!)]! ^
      TABLES[768 + bytes[position + 4]!]! ^
      TABLES[512 + bytes[position + 5]!]! ^
      TABLES[256 + bytes[position + 6]!]! ^
      TABLES[bytes[position + 7]!]!;
  }
  for (; position < end; position += 1) {
    crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[position]!) & 0xff]!;
  }
  return crc;
}

function check(bytes: Uint8Array, start: number, end: number): void {
  if (start < 0 || start > end || end > bytes.length) {
    throw new RangeError("crc32c: the range lies outside the bytes");
  }
}

/** {@link crc32c} without WebAssembly: the fallback, and the yardstick of the benchmark. */
export function crc32cJavaScript(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number = 0,
): number {
  check(bytes, start, end);
  return ~advance(~seed, bytes, start, end) >>> 0;
}

/**
 * The CRC32C (Castagnoli) of `bytes[start, end)` as an unsigned 32-bit number, as in RFC 3720 B.4. On the iSCSI wire
 * it is written with its least significant byte first.
 *
 * Continuable: give the result for the first part as `seed` of the next; 0 begins.
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, seed: number = 0): number {
  check(bytes, start, end);
  let crc = ~seed;
  let position = start;
  if (module !== null) {
    while (end - position >= WASM_BYTES_MIN) {
      const piece = Math.min(end - position, CRC32C_WINDOW_BYTES);
      const lengthBytes = piece - (piece % SLICES);
      module.window.set(bytes.subarray(position, position + lengthBytes));
      crc = module.advance(crc, lengthBytes);
      position += lengthBytes;
    }
  }
  return ~advance(crc, bytes, position, end) >>> 0;
}

const WORD_BITS = 32;

/**
 * What zeros do to the remainder is linear: 32 columns for each power of two of bytes, made from those of half as many. The first are of
 * one byte.
 */
const ZEROS_COLUMNS = new Uint32Array(WORD_BITS * WORD_BITS);
for (let bit = 0; bit < WORD_BITS; bit += 1) {
  const remainder = 2 ** bit;
  ZEROS_COLUMNS[bit] = (remainder >>> 8) ^ TABLES[remainder & 0xff]!;
}
for (let index = WORD_BITS; index < ZEROS_COLUMNS.length; index += 1) {
  const half = Math.floor(index / WORD_BITS) - 1;
  ZEROS_COLUMNS[index] = afterZeros(ZEROS_COLUMNS[index - WORD_BITS]!, half);
}

/** The remainder behind 2 to the power of `power` zeros more. */
function afterZeros(remainder: number, power: number): number {
  let after = 0;
  let column = power * WORD_BITS;
  for (let rest = remainder >>> 0; rest !== 0; rest >>>= 1) {
    after ^= ZEROS_COLUMNS[column]! & -(rest & 1);
    column += 1;
  }
  return after;
}

/** {@link crc32c} over so many zeros, fewer than 2^32, of which nobody looks at one. */
export function crc32cOfZeros(count: number, seed: number = 0): number {
  let remainder = ~seed;
  let power = 0;
  for (let rest = count; rest !== 0; rest >>>= 1) {
    if ((rest & 1) === 1) remainder = afterZeros(remainder, power);
    power += 1;
  }
  return ~remainder >>> 0;
}
