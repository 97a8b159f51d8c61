import { expect, test } from "vitest";
import { DelayFilter } from "../../../src/device/delay-filter.ts";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { IoKind, writeBytes } from "../../../src/util/io-request.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { imageGrower, spareGrower } from "../../../src/thin/pool/growers.ts";
import { copyOf, EXTENT, MIB, PoolBench, uuidOf } from "./support/pool-bench.ts";

const DEVICE_UUID = uuidOf(500);

/** Does something whenever it is asked for its size. */
class AskedDevice extends DeviceFilter {
  asked: () => Promise<void> = () => Promise.resolve();

  constructor(below: MemoryDevice) {
    super(below, below.name);
  }

  override async refreshCapacity(): Promise<number> {
    await this.asked();
    return super.refreshCapacity();
  }
}

test("a device is added, used, and there again after the next open", async () => {
  const bench = await PoolBench.make({ sizeBytes: 40 * MIB });
  const volume = await bench.create("data", 100 * MIB);
  const added = new MemoryDevice(64 * MIB, "second");
  const before = bench.pool.usage();
  await bench.drive(bench.pool.addDevice(added, { uuid: DEVICE_UUID, isZero: false }));
  const after = bench.pool.usage();
  expect(after.capacityBytes).toBe(before.capacityBytes + 54 * MIB);
  expect(after.freeBytes).toBe(before.freeBytes + 54 * MIB);
  expect(bench.events).toContainEqual({
    kind: "grown",
    device: 1,
    capacityBytes: after.capacityBytes,
  });
  expect(bench.lines.find(({ message }) => message === "the pool has grown")?.fields).toEqual({
    pool: "tank",
    device: 1,
    capacityBytes: after.capacityBytes,
  });
  const extents = await bench.fillUp(volume, 0xcc);
  expect(extents * EXTENT).toBeGreaterThan(54 * MIB);
  await bench.close();
  bench.devices = [added, ...bench.devices];
  await bench.open();
  for (const lext of [0, extents - 1]) {
    expect(await bench.byteAt(bench.pool.volume("data"), lext)).toBe(0xcc);
  }
  await bench.expectSound();
  const [, first] = bench.devices;
  bench.devices = [first!];
  await bench.close();
  await expect(bench.open()).rejects.toThrow(DEVICE_UUID);
});

test("a device that is being added takes no label any more when its pool is fenced meanwhile", async () => {
  const bench = await PoolBench.make({ sizeBytes: 40 * MIB });
  const memory = new MemoryDevice(64 * MIB, "second");
  const held: (() => void)[] = [];
  const added = new DelayFilter(memory, 0, (callback) => held.push(callback));
  const adding = bench.pool.addDevice(added, { uuid: DEVICE_UUID, isZero: false });
  const refused = expect(bench.drive(adding)).rejects.toMatchObject({ kind: "failed" });
  await bench.pass(4, 1);
  expect(held).toHaveLength(1);
  bench.pool.fence(new PoolError("foreign", "another host has it"));
  for (const start of held) start();
  await refused;
  expect([held.length, memory.allocatedBytes, bench.mark.pools.size]).toEqual([1, 0, 0]);
});

test("a device that is being added is left alone when its pool fails meanwhile", async () => {
  const disk = new ErrorFilter(new MemoryDevice(40 * MIB, "disk"));
  const bench = await PoolBench.make({ devices: [disk] });
  const memory = new MemoryDevice(64 * MIB, "second");
  memory.tryWrite(Buffer.alloc(512, 7), 0, 512, 0);
  memory.tryWrite(Buffer.alloc(512, 7), 0, 512, 64 * MIB - 512);
  const held: (() => void)[] = [];
  const added = new DelayFilter(memory, 0, (callback) => held.push(callback));
  const adding = bench.pool.addDevice(added, { uuid: DEVICE_UUID, isZero: false });
  const refused = expect(bench.drive(adding)).rejects.toMatchObject({ kind: "failed" });
  await bench.pass(4, 1);
  expect(held).toHaveLength(1);
  disk.setRules([{ error: "medium", kind: IoKind.flush }]);
  await expect(bench.drive(bench.pool.sync())).rejects.toMatchObject({ kind: "failed" });
  // The one that has begun ends; what comes after it does not begin.
  for (const start of held) start();
  await refused;
  expect(held).toHaveLength(1);
  const tail = Buffer.alloc(512);
  memory.tryRead(tail, 0, 512, 64 * MIB - 512);
  expect(tail[0]).toBe(7);
  expect(bench.pool.state.addresses.devices).toHaveLength(1);
});

test("a device that has grown takes no label when its pool fails while it is asked for its size", async () => {
  const disk = new ErrorFilter(new MemoryDevice(40 * MIB, "disk"));
  const memory = new MemoryDevice(40 * MIB, "second");
  const second = new AskedDevice(memory);
  const bench = await PoolBench.make({ devices: [disk, second] });
  memory.resize(60 * MIB);
  const before = await copyOf(memory);
  disk.setRules([{ error: "medium", kind: IoKind.flush }]);
  second.asked = async () => {
    await expect(bench.pool.sync()).rejects.toMatchObject({ kind: "failed" });
  };
  await expect(bench.drive(bench.pool.growDevice(1))).rejects.toMatchObject({ kind: "failed" });
  const [now, then] = [Buffer.alloc(60 * MIB), Buffer.alloc(60 * MIB)];
  memory.tryRead(now, 0, now.length, 0);
  before.tryRead(then, 0, then.length, 0);
  expect(now.equals(then)).toBe(true);
});

test("a device that was added before a kill is there after it", async () => {
  const bench = await PoolBench.make({ sizeBytes: 40 * MIB });
  await bench.create("data", 100 * MIB);
  const added = new MemoryDevice(64 * MIB, "second");
  await bench.drive(bench.pool.addDevice(added, { uuid: DEVICE_UUID, isZero: true }));
  const { capacityBytes } = bench.pool.usage();
  bench.devices.push(added);
  await bench.kill();
  expect(bench.pool.usage().capacityBytes).toBe(capacityBytes);
  const extents = await bench.fillUp(bench.pool.volume("data"), 0xcd);
  await bench.kill();
  expect(await bench.byteAt(bench.pool.volume("data"), extents - 1)).toBe(0xcd);
  await bench.expectSound();
});

test.each([false, true])("a device that has grown is used further (zeros: %s)", async (isZero) => {
  const disk = new MemoryDevice(40 * MIB, "disk");
  const bench = await PoolBench.make({ devices: [disk] });
  const volume = await bench.create("data", 100 * MIB);
  const first = await bench.fillUp(volume, 1);
  const before = bench.pool.usage();
  disk.resize(80 * MIB);
  await bench.drive(bench.pool.growDevice(0, { isZero }));
  expect(bench.pool.usage().capacityBytes).toBe(before.capacityBytes + 38 * MIB);
  const second = await bench.fillUp(volume, 2);
  expect(second - first).toBeGreaterThan((37 * MIB) / EXTENT);
  await bench.expectSound();
  await bench.kill();
  expect(await bench.byteAt(bench.pool.volume("data"), second - 1)).toBe(2);
  await bench.close();
  await bench.open();
  expect(await bench.byteAt(bench.pool.volume("data"), second - 1)).toBe(2);
  await bench.expectSound();
});

test("another device than the first grows as well", async () => {
  const second = new MemoryDevice(40 * MIB, "second");
  const bench = await PoolBench.make({ devices: [new MemoryDevice(40 * MIB, "disk"), second] });
  second.resize(60 * MIB);
  await bench.drive(bench.pool.growDevice(1));
  const { capacityBytes } = bench.pool.usage();
  await bench.kill();
  expect(bench.pool.usage().capacityBytes).toBe(capacityBytes);
  await bench.expectSound();
});

test("writes that found the pool full go on when it grows", async () => {
  const disk = new MemoryDevice(40 * MIB, "disk");
  const bench = await PoolBench.make({ devices: [disk] });
  const volume = await bench.create("data", 100 * MIB);
  const extents = await bench.fillUp(volume);
  const writes = Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      writeBytes(volume, (extents + index) * EXTENT, Buffer.alloc(EXTENT, 7)),
    ),
  );
  await bench.pass(250);
  disk.resize(80 * MIB);
  await bench.drive(bench.pool.growDevice(0));
  await bench.drive(writes);
  expect(await bench.byteAt(volume, extents + 19)).toBe(7);
  expect(bench.spaceEvents()).toEqual(["full", "space-available", "grown"]);
  await bench.expectSound();
});

test("a pool grows by itself under load, until nothing is left", async () => {
  const disk = new MemoryDevice(40 * MIB, "disk");
  const bench = await PoolBench.make({
    devices: [disk],
    settings: {
      growth: {
        lowWaterBytes: 16 * MIB,
        stepBytes: 16 * MIB,
        grower: imageGrower({
          device: 0,
          image: disk,
          roomBytes: () => 100 * MIB - disk.capacityBytes,
          resize: (sizeBytes) => Promise.resolve(disk.resize(sizeBytes)),
        }),
      },
    },
  });
  const volume = await bench.create("data", 60 * MIB);
  for (let lext = 0; lext < (60 * MIB) / EXTENT; lext += 1) {
    await bench.fill(volume, lext, 1, 1 + (lext % 250));
    if (lext % 16 === 0) await bench.pass(250);
  }
  expect(disk.capacityBytes).toBeGreaterThan(80 * MIB);
  expect(new Set(bench.spaceEvents())).toEqual(new Set(["grown"]));
  const line = bench.lines.find(({ message }) => message === "the pool has grown by itself");
  expect(line?.fields).toMatchObject({ pool: "tank", stepBytes: 16 * MIB });
  for (const lext of [0, 300, 959]) {
    expect(await bench.byteAt(volume, lext)).toBe(1 + (lext % 250));
  }
  await bench.expectSound();
});

test("a spare device is taken when it is needed", async () => {
  const spare = new MemoryDevice(64 * MIB, "spare");
  const ends: boolean[] = [];
  const settled = (isMember: boolean): Promise<void> => Promise.resolve(void ends.push(isMember));
  const bench = await PoolBench.make({
    sizeBytes: 40 * MIB,
    settings: {
      growth: {
        lowWaterBytes: 8 * MIB,
        stepBytes: 8 * MIB,
        grower: spareGrower({
          paths: ["spare"],
          isMember: () => Promise.resolve(ends.length > 0),
          claim: () =>
            Promise.resolve({ device: spare, uuid: DEVICE_UUID, isZero: false, settled }),
        }),
      },
    },
  });
  const volume = await bench.create("data", 64 * MIB);
  await bench.fill(volume, 0, 340, 1);
  await bench.pass(500);
  expect(bench.pool.usage().capacityBytes).toBeGreaterThan(64 * MIB);
  await bench.fill(volume, 340, 300, 1);
  expect(ends).toEqual([true]);
  await bench.expectSound();
});

test("a spare device that is of no use is let go", async () => {
  const spare = new MemoryDevice(MIB, "spare");
  const ends: boolean[] = [];
  const settled = (isMember: boolean): Promise<void> => Promise.resolve(void ends.push(isMember));
  const claim = () => Promise.resolve({ device: spare, uuid: DEVICE_UUID, isZero: false, settled });
  const isMember = () => Promise.resolve(false);
  const grower = spareGrower({ paths: ["spare"], isMember, claim });
  const bench = await PoolBench.make({
    sizeBytes: 40 * MIB,
    settings: { growth: { lowWaterBytes: 60 * MIB, stepBytes: MIB, grower } },
  });
  await bench.pass(500);
  expect(ends).toEqual([false]);
  await bench.expectSound();
});

test("a pool of which only the reserve is left grows, however low its mark is", async () => {
  const disk = new MemoryDevice(40 * MIB, "disk");
  let steps = 0;
  const grower = () => {
    steps += 1;
    return Promise.resolve([]);
  };
  const bench = await PoolBench.make({
    devices: [disk],
    settings: { growth: { lowWaterBytes: 1, stepBytes: MIB, grower }, holdMs: 0 },
  });
  const volume = await bench.create("data", 60 * MIB);
  const { usableBytes, freeBytes } = bench.pool.usage();
  expect(usableBytes).toBeLessThan(freeBytes);
  await bench.fill(volume, 0, usableBytes / EXTENT - 1, 1);
  await bench.pass(500);
  expect(steps).toBe(0);
  await bench.fill(volume, usableBytes / EXTENT - 1, 1, 1);
  await bench.pass(500);
  expect(steps).toBe(1);
});

test("what makes no sense is refused", async () => {
  const bench = await PoolBench.make({ sizeBytes: 40 * MIB });
  const refused = async (work: Promise<void>, kind: string): Promise<void> =>
    expect(bench.drive(work)).rejects.toMatchObject({ kind });
  const options = { uuid: DEVICE_UUID, isZero: false };
  const other = new MemoryDevice(64 * MIB, "other");
  await refused(bench.pool.addDevice(other, { uuid: "no", isZero: false }), "invalid");
  await refused(bench.pool.addDevice(new MemoryDevice(8 * MIB), options), "invalid");
  await refused(bench.pool.addDevice(bench.devices[0]!, options), "exists");
  await bench.drive(bench.pool.addDevice(other, options));
  await refused(bench.pool.addDevice(new MemoryDevice(64 * MIB), options), "exists");
  await refused(bench.pool.growDevice(0), "invalid");
  await refused(bench.pool.growDevice(7), "missing");
  other.resize(64 * MIB + 4096);
  await refused(bench.pool.growDevice(1), "invalid");
});
