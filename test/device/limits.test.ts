import { expect, it } from "vitest";
import * as limits from "../../src/device/limits.ts";

it("fit together", () => {
  expect(limits.BOUNCE_BUFFER_BYTES % 4096).toBe(0);
  // Zeros that are written at once are one piece, and one turn's copy.
  expect(limits.ZEROES_WRITTEN_BYTES_MAX).toBeLessThanOrEqual(limits.ZEROES_PIECE_BYTES);
  expect(limits.ZEROES_WRITTEN_BYTES_MAX).toBeLessThanOrEqual(limits.SYNCHRONOUS_BYTES_MAX);
  // One synchronous write can never be more than is allowed to be dirty.
  expect(limits.SYNCHRONOUS_BYTES_MAX).toBeLessThan(limits.DIRTY_BYTES_MAX);
});
