import { describe, expect, it } from "vitest";
import * as limits from "../../src/scsi/limits.ts";

describe("the limits", () => {
  it("agree with each other", () => {
    expect(8 + 16 * limits.UNMAP_DESCRIPTORS_MAX).toBeLessThanOrEqual(limits.PARAMETER_BYTES_MAX);
    expect(limits.PARAMETER_BYTES_MAX).toBeGreaterThanOrEqual(4096);
    expect(8 + 16 * limits.LBA_STATUS_DESCRIPTORS_MAX).toBeLessThan(0xffff);
  });

  it("are whole blocks of either size", () => {
    const { TRANSFER_BYTES_MAX, WRITE_SAME_BYTES_MAX, STEP_BYTES } = limits;
    for (const bytes of [TRANSFER_BYTES_MAX, WRITE_SAME_BYTES_MAX, STEP_BYTES]) {
      expect(bytes % 4096).toBe(0);
    }
  });
});
