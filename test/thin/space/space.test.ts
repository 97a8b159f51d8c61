import { expect, it } from "vitest";
import { NO_EXTENT } from "../../../src/thin/format/geometry.ts";
import { LeafReaper } from "../../../src/thin/space/leaf-reaper.ts";
import { Reservations } from "../../../src/thin/space/reservations.ts";
import { Space } from "../../../src/thin/space/space.ts";
import { attributesOf, EXTENT_BYTES, openState } from "../map/pool-harness.ts";

it("keeps the reserve and what others were promised", async () => {
  const state = await openState();
  const { space } = state;
  expect(space).toBeInstanceOf(Space);
  expect(space.reservations).toBeInstanceOf(Reservations);
  expect([space.freeExtents, space.allocatableExtents]).toEqual([550, 300]);
  space.metadataReserveExtents = 50;
  space.reservations.outstandingExtents = 490;
  // Four more are for the pages of the next change.
  expect(space.usableExtents).toBe(6);
  expect(space.allocate(null, 100)).toBe(0);
  expect(space.lastRun).toBe(6);
  expect(space.allocate(null, 1)).toBe(NO_EXTENT);
  space.giveBack(0, 6);
  expect(space.usableExtents).toBe(6);
  expect(state.volumes.size).toBe(0);
});

it("lets a volume take what it was promised", async () => {
  const state = await openState();
  const reserved = { ...attributesOf(1, 600), reservedBytes: 550 * EXTENT_BYTES };
  const volume = state.addVolume(reserved);
  expect(state.space.reservedOutstandingExtents).toBe(550);
  expect(state.space.allocate(null, 1)).toBe(NO_EXTENT);
  expect(state.space.allocate(volume, 1)).toBe(0);
  volume.ownedExtents = 100;
  expect(state.space.reservedOutstandingExtents).toBe(450);
});

it("frees an extent when its record is durable and no I/O runs on it (rule Q)", async () => {
  const { space } = await openState();
  const phys = space.allocate(null, 1);
  space.addReference(phys);
  space.dropLater(phys, 5);
  space.pin(phys);
  space.release(4);
  expect(space.references(phys)).toBe(1);
  space.release(5);
  expect(space.references(phys)).toBe(1);
  let freed = 0;
  space.onFreed(() => (freed += 1));
  space.unpin(phys);
  expect([space.references(phys), space.stateOf(phys), freed]).toEqual([0, "free", 1]);
});

it("takes an extent back that was not mapped when its I/O has ended", async () => {
  const { space } = await openState();
  const phys = space.allocate(null, 1);
  space.pin(phys);
  space.giveBack(phys, 1);
  expect(space.stateOf(phys)).toBe("data");
  space.unpin(phys);
  expect(space.stateOf(phys)).toBe("free");
});

it("hands out zeros past the mark when that is durable (rule V)", async () => {
  const { space, addresses } = await openState();
  for (let left = 300; left > 0; left -= space.lastRun) space.allocate(null, left);
  expect(space.allocate(null, 1)).toBe(NO_EXTENT);
  const next = space.nextVirgin();
  expect(next).toEqual({ segment: 0, from: 400 });
  addresses.setVirginFrom(0, 400);
  space.virginAppended(0, 400, 9);
  space.release(8);
  expect(space.allocate(null, 1)).toBe(NO_EXTENT);
  space.release(9);
  expect(space.allocate(null, 1)).toBe(300);
  expect(space.lastIsZero).toBe(true);
});

it("hands out extents of an added segment when its record is durable (rule G)", async () => {
  const { space, addresses } = await openState();
  addresses.addSegment({ device: 2, offsetBytes: 0, extents: 10, virginFrom: 10 });
  space.segmentAdded(2, 3);
  expect(space.totalExtents).toBe(550);
  space.release(3);
  expect([space.totalExtents, space.stateOf(555)]).toEqual([560, "free"]);
});

it("gives a checkpoint under way places in the segments that it knows, and keeps the reserve there (rule G)", async () => {
  const { space, addresses, geometry } = await openState();
  const take = (runMax: number): [number, number] => [space.allocate(null, runMax), space.lastRun];
  space.metadataReserveExtents = 50;
  const first = space.allocate(null, 100);
  while (space.allocate(null, 100) !== NO_EXTENT);
  const free = space.allocatableExtents;
  space.checkpointCaptured();
  addresses.addSegment({ device: 2, offsetBytes: 0, extents: 20, virginFrom: 20 });
  space.segmentAdded(2, 3);
  space.release(3);
  expect(space.allocatableExtents).toBe(free + 20);
  space.giveBack(first, 3);
  // There are extents that come sooner, and they are not for data nor for discards: the checkpoint may need all of them.
  expect(take(4)).toEqual([550, 4]);
  expect(space.takeForDiscard(5)).toEqual({ first: 554, count: 5 });
  expect(take(100)).toEqual([559, 11]);
  expect(space.takeForDiscard(1)).toBeNull();
  // What was given back is more than the reserve.
  expect(take(100)[0]).toBe(first);
  space.giveBack(560, 8);
  for (let block = (free + 3 - space.lastRun) * geometry.blocksPerExtent; block > 0; block -= 1) {
    expect(space.takeMetadataBlock()).toBeLessThan(550 * geometry.blocksPerExtent);
  }
  expect(() => space.takeMetadataBlock()).toThrow("no space");
  space.checkpointDurable(1);
  expect(Math.floor(space.takeMetadataBlock() / geometry.blocksPerExtent)).toBe(560);
});

it("keeps extents that are being discarded from everybody (rule Z)", async () => {
  const { space } = await openState();
  expect(space.takeForDiscard(300)).toEqual({ first: 0, count: 300 });
  expect(space.allocate(null, 1)).toBe(NO_EXTENT);
  expect([space.punchingExtents, space.freeExtents, space.dataExtents]).toEqual([300, 250, 0]);
  space.discarded(0, 300, true);
  expect(space.allocate(null, 1)).toBe(0);
  expect(space.lastIsZero).toBe(true);
  space.giveBack(0, 1);
  expect(space.isZeroKnown(0)).toBe(false);
});

it("says when it has no place for metadata", async () => {
  const { space } = await openState();
  for (let left = 300; left > 0; left -= space.lastRun) space.allocate(null, left);
  expect(() => space.takeMetadataBlock()).toThrow("no space");
});

it("keeps a dead leaf's extents in use where the leaf cannot be read", async () => {
  const { leaves } = await openState();
  const leaf = leaves.addStored({ leaf: { block: 9, crc: 1 }, bases: null, masks: null });
  const done = new Promise<void>((resolve) => {
    const reaper = new LeafReaper(leaves, {
      drop: () => undefined,
      dropAll: (entries) => entries.length,
      retire: () => undefined,
      changed: () => {
        expect(reaper.isIdle).toBe(true);
        resolve();
      },
    });
    reaper.add(leaf);
    reaper.work(1);
  });
  await done;
  expect(leaves.exists(leaf)).toBe(true);
});
