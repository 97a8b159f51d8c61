import { expect, it } from "vitest";
import { applyRecord } from "../../../src/thin/map/apply.ts";
import { VIRGIN_AHEAD_EXTENTS } from "../../../src/thin/space/virgin-marks.ts";
import { openState } from "../map/pool-harness.ts";

it("asks for a virgin mark to move on when few extents are left, once each time", async () => {
  const virginFrom = VIRGIN_AHEAD_EXTENTS + 100;
  const segment = { device: 0, offsetBytes: 0, extents: 4 * VIRGIN_AHEAD_EXTENTS, virginFrom };
  const state = await openState({ segments: [segment] });
  const { space } = state;
  let calls = 0;
  space.virginDue = () => (calls += 1);
  space.allocate(null, 101);
  expect([space.allocatableExtents, calls]).toEqual([VIRGIN_AHEAD_EXTENTS - 1, 0]);
  for (let count = 0; count < 10; count += 1) space.allocate(null, 1);
  expect(calls).toBe(1);
  const from = 2 * VIRGIN_AHEAD_EXTENTS + 200;
  applyRecord(state, { kind: "virgin", segment: 0, from }, 5);
  space.release(5);
  space.allocate(null, 1);
  expect(calls).toBe(1);
  while (space.allocatableExtents >= VIRGIN_AHEAD_EXTENTS) space.allocate(null, 1);
  space.allocate(null, 1);
  expect(calls).toBe(2);
});
