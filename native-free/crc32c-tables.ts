/** The Castagnoli polynomial, reflected (RFC 3720 B.4, RFC 7143 13.1): bit 0 is the highest power. */
export const CRC32C_POLYNOMIAL = 0x82f63b78;

/** How many bytes one step takes: 16 tables of 1 KiB stay within a first-level cache. */
export const SLICES = 16;

function build(): Int32Array {
  const tables = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      remainder = (remainder >>> 1) ^ (CRC32C_POLYNOMIAL & -(remainder & 1));
    }
    tables[byte] = remainder;
  }
  for (let index = 256; index < tables.length; index += 1) {
    const shorter = tables[index - 256]!;
    tables[index] = (shorter >>> 8) ^ tables[shorter & 0xff]!;
  }
  return tables;
}

/** Entry `256 * k + b` is the remainder of byte b followed by k zero bytes. */
export const CRC32C_TABLES: Int32Array = build();
