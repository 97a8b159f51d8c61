import { expect, it } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { BlockDevice } from "../../../src/device/block-device.ts";
import type { Recovered } from "../../../src/thin/checkpoint/recovery.ts";
import { planSegment } from "../../../src/thin/checkpoint/segment-plan.ts";
import { NO_EXTENT } from "../../../src/thin/format/geometry.ts";
import { LEAF_ENTRIES, NODE_LEAVES } from "../../../src/thin/format/layout.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { appendRecord, syncBarrier } from "../../../src/thin/log/promises.ts";
import { auditState } from "../../../src/thin/map/audit.ts";
import {
  attributesOf,
  copyOf,
  dump,
  EXTENT_BYTES,
  formatted,
  HoldingPages,
  MIB,
  opened,
} from "./fixture.ts";

/** A dirty leaf, one block for it, and one extent in a full pool for the pages above. */
async function fill({ journal, state: { space } }: Recovered, lext: number): Promise<void> {
  await space.idle();
  const phys = space.allocate(null, 1);
  await appendRecord(journal, { kind: "map", volume: 1, lext, phys, run: 1, safe: false });
  space.metadataReserveExtents = 0;
  while (space.metadata.freeBlocks < 2) space.takeMetadataBlock();
  let last = NO_EXTENT;
  let next = space.allocate(null, 1);
  while (next !== NO_EXTENT) {
    last = next;
    next = space.allocate(null, 1);
  }
  while (space.metadata.freeBlocks > 1) space.takeMetadataBlock();
  // What is behind it comes first where there is any.
  space.giveBack(last, 1);
}

/** A device with its label, and the record that makes it one of the pool's. */
async function addedDevice(
  { state, superblocks }: Recovered,
  device: BlockDevice,
): Promise<JournalRecord> {
  const index = state.devices.length;
  const sizeBytes = device.capacityBytes;
  const uuid = `66666666-6666-4666-8666-${String(index).padStart(12, "0")}`;
  const member = { uuid, sizeBytes };
  const request = { device: index, sizeBytes, journalBytes: 0, extentBytes: EXTENT_BYTES };
  const segment = planSegment({ ...request, isZero: false })!;
  await superblocks.writeLabel(device, index, [...state.devices, member]);
  state.addresses.addDevice(device);
  return { kind: "add-device", device: member, segment };
}

/** The same for a device of the pool that has become larger by 16 MiB. */
async function grownDevice(
  { state, superblocks }: Recovered,
  index: number,
): Promise<JournalRecord> {
  const device = state.addresses.devices[index]!;
  const sizeBytes = await device.refreshCapacity();
  const offsetBytes = sizeBytes - 16 * MIB;
  const devices = state.devices.with(index, { ...state.devices[index]!, sizeBytes });
  await superblocks.writeLabel(device, index, devices);
  const extents = (14 * MIB) / EXTENT_BYTES;
  const segment = { device: index, offsetBytes, extents, virginFrom: extents };
  return { kind: "grow-device", device: index, sizeBytes, segment };
}

/** Extents that are added while a checkpoint is written, which has room for its pages in those that it knows (rule G). */
it.each([
  ["a device is added", ["add"]],
  ["two devices are added, one while each of two checkpoints is written", ["add", "add"]],
  ["a device is added and then grows while the next one is written", ["add", "grow"]],
])("opens the checkpoint during which %s", async (_story, steps) => {
  const devices = await formatted([64 * MIB]);
  const filters = devices.map((device) => new HoldingPages(device));
  const pool = await opened(filters, 1);
  const { journal, state } = pool;
  await appendRecord(journal, { kind: "create", attributes: attributesOf(1) });
  for (const [lext, step] of steps.entries()) {
    let growth: JournalRecord;
    if (step === "add") {
      const added = new MemoryDevice(16 * MIB, `d${devices.length}`);
      const filter = new HoldingPages(added, 8 * MIB);
      devices.push(added);
      filters.push(filter);
      growth = await addedDevice(pool, filter);
    } else {
      devices[1]!.resize(32 * MIB);
      growth = await grownDevice(pool, 1);
    }
    await fill(pool, lext);
    for (const filter of filters) filter.hold();
    const running = pool.checkpointer.run("asked");
    await appendRecord(journal, growth);
    await syncBarrier(pool.barrier);
    expect(state.space.allocatableExtents).toBeGreaterThan(100);
    for (const filter of filters) filter.letGo();
    await running;
  }
  const { generation } = pool.checkpointer;
  const expected = await dump(state);
  for (const boot of [1, 2]) {
    const back = await opened(devices.map(copyOf), boot);
    expect(back.report).toMatchObject({ generation, fellBack: false });
    expect(await dump(back.state)).toBe(expected);
    expect(await auditState(back.state)).toEqual([]);
  }
});

it("gives a full pool's new extents to data at once, and keeps places for the checkpoint that does not have them", async () => {
  const leaves = 9;
  const devices = await formatted([64 * MIB]);
  const holding = new HoldingPages(devices[0]!);
  const pool = await opened([holding], 1);
  const { journal, state } = pool;
  const { space } = state;
  const attributes = attributesOf(1, 64 * 1024 * MIB);
  await appendRecord(journal, { kind: "create", attributes });
  for (let leaf = 0; leaf < leaves; leaf += 1) {
    // Each has a node of its own.
    const lext = leaf * NODE_LEAVES * LEAF_ENTRIES;
    const phys = space.allocate(null, 1);
    await appendRecord(journal, { kind: "map", volume: 1, lext, phys, run: 1, safe: false });
  }
  // Places for the leaves, and none for the nodes.
  while (space.metadata.freeBlocks < leaves) space.takeMetadataBlock();
  while (space.metadata.freeBlocks > leaves) space.takeMetadataBlock();
  while (space.allocate(null, 64) !== NO_EXTENT);
  const added = new MemoryDevice(16 * MIB, "d1");
  devices.push(added);
  const growth = await addedDevice(pool, added);
  holding.hold();
  const running = pool.checkpointer.run("asked");
  await appendRecord(journal, growth);
  await syncBarrier(pool.barrier);
  const run = space.takeForDiscard(100);
  let count = 0;
  while (space.allocate(null, 1) !== NO_EXTENT) count += 1;
  // But for some that are kept for what the checkpoint makes metadata.
  expect(run!.count + count).toBeGreaterThan(state.addresses.segments[1]!.extents - 8);
  holding.letGo();
  await running;
  const back = await opened(devices.map(copyOf), 2);
  expect(back.report.fellBack).toBe(false);
  expect(await dump(back.state)).toBe(await dump(state));
});
