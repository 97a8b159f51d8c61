import { assert } from "../../../util/assert.ts";

const SECTOR_BYTES = 512;

/*
 * A megabyte is 1953.125 sectors. In integers, as Linux once counted the size of a disk: 1/625 less sectors are divided by 1950, and half
 * of that, less one, is added for rounding. This is within rounding of the decimal megabyte, but not the same: 1500000 bytes are 1.
 */
const SECTORS_OF_CORRECTION = 625;
const ROUNDING_SECTORS = 974;
const CORRECTED_SECTORS_OF_MEGABYTE = 1950;

/** The figure in megabytes that tgt shows for a size, 0 for small ones. */
export function megabytesShown(sizeBytes: number): number {
  assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, "a size is a whole number of bytes");
  const sectors = Math.floor(sizeBytes / SECTOR_BYTES);
  const corrected = sectors - Math.floor(sectors / SECTORS_OF_CORRECTION) + ROUNDING_SECTORS;
  return Math.floor(corrected / CORRECTED_SECTORS_OF_MEGABYTE);
}
