import { describe, expect, it } from "vitest";
import { LEAF_ENTRIES } from "../../../src/thin/format/layout.ts";
import { applyRecord } from "../../../src/thin/map/apply.ts";
import { NO_LEAF } from "../../../src/thin/map/leaf-store.ts";
import { attributesOf, openState } from "./pool-harness.ts";

describe("the pins of a map's places", () => {
  it("hold past the end of a map that was cut off, and find its leaf when it is long again", async () => {
    const state = await openState();
    applyRecord(state, { kind: "create", attributes: attributesOf(1, 3 * LEAF_ENTRIES) }, 1);
    const { map } = state.volumes.get(1)!;
    map.pinSlot(2);
    map.pinSlot(2);
    map.resize(LEAF_ENTRIES);
    map.unpinSlot(2);
    map.resize(5 * LEAF_ENTRIES);
    map.pinSlot(4);
    const leaf = state.leaves.create();
    map.setLeaf(2, leaf);
    expect(state.leaves.isPinned(leaf)).toBe(true);
    map.unpinSlot(2);
    map.unpinSlot(4);
    expect(state.leaves.isPinned(leaf)).toBe(false);
  });

  it("may be of a place that the map never had", async () => {
    const state = await openState();
    applyRecord(state, { kind: "create", attributes: attributesOf(1, LEAF_ENTRIES) }, 1);
    const { map } = state.volumes.get(1)!;
    map.pinSlot(7);
    map.unpinSlot(7);
    expect(() => map.unpinSlot(7)).toThrow();
    expect(() => map.unpinSlot(8)).toThrow();
    expect(map.leaf(0)).toBe(NO_LEAF);
  });

  it("let go of all leaves when the volume becomes another's copy, and keep the copy's", async () => {
    const state = await openState();
    for (const id of [1, 2]) {
      const attributes = attributesOf(id, LEAF_ENTRIES);
      applyRecord(state, { kind: "create", attributes }, id);
      const phys = state.space.allocate(null, 1);
      const record = { kind: "map", volume: id, lext: 3, phys, run: 1, safe: false } as const;
      applyRecord(state, record, 2 + id);
    }
    const [volume, source] = [state.volumes.get(1)!.map, state.volumes.get(2)!.map];
    const before = volume.leaf(0);
    volume.pinSlot(0);
    applyRecord(state, { kind: "rollback", volume: 1, source: 2 }, 5);
    expect(state.leaves.isPinned(before)).toBe(false);
    expect(state.leaves.isPinned(source.leaf(0))).toBe(true);
    volume.unpinSlot(0);
    expect(state.leaves.isPinned(source.leaf(0))).toBe(false);
  });
});
