import { expect, test } from "vitest";
import { LEAF_SLOTS_MAX } from "../../../src/thin/limits.ts";
import { checkLeafSlots, checkMapSpace } from "../../../src/thin/pool/map-space.ts";
import { openState } from "../map/pool-harness.ts";

test("a volume is not added where its maps have no space", async () => {
  const state = await openState();
  checkMapSpace(state);
  state.space.metadataReserveExtents = 400;
  checkMapSpace(state);
  state.space.changes = 200;
  expect(() => {
    checkMapSpace(state);
  }).toThrow(/the pool is full/);
});

test("volumes are not larger in all than their maps may be in memory", async () => {
  const state = await openState();
  const leafBytes = 1008 * state.geometry.extentBytes;
  let taken = 0;
  for (const { map } of state.volumes.values()) taken += map.leafCount;
  const left = LEAF_SLOTS_MAX - taken;
  checkLeafSlots(state, [leafBytes, (left - 1) * leafBytes]);
  expect(() => {
    checkLeafSlots(state, [leafBytes, (left - 1) * leafBytes + 1]);
  }).toThrow(/larger in all than its maps/);
});
