import { expect, test } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { flush, IoKind, type IoRequest } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
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

/** Takes its time for flushes, tells of each, and fails those that it still has when it is closed. */
class LateFlusher extends DeviceFilter {
  isClosed: boolean = false;
  begun: () => void = () => undefined;

  override submit(request: IoRequest): void {
    if (request.kind !== IoKind.flush) {
      super.submit(request);
      return;
    }
    this.begun();
    setImmediate(() => {
      if (this.isClosed) request.done(new IoError("gone", "closed", { object: this.name }));
      else super.submit(request);
    });
  }
}

test("a pool that is closed has left no flush behind that could fail", async () => {
  const late = new LateFlusher(new MemoryDevice(40 * MIB), "late");
  const bench = await PoolBench.make({ devices: [late] });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 1, 1);
  const flushes: Promise<unknown>[] = [];
  late.begun = () => flushes.push(flush(volume).catch((error: unknown) => error));
  await bench.close();
  late.isClosed = true;
  expect(flushes.length).toBeGreaterThan(2);
  const failures = (await Promise.all(flushes)).filter((error) => error !== undefined);
  // The one that comes when the volume has been taken away already.
  expect(failures).toMatchObject([{ kind: "gone", object: "data" }]);
  expect([...bench.mark.pools]).toEqual([]);
});

test("a closed pool writes and flushes nothing, whatever it is asked for", async () => {
  const bench = await PoolBench.make();
  const { pool } = bench;
  await bench.create("data");
  const closing = pool.close();
  await expect(pool.checkpoint()).rejects.toMatchObject({ kind: "missing" });
  await expect(pool.sync()).rejects.toMatchObject({ kind: "missing" });
  await bench.drive(closing);
  await expect(pool.checkpoint()).rejects.toMatchObject({ kind: "missing" });
  await bench.open();
  const opened = bench.lines.findLast(({ message }) => message === "pool opened");
  expect(opened?.fields["wasClean"]).toBe(true);
});

/** Keeps writes, when it is told so, until they are let go. */
class WriteKeeper extends MemoryDevice {
  isKeeping = false;
  readonly kept: IoRequest[] = [];
  /** Came since they were let go. */
  writesAfter = 0;

  override tryWrite(...range: Parameters<MemoryDevice["tryWrite"]>): boolean {
    return !this.isKeeping && super.tryWrite(...range);
  }

  override submit(request: IoRequest): void {
    if (this.isKeeping && request.kind === IoKind.write) this.kept.push(request);
    else {
      if (request.kind === IoKind.write) this.writesAfter += 1;
      super.submit(request);
    }
  }

  letAll(): void {
    this.isKeeping = false;
    this.writesAfter = 0;
    for (const request of this.kept.splice(0)) super.submit(request);
  }
}

test("a checkpoint that a pool had begun when it was stopped has ended when it is closed", async () => {
  const disk = new WriteKeeper(64 * MIB, "disk");
  const bench = await PoolBench.make({ devices: [disk] });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 4, 1);
  disk.isKeeping = true;
  const checkpoint = bench.pool.checkpoint().catch((error: unknown) => error);
  await bench.pass(4, 1);
  expect(disk.kept.length).toBeGreaterThan(0);
  bench.pool.fence(new PoolError("foreign", "another host has it"));
  let isClosed = false;
  const closing = bench.close().then(() => {
    isClosed = true;
  });
  await bench.pass(4, 1);
  expect(isClosed).toBe(false);
  disk.letAll();
  await closing;
  expect(await bench.drive(checkpoint)).toMatchObject({ kind: "failed" });
  // Pages of maps were on their way: those above them stay away from what may be another host's places.
  expect(disk.writesAfter).toBe(0);
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

test("a pool says how it was left", async () => {
  const bench = await PoolBench.make();
  await bench.create("data");
  const last = (): unknown =>
    bench.lines.findLast(({ message }) => message === "pool opened")?.fields["wasClean"];
  await bench.close();
  await bench.open();
  expect(last()).toBe(true);
  await bench.kill();
  expect(last()).toBe(false);
});
