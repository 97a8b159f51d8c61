import { expect, test } from "vitest";
import { DelayFilter } from "../../../src/device/delay-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

test("a volume becomes what its snapshot is, in use, and its users are told", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 4, 1);
  const snapshot = await bench.snapshot(volume, "monday");
  await bench.fill(volume, 0, 6, 2);
  const events: string[] = [];
  volume.subscribe((event) => events.push(event));
  const release = bench.pool.use(volume);
  await bench.drive(bench.pool.rollback(volume, snapshot));
  release();
  expect(events).toEqual(["content-replaced"]);
  expect([await bench.byteAt(volume, 0), await bench.byteAt(volume, 4)]).toEqual([1, 0]);
  expect(volume.attributes.name).toBe("data");
  await bench.fill(volume, 1, 1, 3);
  expect(await bench.byteAt(snapshot, 1)).toBe(1);
  await bench.pass(1000);
  await bench.expectSound();
});

test("the size goes with the content", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", 4 * MIB);
  const snapshot = await bench.snapshot(volume, "small");
  await bench.drive(bench.pool.resize(volume, 8 * MIB, false));
  await bench.fill(volume, 100, 1, 7);
  const events: string[] = [];
  volume.subscribe((event) => events.push(event));
  await bench.drive(bench.pool.rollback(volume, snapshot));
  expect(events).toEqual(["content-replaced", "capacity-changed"]);
  expect(volume.capacityBytes).toBe(4 * MIB);
  await expect(bench.fill(volume, 100, 1, 7)).rejects.toMatchObject({ kind: "range" });
});

test("a rollback between volumes that are unrelated, or in use as source, works", async () => {
  const bench = await PoolBench.make();
  const [one, two] = [await bench.create("one"), await bench.create("two")];
  await bench.fill(one, 0, 1, 1);
  await bench.fill(two, 0, 1, 2);
  await bench.drive(bench.pool.rollback(one, two));
  await bench.fill(two, 0, 1, 3);
  expect([await bench.byteAt(one, 0), await bench.byteAt(two, 0)]).toEqual([2, 3]);
  await bench.pass(1000);
  await bench.expectSound();
});

test("reads in flight see one content or the other, and the rollback waits for them", async () => {
  const bench = await PoolBench.make({
    devices: [new DelayFilter(new MemoryDevice(64 * MIB, "disk"), 0)],
  });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 4, 1);
  const snapshot = await bench.snapshot(volume, "monday");
  await bench.fill(volume, 0, 4, 2);
  const order: string[] = [];
  const before = Array.from({ length: 4 }, (_, lext) => readBytes(volume, lext * EXTENT, EXTENT));
  for (const read of before)
    read.then(
      () => order.push("read"),
      () => undefined,
    );
  const rollback = bench.pool.rollback(volume, snapshot).then(() => order.push("rollback"));
  // Writers go on meanwhile; each is before or after it as a whole.
  const writes = [writeBytes(volume, 0, Buffer.alloc(EXTENT, 3))];
  await bench.drive(rollback);
  await bench.drive(Promise.all(writes));
  expect(order.slice(0, 4)).toEqual(["read", "read", "read", "read"]);
  for (const read of before.slice(1)) expect((await read)[0]).toBe(2);
  expect([1, 3]).toContain(await bench.byteAt(volume, 0));
  expect(await bench.byteAt(volume, 1)).toBe(1);
  expect(await bench.byteAt(snapshot, 0)).toBe(1);
});

test("what makes no sense is refused", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  const snapshot = await bench.snapshot(volume, "monday");
  const refused = async (work: Promise<void>, kind: string): Promise<void> =>
    expect(bench.drive(work)).rejects.toMatchObject({ kind });
  await refused(bench.pool.rollback(volume, volume), "invalid");
  await refused(bench.pool.rollback(snapshot, volume), "invalid");
  await bench.drive(bench.pool.delete(snapshot));
  await refused(bench.pool.rollback(volume, snapshot), "missing");
});

test("a volume keeps no more reserved than it is large", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", 4 * MIB);
  const snapshot = await bench.snapshot(volume, "small");
  await bench.drive(bench.pool.resize(volume, 8 * MIB, false));
  await bench.drive(bench.pool.setAttributes(volume, { reservedBytes: 6 * MIB }));
  await expect(bench.drive(bench.pool.rollback(volume, snapshot))).rejects.toMatchObject({
    kind: "invalid",
    message: expect.stringContaining("more would be reserved than the volume is large"),
  });
  expect(volume.capacityBytes).toBe(8 * MIB);
  await bench.drive(bench.pool.setAttributes(volume, { reservedBytes: 4 * MIB }));
  await bench.drive(bench.pool.rollback(volume, snapshot));
  await bench.drive(bench.pool.setAttributes(volume, { quotaBytes: 4 * MIB }));
  await bench.expectSound();
});

test("a read that has begun is waited for", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  const snapshot = await bench.snapshot(volume, "monday");
  expect(volume.gate.tryEnterRead()).toBe(true);
  let isDone = false;
  const rollback = bench.pool.rollback(volume, snapshot).then(() => {
    isDone = true;
  });
  await bench.pass(1000);
  expect(isDone).toBe(false);
  volume.gate.leaveRead();
  await bench.drive(rollback);
});
