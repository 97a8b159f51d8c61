import { expect, test } from "vitest";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { Pool } from "../../../src/thin/pool/pool.ts";
import { flush, IoKind, writeBytes } from "../../../src/util/io-request.ts";
import { silentLog } from "../../../src/util/log.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

test("a pool that was closed is what it was, in any order of its devices", async () => {
  const devices = [new MemoryDevice(40 * MIB, "a"), new MemoryDevice(40 * MIB, "b")];
  const bench = await PoolBench.make({ devices, thresholds: [0.9] });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 10, 3);
  await bench.snapshot(volume, "monday");
  await bench.fill(volume, 0, 1, 4);
  await bench.drive(bench.pool.setSettings({ name: "barrel", overcommitMax: 10 }));
  const { uuid } = bench.pool;
  await bench.close();
  bench.devices.reverse();
  await bench.open();
  expect([bench.pool.name, bench.pool.uuid]).toEqual(["barrel", uuid]);
  expect(bench.pool.volumes().map(({ attributes }) => attributes.name)).toEqual(["data", "monday"]);
  expect(await bench.byteAt(bench.pool.volume("data"), 0)).toBe(4);
  expect(await bench.byteAt(bench.pool.volume("monday"), 0)).toBe(3);
  await bench.expectSound();
});

test("a closed pool and its volumes take nothing more", async () => {
  const bench = await PoolBench.make();
  const { pool } = bench;
  const volume = await bench.create("data");
  const events: string[] = [];
  volume.subscribe((event) => events.push(event));
  const running = pool.createVolume({ name: "last", uuid: bench.uuid(), sizeBytes: MIB });
  await bench.drive(Promise.all([pool.close(), pool.close()]));
  await running;
  expect(events).toEqual(["gone"]);
  await expect(bench.fill(volume, 0, 1, 1)).rejects.toMatchObject({ kind: "gone" });
  await expect(pool.rename(volume, "x")).rejects.toMatchObject({ kind: "missing" });
  await bench.open();
  expect(bench.pool.volume("last").capacityBytes).toBe(MIB);
});

test("settings that make no sense are refused", async () => {
  const { pool } = await PoolBench.make();
  await expect(pool.setSettings({ thresholds: [0.9, 0.5] })).rejects.toMatchObject({
    kind: "invalid",
  });
  await expect(pool.setSettings({ overcommitMax: -1 })).rejects.toMatchObject({ kind: "invalid" });
  await expect(pool.setSettings({ name: "" })).rejects.toMatchObject({ kind: "invalid" });
});

test("after a kill, everything that was acknowledged is there", async () => {
  const seed = chooseSeed(process.env);
  const random = new SeededRandom(seed);
  const bench = await PoolBench.make();
  await bench.create("data", 64 * EXTENT);
  const expected = new Map<string, number[]>([["data", Array.from({ length: 64 }, () => 0)]]);
  for (let round = 0; round < 12; round += 1) {
    for (let step = 0; step < 15; step += 1) {
      const names = [...expected.keys()];
      const name = random.pick(names);
      const volume = bench.pool.volume(name);
      const content = expected.get(name)!;
      const dice = random.below(10);
      if (dice < 6) {
        const lext = random.below(64);
        content[lext] = 1 + random.below(250);
        await bench.fill(volume, lext, 1, content[lext]);
      } else if (dice < 8) {
        const copy = `copy ${round} ${step}`;
        await bench.snapshot(volume, copy, false);
        expected.set(copy, [...content]);
      } else if (dice === 8 && names.length > 1) {
        const source = random.pick(names.filter((other) => other !== name));
        await bench.drive(bench.pool.rollback(volume, bench.pool.volume(source)));
        expected.set(name, [...expected.get(source)!]);
      } else if (names.length > 4) {
        await bench.drive(bench.pool.delete(volume));
        expected.delete(name);
      }
    }
    if (random.chance(0.3)) await bench.drive(bench.pool.checkpoint());
    await bench.kill();
    for (const [name, content] of expected) {
      const lext = random.below(64);
      const byte = await bench.byteAt(bench.pool.volume(name), lext);
      expect(byte, `seed ${seed}, ${name} ${lext}`).toBe(content[lext]);
    }
    expect(bench.pool.volumes(), `seed ${seed}`).toHaveLength(expected.size);
    await bench.expectSound();
  }
});

test("after a failed flush everything is refused, the mark is set, and the pool is not opened again", async () => {
  const disk = new MemoryDevice(64 * MIB, "disk");
  const broken = new ErrorFilter(disk);
  const bench = await PoolBench.make({ devices: [broken] });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 1, 1);
  broken.setRules([{ error: "medium", kind: IoKind.flush }]);
  await expect(bench.drive(flush(volume))).rejects.toMatchObject({ kind: "failed" });
  broken.setRules([]);
  expect(bench.mark.pools.has(bench.pool.uuid)).toBe(true);
  expect(bench.spaceEvents()).toEqual(["failed"]);
  expect(bench.lines.some(({ level }) => level === "fatal")).toBe(true);
  await expect(bench.drive(writeBytes(volume, 0, Buffer.alloc(512)))).rejects.toMatchObject({
    kind: "failed",
  });
  await expect(bench.create("more")).rejects.toMatchObject({ kind: "failed" });
  await expect(bench.drive(bench.pool.sync())).rejects.toMatchObject({ kind: "failed" });
  await bench.close();
  await expect(bench.open()).rejects.toThrow(/has failed since this machine was started/);
  // The next boot goes on from what is on the devices.
  bench.mark.pools.clear();
  bench.bootId = "11111111-2222-4333-8444-555555555555";
  await bench.open();
  expect(bench.pool.failure).toBeNull();
  await bench.expectSound();
});

test("a pool that another host has open is refused, unless that one is known to be dead", async () => {
  const bench = await PoolBench.make();
  await bench.create("data");
  const options = {
    devices: bench.devices,
    owner: { ...bench.owner(), hostId: "11111111-2222-4333-8444-555555555555" },
    clock: bench.clock,
    log: silentLog,
    failureMark: bench.mark,
  };
  await expect(bench.drive(Pool.open(options))).rejects.toMatchObject({ kind: "foreign" });
  const pool = await bench.drive(Pool.open({ ...options, takeOver: true }));
  expect(pool.volumes()).toHaveLength(1);
  await bench.drive(pool.close());
});

test("usage adds up", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", 100 * MIB);
  await bench.fill(volume, 0, 10, 1);
  const clone = await bench.snapshot(volume, "clone", false);
  await bench.fill(clone, 0, 2, 2);
  await bench.pass(1000);
  const usage = bench.pool.usage();
  expect(usage).toMatchObject({
    virtualBytes: 200 * MIB,
    mappedBytes: 20 * EXTENT,
    dataBytes: 12 * EXTENT,
    sharedBytes: 8 * EXTENT,
    quarantinedBytes: 0,
    overcommit: (200 * MIB) / usage.capacityBytes,
  });
  expect(usage.dataBytes + usage.metadataBytes + usage.freeBytes).toBe(usage.capacityBytes);
  expect(usage.volumes).toMatchObject([
    { name: "data", mappedBytes: 10 * EXTENT, ownedBytes: 0 },
    { name: "clone", mappedBytes: 10 * EXTENT, ownedBytes: 2 * EXTENT },
  ]);
});
