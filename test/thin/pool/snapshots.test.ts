import { expect, test } from "vitest";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

test("a snapshot keeps what was, and costs nothing", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 8, 1);
  const before = bench.pool.usage().dataBytes;
  const snapshot = await bench.snapshot(volume, "monday");
  expect(snapshot.attributes).toMatchObject({
    name: "monday",
    readOnly: true,
    isSnapshot: true,
    originId: volume.attributes.id,
    sizeBytes: volume.capacityBytes,
  });
  expect(bench.pool.usage()).toMatchObject({ dataBytes: before, sharedBytes: before });
  await bench.fill(volume, 0, 4, 2);
  await bench.drive(writeBytes(volume, 5 * EXTENT + 4096, Buffer.alloc(4096, 3)));
  expect(await bench.byteAt(snapshot, 0)).toBe(1);
  expect(await bench.byteAt(snapshot, 5)).toBe(1);
  expect(await bench.byteAt(volume, 0)).toBe(2);
  const mixed = await bench.drive(readBytes(volume, 5 * EXTENT, 12_288));
  expect([mixed[0], mixed[4096], mixed[8192]]).toEqual([1, 3, 1]);
  await expect(bench.fill(snapshot, 0, 1, 9)).rejects.toMatchObject({ kind: "read-only" });
  await bench.expectSound();
});

test("snapshots of snapshots and clones of clones go in any order", async () => {
  const bench = await PoolBench.make();
  const origin = await bench.create("origin");
  await bench.fill(origin, 0, 2, 1);
  const first = await bench.snapshot(origin, "first");
  const second = await bench.snapshot(first, "second");
  const clone = await bench.snapshot(second, "clone", false);
  expect(clone.attributes).toMatchObject({ readOnly: false, isSnapshot: false });
  await bench.fill(clone, 1, 1, 2);
  const cloneOfClone = await bench.snapshot(clone, "clone of clone", false);
  await bench.fill(cloneOfClone, 0, 1, 3);
  for (const volume of [origin, clone, first]) await bench.drive(bench.pool.delete(volume));
  await bench.pass(1000);
  expect([await bench.byteAt(second, 0), await bench.byteAt(second, 1)]).toEqual([1, 1]);
  expect([await bench.byteAt(cloneOfClone, 0), await bench.byteAt(cloneOfClone, 1)]).toEqual([
    3, 2,
  ]);
  await bench.expectSound();
});

test("a group is copied at one instant, in one block, one barrier for all", async () => {
  const bench = await PoolBench.make();
  const [data, log] = [await bench.create("data"), await bench.create("log")];
  // Each write to the log follows one to the data: a copy of the log is never ahead of that of the data.
  let isRunning = true;
  let written = 0;
  const writer = (async (): Promise<void> => {
    while (isRunning) {
      written += 1;
      const block = Buffer.alloc(512);
      block.writeUInt32LE(written);
      await writeBytes(data, 0, block);
      await writeBytes(log, 0, block);
      await new Promise(setImmediate);
    }
  })();
  for (let index = 0; index < 20; index += 1) {
    const [dataCopy, logCopy] = await bench.drive(
      bench.pool.snapshot([
        { source: data, name: `data ${index}`, uuid: bench.uuid() },
        { source: log, name: `log ${index}`, uuid: bench.uuid() },
      ]),
    );
    const dataSerial = (await readBytes(dataCopy!, 0, 512)).readUInt32LE();
    const logSerial = (await readBytes(logCopy!, 0, 512)).readUInt32LE();
    expect(dataSerial - logSerial).toBeGreaterThanOrEqual(0);
    expect(dataSerial - logSerial).toBeLessThanOrEqual(1);
  }
  isRunning = false;
  await writer;
  expect(written).toBeGreaterThan(10);
  await bench.expectSound();
});

test("a group may name a volume twice, but no name twice, and fits into a block", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  const copy = (name: string): { source: ThinVolume; name: string; uuid: string } => ({
    source: volume,
    name,
    uuid: bench.uuid(),
  });
  expect(await bench.drive(bench.pool.snapshot([copy("a"), copy("b")]))).toHaveLength(2);
  expect(await bench.drive(bench.pool.snapshot([]))).toEqual([]);
  await expect(bench.drive(bench.pool.snapshot([copy("c"), copy("c")]))).rejects.toMatchObject({
    kind: "invalid",
  });
  await expect(bench.drive(bench.pool.snapshot([copy("c"), copy("a")]))).rejects.toMatchObject({
    kind: "exists",
  });
  const many = Array.from({ length: 100 }, (_, index) => copy(`many ${index}`));
  await expect(bench.drive(bench.pool.snapshot(many))).rejects.toThrow(/about \d\d/);
  expect(bench.pool.volumes()).toHaveLength(3);
});

test("a snapshot that would break a promise is refused", async () => {
  const bench = await PoolBench.make();
  const sizeBytes = 20 * MIB;
  const spec = { name: "kept", uuid: bench.uuid(), sizeBytes, reservedBytes: sizeBytes };
  const kept = await bench.drive(bench.pool.createVolume(spec));
  await bench.fill(kept, 0, sizeBytes / EXTENT, 1);
  const first = await bench.snapshot(kept, "first");
  // The volume can be written once more as a whole, and that is promised.
  expect(bench.pool.usage().reservedBytes).toBe(sizeBytes);
  await bench.fill(kept, 0, sizeBytes / EXTENT, 2);
  await expect(bench.snapshot(kept, "second")).rejects.toThrow(
    /to keep what is reserved, a copy of kept needs 20971520 bytes/,
  );
  expect(await bench.byteAt(first, 3)).toBe(1);
  await bench.fill(kept, 0, 1, 3);
  await bench.drive(bench.pool.delete(first));
  await bench.pass(1000);
  await bench.snapshot(kept, "second");
  await bench.expectSound();
});

test("a clone counts against the limit of what is promised, a snapshot does not", async () => {
  const bench = await PoolBench.make({ overcommitMax: 1 });
  const { capacityBytes } = bench.pool.usage();
  const volume = await bench.create("data", Math.floor(capacityBytes / 1024) * 512 + 512);
  const snapshot = await bench.snapshot(volume, "monday");
  await expect(bench.snapshot(volume, "clone", false)).rejects.toMatchObject({ kind: "space" });
  await expect(
    bench.drive(bench.pool.setAttributes(snapshot, { readOnly: false })),
  ).rejects.toMatchObject({ kind: "space" });
});

test("a thousand snapshots, each what the volume was, deleted in random order", async () => {
  const COUNT = 1000;
  const EXTENTS = 8;
  const seed = chooseSeed(process.env);
  const random = new SeededRandom(seed);
  const bench = await PoolBench.make({ sizeBytes: 128 * MIB });
  const { freeBytes } = bench.pool.usage();
  const volume = await bench.create("data", EXTENTS * EXTENT);
  const content = new Uint8Array(EXTENTS);
  const copies: { volume: ThinVolume; content: Uint8Array }[] = [];
  for (let index = 0; index < COUNT; index += 1) {
    const lext = random.below(EXTENTS);
    content[lext] = 1 + random.below(255);
    await bench.fill(volume, lext, 1, content[lext]);
    copies.push({ volume: await bench.snapshot(volume, `s${index}`), content: content.slice() });
    if (index % 50 === 0) await bench.pass(1000);
  }
  expect(bench.pool.volumes()).toHaveLength(COUNT + 1);
  while (copies.length > 0) {
    const [copy] = copies.splice(random.below(copies.length), 1);
    const lext = random.below(EXTENTS);
    expect(await bench.byteAt(copy!.volume, lext), `seed ${seed}`).toBe(copy!.content[lext]);
    await bench.drive(bench.pool.delete(copy!.volume));
    if (copies.length % 100 === 0) await bench.pass(1000);
  }
  for (let lext = 0; lext < EXTENTS; lext += 1) {
    expect(await bench.byteAt(volume, lext), `seed ${seed}`).toBe(content[lext]);
  }
  await bench.drive(bench.pool.delete(volume));
  await bench.pass(2000);
  await bench.drive(bench.pool.checkpoint());
  await bench.drive(bench.pool.checkpoint());
  await bench.drive(bench.pool.checkpoint());
  expect(bench.pool.usage().dataBytes).toBe(0);
  expect(bench.pool.usage().freeBytes).toBeGreaterThan(freeBytes - MIB);
  await bench.expectSound();
});
