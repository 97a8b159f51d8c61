import { describe, expect, it } from "vitest";
import type { BlockDevice } from "../../src/device/block-device.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { formatPool } from "../../src/thin/checkpoint/format-pool.ts";
import type { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import {
  DEVICE_BYTES_MIN,
  DEVICES_MAX,
  EXTENTS_MAX,
  LEAF_SLOTS_MAX,
  NAME_BYTES_MAX,
  SEGMENTS_MAX,
  THRESHOLDS_MAX,
  VOLUME_BYTES_MAX,
  VOLUMES_MAX,
} from "../../src/thin/limits.ts";
import { PoolError, type PoolErrorKind } from "../../src/thin/pool-error.ts";
import { EXTENT, MIB, POOL_UUID, PoolBench, uuidOf } from "./pool/support/pool-bench.ts";

/** What an operator is told who asks for more than there can be: each limit at its edge, through the operation that meets it. */

async function refused(
  work: Promise<unknown>,
  kind: PoolErrorKind,
  message: RegExp,
): Promise<void> {
  const error: unknown = await work.then(
    () => "it was done",
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PoolError);
  expect(error).toMatchObject({ kind, message: expect.stringMatching(message) as string });
}

function small(name: string, sizeBytes: number = DEVICE_BYTES_MIN): MemoryDevice {
  return new MemoryDevice(sizeBytes, name);
}

/** As if it had so many. */
function pretend(object: object, property: string, count: number): void {
  Object.defineProperty(object, property, { get: () => count, configurable: true });
}

describe("the size of a volume", () => {
  const message = /no size for a volume: a multiple of 512, up to 1125899906842624/;

  it("has a limit when it is made, and when it grows", async () => {
    const bench = await PoolBench.make();
    for (const sizeBytes of [VOLUME_BYTES_MAX + 512, 0, 513, Number.NaN]) {
      await refused(bench.create("large", sizeBytes), "invalid", message);
    }
    const volume = await bench.create("large", VOLUME_BYTES_MAX);
    const more = bench.pool.resize(volume, VOLUME_BYTES_MAX + 512, true);
    await refused(bench.drive(more), "invalid", message);
    await bench.fill(volume, VOLUME_BYTES_MAX / EXTENT - 1, 1, 5);
    await bench.kill();
    const again = bench.pool.volume("large");
    expect(await bench.byteAt(again, VOLUME_BYTES_MAX / EXTENT - 1)).toBe(5);
  });
});

describe("the maps of all volumes", () => {
  const message = /larger in all than its maps may be in memory: delete some, or make them smaller/;
  const leafBytes = 1008 * EXTENT;

  /** A pool that has room for one more leaf, and a volume of two leaves in it. */
  async function almostFull(): Promise<{ bench: PoolBench; volume: ThinVolume }> {
    const bench = await PoolBench.make();
    const volume = await bench.create("two", 2 * leafBytes);
    const large = await bench.create("large", leafBytes);
    pretend(large.state.map, "leafCount", LEAF_SLOTS_MAX - 3);
    return { bench, volume };
  }

  it("have no room for a volume, a copy, a growth or a rollback that makes them too large", async () => {
    const { bench, volume } = await almostFull();
    const { pool } = bench;
    await refused(bench.create("new", leafBytes + 512), "space", message);
    await refused(bench.snapshot(volume, "copy"), "space", message);
    await refused(bench.drive(pool.resize(volume, 4 * leafBytes, false)), "space", message);
    const one = await bench.create("one", leafBytes);
    await refused(bench.drive(pool.rollback(one, volume)), "space", message);
    expect(pool.volumes().map(({ attributes }) => attributes.name)).toEqual([
      "two",
      "large",
      "one",
    ]);
  });

  it("have room up to the limit", async () => {
    const { bench, volume } = await almostFull();
    await bench.drive(bench.pool.resize(volume, 3 * leafBytes, false));
    await bench.drive(bench.pool.resize(volume, leafBytes, true));
    await bench.create("one", leafBytes);
    await bench.snapshot(volume, "copy");
    await refused(bench.create("new", 512), "space", message);
  });
});

describe("the volumes of a pool", () => {
  const message = new RegExp(`no more than ${VOLUMES_MAX} volumes`);

  it("have a number that new ones and copies keep to", async () => {
    const bench = await PoolBench.make();
    const volume = await bench.create("data");
    pretend(bench.pool.state.volumes, "size", VOLUMES_MAX - 1);
    const two = ["a", "b"].map((name) => ({ source: volume, name, uuid: bench.uuid() }));
    await refused(bench.drive(bench.pool.snapshot(two)), "space", message);
    await bench.snapshot(volume, "last");
    pretend(bench.pool.state.volumes, "size", VOLUMES_MAX);
    await refused(bench.create("more"), "space", message);
    await refused(bench.snapshot(volume, "more"), "space", message);
  });

  it("have names of a length that fits a record", async () => {
    const bench = await PoolBench.make();
    const volume = await bench.create("n".repeat(NAME_BYTES_MAX));
    const tooLong = "n".repeat(NAME_BYTES_MAX - 1) + "\u00e9";
    const message = /is no name for a volume: 1 to 127 bytes/;
    await refused(bench.create(tooLong), "invalid", message);
    await refused(bench.snapshot(volume, tooLong), "invalid", message);
    await refused(bench.drive(bench.pool.rename(volume, tooLong)), "invalid", message);
  });

  it("are copied at one instant only as many as fit into a block", async () => {
    const bench = await PoolBench.make();
    const volume = await bench.create("data");
    const copies = Array.from({ length: 100 }, (_, index) => ({
      source: volume,
      name: `copy-${index}`,
      uuid: bench.uuid(),
    }));
    const message = /100 volumes cannot be copied at one instant: about \d+ with names of this/;
    await refused(bench.drive(bench.pool.snapshot(copies)), "invalid", message);
    expect(bench.pool.volumes()).toHaveLength(1);
  });
});

describe("the devices of a pool", () => {
  const newcomer = { uuid: uuidOf(77), isZero: true };

  it("are no more than the superblock's table holds", async () => {
    const devices = Array.from({ length: DEVICES_MAX - 1 }, (_, index) => small(`disk${index}`));
    const bench = await PoolBench.make({ devices });
    await bench.drive(bench.pool.addDevice(small("last"), newcomer));
    const one = bench.pool.addDevice(small("more"), { ...newcomer, uuid: uuidOf(78) });
    await refused(bench.drive(one), "space", /a pool has no more than 32 devices/);
    const all = PoolBench.make({ devices: [...devices, small("last"), small("more")] });
    await refused(all, "invalid", /a pool has 1 to 32 devices/);
  });

  it("are large enough to hold something", async () => {
    const bench = await PoolBench.make();
    for (const sizeBytes of [DEVICE_BYTES_MIN - 4096, 11 * MIB, 10 * MIB + 65536, 4096]) {
      const added = bench.pool.addDevice(small("tiny", sizeBytes), newcomer);
      await refused(bench.drive(added), "invalid", /tiny is too small: 12582912 bytes at least/);
      for (const devices of [[], [small("disk")]]) {
        const made = PoolBench.make({ devices: [...devices, small("tiny", sizeBytes)] });
        await refused(made, "invalid", /tiny is too small: 12582912 bytes at least/);
      }
    }
    await PoolBench.make({ devices: [small("disk"), small("other")] });
  });

  it("grow in no more steps than a root page holds", async () => {
    const disk = small("disk", 16 * MIB);
    const bench = await PoolBench.make({ devices: [disk] });
    for (let segments = 1; segments < SEGMENTS_MAX; segments += 1) {
      disk.resize(disk.capacityBytes + 3 * MIB);
      await bench.drive(bench.pool.growDevice(0, { isZero: true }));
    }
    const message = /a pool grows no more than 64 times: in larger steps/;
    disk.resize(disk.capacityBytes + 3 * MIB);
    await refused(bench.drive(bench.pool.growDevice(0)), "space", message);
    await refused(bench.drive(bench.pool.addDevice(small("more"), newcomer)), "space", message);
    await bench.kill();
    await bench.expectSound();
  });

  it("grow by something", async () => {
    const disk = small("disk");
    const bench = await PoolBench.make({ devices: [disk] });
    const grow = (index: number): Promise<void> => bench.drive(bench.pool.growDevice(index));
    await refused(grow(0), "invalid", /disk has not grown: it has 12582912 bytes/);
    disk.resize(DEVICE_BYTES_MIN + 4096);
    await refused(grow(0), "invalid", /disk has not grown by enough to be of use/);
    await refused(grow(1), "missing", /the pool has no device 1/);
  });

  it("have no more extents in all than entries of maps can tell", async () => {
    const bench = await PoolBench.make();
    pretend(bench.pool.state.addresses, "extentCount", EXTENTS_MAX);
    const added = bench.pool.addDevice(small("more"), newcomer);
    await refused(bench.drive(added), "space", /a pool cannot have more extents/);
    const device = { capacityBytes: 2 ** 49, name: "huge" } as BlockDevice;
    const made = PoolBench.make({ devices: [device] });
    await refused(made, "invalid", /more extents than a pool can; use larger extents/);
  });
});

describe("the settings of a pool", () => {
  it("have thresholds as many as a root page holds", async () => {
    const bench = await PoolBench.make();
    const thresholds = (count: number): number[] =>
      Array.from({ length: count }, (_, index) => (index + 1) / 20);
    await bench.drive(bench.pool.setSettings({ thresholds: thresholds(THRESHOLDS_MAX) }));
    const more = bench.pool.setSettings({ thresholds: thresholds(THRESHOLDS_MAX + 1) });
    await refused(bench.drive(more), "invalid", /up to 8 ascending thresholds/);
  });

  it("are refused when it is made where its journal or its extents have no such size", async () => {
    const options = {
      uuid: POOL_UUID,
      extentBytes: EXTENT,
      settings: { name: "tank", overcommitMax: 0, thresholds: [] },
      randomBytes: (count: number) => new Uint8Array(count),
      owner: new PoolBench([]).owner(),
    };
    const device = small("disk", 64 * MIB);
    const made = (changes: Partial<typeof options & { journalBytes: number }>): Promise<void> =>
      formatPool([{ device, isZero: true }], { ...options, ...changes });
    const journal = /a journal is 1 MiB to 4 GiB, in whole blocks of 4 KiB/;
    for (const journalBytes of [MIB - 4096, 4096 * MIB + 4096, MIB + 512]) {
      await refused(made({ journalBytes }), "invalid", journal);
    }
    await refused(made({ journalBytes: 60 * MIB }), "invalid", /disk is too small for a pool/);
    const extents = /an extent is a power of two, 16 KiB to 1 MiB/;
    for (const extentBytes of [8192, 2 * MIB, 48 * 1024]) {
      await refused(made({ extentBytes }), "invalid", extents);
    }
  });
});
