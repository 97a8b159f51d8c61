import { describe, expect, it } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { captureImage } from "../../../src/thin/checkpoint/image.ts";
import { PagePlaces } from "../../../src/thin/checkpoint/page-place.ts";
import { newRunBuffers, PageWriter } from "../../../src/thin/checkpoint/page-writer.ts";
import { replay } from "../../../src/thin/checkpoint/replay.ts";
import { SuperblockStore } from "../../../src/thin/checkpoint/superblock-store.ts";
import { readTree } from "../../../src/thin/checkpoint/tree-reader.ts";
import { TreeWriter } from "../../../src/thin/checkpoint/tree-writer.ts";
import { isFault } from "../../../src/thin/format/fault.ts";
import { readSuperblockCopies } from "../../../src/thin/format/superblock-io.ts";
import { appendRecord } from "../../../src/thin/log/promises.ts";
import { systemClock } from "../../../src/util/clock.ts";
import { SeededRandom } from "../../../src/util/random.ts";
import {
  appendSome,
  attributesOf,
  dump,
  formatted,
  MIB,
  opened,
  ownerOf,
  POOL_UUID,
  RecordMaker,
} from "./fixture.ts";

describe("the tree of a checkpoint", () => {
  it("reads as it was captured, whatever changes while it is written", async () => {
    // Large enough that the checkpointer is not asked for room meanwhile.
    const devices = await formatted([1024 * MIB]);
    const pool = await opened(devices);
    const maker = new RecordMaker(pool.state, new SeededRandom(12));
    await appendSome(pool, maker, 25);
    const { state } = pool;
    const captured = await dump(state);
    const generation = pool.checkpointer.generation + 1;
    const image = captureImage(state, generation, pool.journal.appliedSeq);
    for (const { leaf, volume, index } of image.maps.leaves) {
      expect(state.volumes.get(volume)?.map.leaf(index)).toBe(leaf);
    }
    await appendSome(pool, maker, 25);
    expect(await dump(state)).not.toBe(captured);
    const writer = new PageWriter({
      places: new PagePlaces(state.addresses, state.geometry),
      allocator: state.space,
      poolUuid: POOL_UUID,
      generation,
      buffers: newRunBuffers(),
    });
    const { root, pages } = await new TreeWriter(writer).write(image, 3);
    const { checkpointSeq } = image;
    const superblock = { ...pool.superblocks.last, generation, checkpointSeq, root };
    const memory = { leafMemoryBytesMax: MIB, clock: systemClock };
    const tree = await readTree({ devices, superblock, ...memory });
    expect(await dump(tree.state)).toBe(captured);
    expect(tree.topPages).toEqual(expect.arrayContaining([...pages]));
    const stale = { ...superblock, checkpointSeq: checkpointSeq + 1 };
    await expect(readTree({ devices, superblock: stale, ...memory })).rejects.toMatchObject({
      kind: "corrupt",
    });
  });

  it("is replayed on: records change leaves that are read for them", async () => {
    const devices = await formatted();
    const pool = await opened(devices);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
    const phys = pool.state.space.allocate(null, 1);
    const map = { kind: "map", volume: 1, lext: 7, phys, run: 1, safe: false } as const;
    await appendRecord(pool.journal, map);
    await pool.checkpointer.run("asked");
    const superblock = pool.superblocks.last;
    const memory = { leafMemoryBytesMax: MIB, clock: systemClock };
    const { state } = await readTree({ devices, superblock, ...memory });
    const record = { kind: "unmap", volume: 1, lext: 7, run: 1 } as const;
    await appendRecord(pool.journal, record);
    const seq = pool.journal.appliedSeq;
    await replay(state, { records: [{ record, seq }], replayed: 1, discarded: 0 }, new Map());
    expect(await dump(state)).toBe(await dump(pool.state));
  });
});

describe("superblocks and labels", () => {
  it("keep what stays the same, and use the two places in turn", async () => {
    const devices = await formatted([16 * MIB, 16 * MIB]);
    const pool = await opened(devices);
    const store = new SuperblockStore(pool.superblocks.last, ownerOf(5));
    const label = new MemoryDevice(16 * MIB);
    for (const generation of [1, 2, 3]) {
      await store.writeLabel(label, 1, pool.state.devices);
      const found: number[] = [];
      for (const { superblock } of await readSuperblockCopies(label)) {
        if (isFault(superblock)) continue;
        expect(superblock.deviceUuid).toBe(pool.state.devices[1]?.uuid);
        found.push(superblock.generation);
      }
      expect(Math.max(...found)).toBe(generation);
      expect(found).toHaveLength(generation === 1 ? 2 : 4);
    }
    expect(store.last.journal).toEqual(pool.superblocks.last.journal);
  });
});
