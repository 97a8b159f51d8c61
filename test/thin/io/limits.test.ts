import { expect, it } from "vitest";
import { SYNCHRONOUS_BYTES_MAX } from "../../../src/device/limits.ts";
import * as limits from "../../../src/thin/io/limits.ts";

it("has limits that let something through, and no longer turns than a device takes", () => {
  for (const limit of Object.values(limits)) expect(limit).toBeGreaterThan(0);
  expect(limits.TURN_BYTES_MAX).toBeLessThanOrEqual(SYNCHRONOUS_BYTES_MAX);
});
