import { expect, it } from "vitest";
import { CRC32C_POLYNOMIAL, CRC32C_TABLES, SLICES } from "../../native-free/crc32c-tables.ts";

it("holds the remainder of every byte, followed by every number of zero bytes", () => {
  expect(CRC32C_TABLES).toHaveLength(256 * SLICES);
  for (let byte = 0; byte < 256; byte += 1) {
    let remainder = byte;
    for (let zeros = 0; zeros < SLICES; zeros += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const odd = (remainder & 1) === 1;
        remainder >>>= 1;
        if (odd) remainder ^= CRC32C_POLYNOMIAL;
      }
      expect(CRC32C_TABLES[256 * zeros + byte]! >>> 0).toBe(remainder >>> 0);
    }
  }
});
