import { expect, test } from "vitest";
import { checkMapSpace } from "../../../src/thin/pool/map-space.ts";
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
