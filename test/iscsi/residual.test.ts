import { describe, expect, it } from "vitest";

import { readResidualFlags, residualBytes, residualFlags } from "../../src/iscsi/residual.ts";

/** RFC 7143 11.4.1: the bits o, u, O and U from the left. */
describe("the residual", () => {
  it.each([
    ["none, when the lengths are the same", 512, 512, 0, 0, 0],
    ["none, of nothing", 0, 0, 0, 0, 0],
    ["underflow, when less is moved", 4096, 512, 0x02, 0x08, 3584],
    ["overflow, when more would be", 512, 4096, 0x04, 0x10, 3584],
    ["of 32 bits", 0xffff_ffff, 0, 0x02, 0x08, 0xffff_ffff],
  ])("is %s", (_what, expected, wanted, flags, readFlags, bytes) => {
    expect(residualFlags(expected, wanted)).toBe(flags);
    expect(readResidualFlags(expected, wanted)).toBe(readFlags);
    expect(residualBytes(expected, wanted)).toBe(bytes);
  });
});
