import { describe, expect, it } from "vitest";
import { applyRecord } from "../../../src/thin/map/apply.ts";
import { clearRange, leavesToClear } from "../../../src/thin/map/apply-entries.ts";
import { auditResident } from "../../../src/thin/map/audit.ts";
import { decodeLeafNode } from "../../../src/thin/format/node.ts";
import { captureMaps } from "../../../src/thin/map/capture-maps.ts";
import { CapturedNode } from "../../../src/thin/map/captured-node.ts";
import { countOwned, deriveSpace } from "../../../src/thin/map/derive.ts";
import { NO_LEAF } from "../../../src/thin/map/leaf-store.ts";
import { PoolState } from "../../../src/thin/map/pool-state.ts";
import { TreeNode } from "../../../src/thin/map/tree-node.ts";
import { VolumeMap, leafCountFor } from "../../../src/thin/map/volume-map.ts";
import { VolumeState, extentsFor } from "../../../src/thin/map/volume-state.ts";
import { EXTENT_BYTES, attributesOf, makeState, openState } from "./pool-harness.ts";

async function withVolume(extents: number): Promise<PoolState> {
  const state = await openState();
  applyRecord(state, { kind: "create", attributes: attributesOf(1, extents) }, 1);
  return state;
}

function map(state: PoolState, volume: number, lext: number, seq: number): number {
  const phys = state.space.allocate(null, 1);
  applyRecord(state, { kind: "map", volume, lext, phys, run: 1, safe: false }, seq);
  return phys;
}

describe("VolumeMap", () => {
  it("moves the pin of a place to the copy of its leaf", async () => {
    const state = await withVolume(2000);
    map(state, 1, 5, 2);
    const volume = state.volumes.get(1)!.map;
    const before = volume.leafAt(5);
    volume.pinSlot(0);
    applyRecord(state, { kind: "snapshot", source: 1, attributes: attributesOf(2, 2000) }, 3);
    map(state, 1, 6, 4);
    const after = volume.leafAt(5);
    expect(after).not.toBe(before);
    expect([state.leaves.isPinned(before), state.leaves.isPinned(after)]).toEqual([false, true]);
    volume.unpinSlot(0);
    expect(state.leaves.isPinned(after)).toBe(false);
    expect(() => volume.unpinSlot(0)).toThrow();
  });

  it("has as many levels as it needs, and keeps its nodes when it grows", async () => {
    const state = await withVolume(1000);
    map(state, 1, 5, 2);
    const volume = state.volumes.get(1)!.map;
    const [[node]] = volume.levels as [[TreeNode]];
    expect(volume).toBeInstanceOf(VolumeMap);
    expect([volume.depth, leafCountFor(1009)]).toEqual([1, 2]);
    volume.resize(85 * 1008);
    expect(volume.depth).toBe(2);
    expect(volume.levels[0]![0]).toBe(node);
    expect(volume.root?.isDirty).toBe(true);
    volume.setLeaf(0, NO_LEAF);
    volume.resize(0);
    expect([volume.depth, volume.root]).toEqual([0, null]);
  });
});

it("knows which leaves a range covers in part", async () => {
  const state = await withVolume(2500);
  for (const lext of [0, 1008, 2016]) map(state, 1, lext, lext + 2);
  const volume = state.volumes.get(1)!;
  const { map: ids } = volume;
  expect(leavesToClear(ids, 0, 2500)).toEqual([]);
  expect(leavesToClear(ids, 1, 2499)).toEqual([ids.leaf(0)]);
  expect(leavesToClear(ids, 1, 1008)).toEqual([ids.leaf(0), ids.leaf(1)]);
  clearRange(state, volume, { lext: 0, run: 2016 }, 5000);
  expect([...ids.leafIds.subarray(0, 2)]).toEqual([NO_LEAF, NO_LEAF]);
  expect(volume.mappedExtents).toBe(1);
});

it("reads zeros where a volume was cut off and grew again (rule R)", async () => {
  const state = await withVolume(20);
  map(state, 1, 3, 2);
  map(state, 1, 10, 3);
  applyRecord(state, { kind: "resize", volume: 1, sizeBytes: 10 * EXTENT_BYTES }, 4);
  applyRecord(state, { kind: "resize", volume: 1, sizeBytes: 20 * EXTENT_BYTES }, 5);
  const { map: ids, mappedExtents } = state.volumes.get(1)!;
  expect(state.leaves.entry(ids.leafAt(10), 10)).toBe(0);
  expect(mappedExtents).toBe(1);
});

it("captures a shared node once, and frees the places of what is gone", async () => {
  const state = await withVolume(2000);
  map(state, 1, 5, 2);
  applyRecord(state, { kind: "snapshot", source: 1, attributes: attributesOf(2, 2000) }, 3);
  const maps = captureMaps(state, 1);
  expect([maps.leaves.length, maps.nodes.length, maps.volumes.length]).toEqual([1, 1, 2]);
  const [node] = maps.nodes;
  expect(node).toBeInstanceOf(CapturedNode);
  expect(() => node!.page()).toThrow("before");
  const [leafBlock, nodeBlock] = [state.space.takeMetadataBlock(), state.space.takeMetadataBlock()];
  maps.leaves[0]!.written({ leaf: { block: leafBlock, crc: 1 }, bases: null, masks: null });
  node!.written({ block: nodeBlock, crc: 2 });
  expect(decodeLeafNode(node!.page())).toHaveProperty("0.leaf.block", leafBlock);
  expect(maps.volumes.map((volume) => volume.root()?.block)).toEqual([nodeBlock, nodeBlock]);
  expect(() => captureMaps(state, 1)).toThrow("ascend");
});

it("counts what a volume has for itself alone", async () => {
  const state = await withVolume(100);
  map(state, 1, 5, 2);
  map(state, 1, 6, 3);
  const volume = state.volumes.get(1)!;
  expect(volume).toBeInstanceOf(VolumeState);
  expect(volume.ownedExtents).toBe(2);
  applyRecord(state, { kind: "snapshot", source: 1, attributes: attributesOf(2, 100) }, 4);
  expect(volume.ownedExtents).toBe(0);
  map(state, 1, 5, 5);
  expect(volume.ownedExtents).toBe(1);
  applyRecord(state, { kind: "delete", volume: 2 }, 6);
  state.space.release(6);
  await state.space.idle();
  await countOwned(state, volume);
  expect(volume.ownedExtents).toBe(2);
  expect(extentsFor(state.geometry, 1)).toBe(1);
});

it("finds what is wrong", async () => {
  const state = await withVolume(100);
  const phys = map(state, 1, 5, 2);
  expect(auditResident(state)).toEqual([]);
  state.space.addReference(phys);
  state.volumes.get(1)!.mappedExtents = 7;
  state.leaves.addReference(state.volumes.get(1)!.map.leafAt(5));
  expect(auditResident(state).join("\n")).toMatch(
    /leaf 1 counts 2.*\n.*extent 0 counts 2.*\n.*mapped/,
  );
});

it("gives up a node's place with its last reference", () => {
  const retired: number[] = [];
  const node = new TreeNode({ block: 7, crc: 0 });
  node.references = 2;
  node.drop(({ block }) => retired.push(block));
  expect(retired).toEqual([]);
  node.drop(({ block }) => retired.push(block));
  expect([retired, node.isDirty]).toEqual([[7], false]);
});

describe("a replay", () => {
  it("refuses what cannot be, and changes nothing", () => {
    const state = makeState();
    applyRecord(state, { kind: "create", attributes: attributesOf(1, 2000) }, 1);
    state.space.adoptMetadataBlock(40);
    const base = { kind: "map", volume: 1, lext: 0, phys: 0, run: 1, safe: true } as const;
    const partial = { kind: "partial", volume: 1, lext: 0, phys: 0, mask: 1, base: -1 } as const;
    const segment = { device: 2, offsetBytes: 0, extents: 9, virginFrom: 0 };
    const records = [
      { ...base, volume: 2 },
      { ...base, phys: 300 },
      { ...base, phys: 550 },
      { ...base, lext: 2000 },
      { ...base, lext: 1007, run: 2 },
      { ...base, run: 0 },
      { ...partial, mask: 15 },
      { ...partial, mask: 0 },
      { ...partial, base: 0 },
      { kind: "unmap", volume: 1, lext: 1999, run: 2 },
      { kind: "create", attributes: attributesOf(1, 5) },
      { kind: "create", attributes: { ...attributesOf(5, 5), name: "volume-1" } },
      { kind: "snapshot", source: 1, attributes: attributesOf(5, 1999) },
      { kind: "rollback", volume: 1, source: 1 },
      { kind: "rollback", volume: 1, source: 4 },
      { kind: "resize", volume: 1, sizeBytes: -1 },
      { kind: "delete", volume: 3 },
      { kind: "attributes", attributes: attributesOf(3, 5) },
      {
        kind: "add-device",
        device: { uuid: "x", sizeBytes: 1 },
        segment: { ...segment, device: 1 },
      },
      {
        kind: "add-device",
        device: { uuid: "x", sizeBytes: 1 },
        segment: { ...segment, extents: 0 },
      },
      { kind: "grow-device", device: 7, sizeBytes: 1, segment },
      // Where the device has a segment already; and past its end.
      { kind: "grow-device", device: 0, sizeBytes: 1 << 30, segment: { ...segment, device: 0 } },
      {
        kind: "add-device",
        device: { uuid: "x", sizeBytes: 12 << 20 },
        segment: { ...segment, device: 2, extents: 1 << 10 },
      },
      { kind: "virgin", segment: 0, from: 299 },
      { kind: "virgin", segment: 0, from: 401 },
      { kind: "virgin", segment: 2, from: 1 },
    ] as const;
    for (const record of records) {
      expect(() => applyRecord(state, record, 2), JSON.stringify(record)).toThrow(
        expect.objectContaining({ kind: "corrupt" }),
      );
    }
    expect([state.volumes.size, state.leaves.count, state.devices.length]).toEqual([1, 0, 2]);
    expect([state.addresses.extentCount, state.nextVolumeId]).toEqual([550, 2]);
  });

  it("is refused at its end where a map and the metadata have one extent", async () => {
    const state = makeState();
    applyRecord(state, { kind: "create", attributes: attributesOf(1, 2000) }, 1);
    applyRecord(state, { kind: "map", volume: 1, lext: 0, phys: 10, run: 1, safe: true }, 1);
    state.space.adoptMetadataBlock(40);
    await expect(deriveSpace(state)).rejects.toThrow("extent 10");
    expect(state).toBeInstanceOf(PoolState);
  });

  /** Records after the capture of a checkpoint mapped an extent and gave it up; durable, it came free, and the checkpoint took it for its pages. */
  it("goes past a map of an extent that has become metadata, where it does not stay", async () => {
    const record = { kind: "map", volume: 1, lext: 0, phys: 10, run: 1, safe: true } as const;
    const partial = { kind: "partial", volume: 1, lext: 1, phys: 12, mask: 1, base: 10 } as const;
    const replayed = (): PoolState => {
      const state = makeState();
      applyRecord(state, { kind: "create", attributes: attributesOf(1, 2000) }, 1);
      state.space.adoptMetadataBlock(40);
      applyRecord(state, record, 2);
      applyRecord(state, partial, 3);
      return state;
    };
    const gone = replayed();
    applyRecord(gone, { kind: "unmap", volume: 1, lext: 0, run: 2 }, 4);
    await deriveSpace(gone);
    expect(gone.space.stateOf(10)).toBe("metadata");
    for (const lext of [0, 1]) {
      const state = replayed();
      applyRecord(state, { kind: "unmap", volume: 1, lext, run: 1 }, 4);
      await expect(deriveSpace(state)).rejects.toThrow("extent 10");
    }
  });
});
