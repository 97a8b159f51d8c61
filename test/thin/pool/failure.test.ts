import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { BlockDevice } from "../../../src/device/block-device.ts";
import { DelayFilter } from "../../../src/device/delay-filter.ts";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { Health } from "../../../src/thin/log/health.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { watchFailure } from "../../../src/thin/pool/failure.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { Pool } from "../../../src/thin/pool/pool.ts";
import {
  discard,
  flush,
  IoKind,
  type IoRequest,
  readBytes,
  writeBytes,
  writeStable,
  writeZeroes,
} from "../../../src/util/io-request.ts";
import { silentLog } from "../../../src/util/log.ts";
import { ControlledCalls } from "../../device/controlled-calls.ts";
import { scratchFolder } from "../../device/loop-device.ts";
import { copyOf, MIB, PoolBench } from "./support/pool-bench.ts";

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

/** A device that can lose its cache while the machine stays up: the next flush fails, once, and what no flush covered is gone. */
class ForgetfulDevice extends DeviceFilter {
  readonly #memory: MemoryDevice;
  #flushed: MemoryDevice | null = null;
  #held: IoRequest[] | null = null;

  constructor(memory: MemoryDevice) {
    super(memory, memory.name);
    this.#memory = memory;
  }

  /** All of now is stable, and nothing that comes after it; reads wait until {@link letReads}. */
  async begin(): Promise<void> {
    this.#flushed = await copyOf(this.#memory);
    this.#held = [];
  }

  letReads(): void {
    for (const request of this.#held ?? []) super.submit(request);
    this.#held = null;
  }

  override tryRead(...range: Parameters<BlockDevice["tryRead"]>): boolean {
    return this.#held === null && super.tryRead(...range);
  }

  override submit(request: IoRequest): void {
    const before = this.#flushed;
    if (request.kind === IoKind.flush && before !== null) {
      this.#flushed = null;
      const piece = Buffer.alloc(MIB);
      for (let at = 0; at < before.capacityBytes; at += MIB) {
        before.tryRead(piece, 0, MIB, at);
        this.#memory.tryWrite(piece, 0, MIB, at);
      }
      request.done(new IoError("medium", "the cache is lost", { object: this.name }));
    } else if (request.kind === IoKind.read && this.#held !== null) this.#held.push(request);
    else super.submit(request);
  }
}

test("when a device has lost its cache, nothing shows what it has instead, and nothing goes on when its flushes succeed again", async () => {
  const disk = new ForgetfulDevice(new MemoryDevice(16 * MIB, "disk"));
  const bench = await PoolBench.make({ devices: [disk] });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 2, 1);
  await bench.drive(flush(volume));
  await disk.begin();
  await bench.fill(volume, 0, 1, 2);
  const read = readBytes(volume, 0, 512);
  await expect(bench.drive(flush(volume))).rejects.toMatchObject({ kind: "failed" });
  disk.letReads();
  await expect(bench.drive(read)).rejects.toMatchObject({ kind: "failed" });
  await flush(disk);
  const sector = Buffer.alloc(512, 3);
  const { pool } = bench;
  const attempts: (() => Promise<unknown>)[] = [
    () => flush(volume),
    () => readBytes(volume, 0, 512),
    () => writeBytes(volume, 0, sector),
    () => writeStable(volume, 0, sector),
    () => discard(volume, 0, volume.capacityBytes),
    () => writeZeroes(volume, 0, 512),
    () => pool.sync(),
    () => pool.checkpoint(),
    () => bench.snapshot(volume, "copy"),
    () => pool.resize(volume, 32 * MIB, false),
    () => pool.delete(volume),
  ];
  for (const attempt of attempts) {
    await expect(bench.drive(attempt())).rejects.toMatchObject({ kind: "failed" });
  }
  expect(volume.tryRead(Buffer.alloc(512), 0, 512, 0)).toBe(false);
  expect(volume.tryWrite(sector, 0, 512, 0)).toBe(false);
  await bench.close();
  bench.mark.pools.clear();
  bench.bootId = "11111111-2222-4333-8444-555555555555";
  await bench.open();
  expect(await bench.byteAt(bench.pool.volume("data"), 0)).toBe(1);
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

test("the mark is set before anybody is told", () => {
  const health = new Health("tank");
  const order: string[] = [];
  const failureMark = { isSet: () => Promise.resolve(false), set: () => order.push("mark") };
  watchFailure("some UUID", { health, failureMark, log: silentLog }, () => order.push("told"));
  health.fail(new IoError("failed", "a flush failed", { object: "tank" }));
  expect(order).toEqual(["mark", "told"]);
});

test("a pool that is fenced takes nothing more, leaves no mark, and goes on when it is opened again", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 1, 1);
  bench.pool.fence(new PoolError("foreign", "another host has it"));
  await expect(bench.drive(writeBytes(volume, 0, Buffer.alloc(512)))).rejects.toMatchObject({
    kind: "failed",
  });
  expect(bench.pool.failure?.message).toContain("another host has it");
  await bench.close();
  // The devices are opened anew for that: those that the pool had take no writes any more.
  await expect(bench.open()).rejects.toMatchObject({ kind: "failed" });
  expect(bench.mark.pools.size).toBe(0);
  await bench.kill();
  expect(await bench.byteAt(bench.pool.volume("data"), 0)).toBe(1);
  await bench.expectSound();
});

/** Keeps flushes until the test says how they end. */
class KeptFlushes extends DeviceFilter {
  isKeeping = false;
  readonly kept: IoRequest[] = [];

  override submit(request: IoRequest): void {
    if (this.isKeeping && request.kind === IoKind.flush) this.kept.push(request);
    else super.submit(request);
  }
}

test("a flush that fails after the pool was fenced leaves the mark all the same", async () => {
  const disk = new KeptFlushes(new MemoryDevice(64 * MIB), "disk");
  const bench = await PoolBench.make({ devices: [disk] });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 1, 1);
  disk.isKeeping = true;
  const flushing = flush(volume).catch((error: unknown) => error);
  await bench.pass(4, 1);
  expect(disk.kept).toHaveLength(1);
  bench.pool.fence(new PoolError("io", "the pool's heartbeat could not be written"));
  expect(bench.mark.pools.size).toBe(0);
  for (const request of disk.kept) {
    request.done(new IoError("medium", "the cache is lost", { object: "disk" }));
  }
  expect(await bench.drive(flushing)).toMatchObject({ kind: "failed" });
  expect(bench.pool.failure?.message).toContain("heartbeat");
  const late = bench.lines.filter(({ message }) => message.includes("after the pool had stopped"));
  expect(late).toHaveLength(1);
  expect(bench.mark.pools.has(bench.pool.uuid)).toBe(true);
  await bench.close();
  await expect(bench.open()).rejects.toThrow(/has failed since this machine was started/);
});

/** A device that flushes by itself, and says how that went. */
class SelfFlusher extends DeviceFilter {
  readonly listeners = new Set<(error: IoError) => void>();

  override onFlushFailure(listener: (error: IoError) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  fail(): void {
    const error = new IoError("failed", "a flush failed", { object: this.name });
    for (const listener of this.listeners) listener(error);
  }
}

test("a flush that a device has begun by itself stops the pool, and leaves the mark, as soon as it fails", async () => {
  const disk = new SelfFlusher(new MemoryDevice(64 * MIB), "disk");
  const bench = await PoolBench.make({ devices: [disk] });
  const added = new SelfFlusher(new MemoryDevice(64 * MIB), "second");
  await bench.drive(bench.pool.addDevice(added, { uuid: bench.uuid(), isZero: true }));
  expect([disk.listeners.size, added.listeners.size]).toEqual([1, 1]);
  added.fail();
  expect(bench.mark.pools.has(bench.pool.uuid)).toBe(true);
  expect(bench.pool.failure?.kind).toBe("failed");
});

/** A pool on a file whose writes all go through the queue of its device, as past the page cache, and a volume that has data. */
async function fencedBench(
  folder: string,
  name: string,
): Promise<{ bench: PoolBench; calls: ControlledCalls; volume: ThinVolume; path: string }> {
  const path = join(folder, name);
  await createImageFile(path, 64 * MIB);
  const calls = new ControlledCalls();
  const file = await FileDevice.open(path, { calls, lock: false });
  const disk = new DelayFilter(file, 0, (callback) => callback());
  const bench = await PoolBench.make({ devices: [disk] });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 1, 1);
  await bench.drive(flush(volume));
  calls.isHolding = true;
  return { bench, calls, volume, path };
}

describe("a pool that is fenced while its devices are stuck", () => {
  const folder = scratchFolder();
  const reason = new PoolError("failed", "no heartbeat: another host may have the pool by now");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("writes no data that waits in a queue when they come back: the extents may be another volume's by then", async () => {
    const { bench, calls, volume, path } = await fencedBench(folder, "data");
    const before = calls.writes;
    const writes = Array.from({ length: 14 }, (_, index) => {
      return writeBytes(volume, index * 4096, Buffer.alloc(4096, 2)).catch(
        (error: unknown) => error,
      );
    });
    expect(calls.writes - before).toBe(8);
    bench.pool.fence(reason);
    const content = readFileSync(path);
    calls.isHolding = false;
    calls.release();
    for (const ended of await bench.drive(Promise.all(writes))) {
      expect(ended).toMatchObject({ kind: "failed" });
    }
    expect(calls.writes - before).toBe(8);
    await bench.close();
    const changed = readFileSync(path);
    let blocks = 0;
    for (let at = 0; at < content.length; at += 4096) {
      if (content.compare(changed, at, at + 4096, at, at + 4096) !== 0) blocks += 1;
    }
    expect(blocks).toBe(8);
    expect(bench.mark.pools.size).toBe(0);
    await bench.devices[0]!.close();
  });

  test("writes nothing more, and leaves its mark, where it had failed by itself before", async () => {
    const { bench, calls, volume } = await fencedBench(folder, "failed");
    const before = calls.writes;
    const writes = Array.from({ length: 30 }, (_, index) => {
      return writeBytes(volume, (index % 16) * 4096, Buffer.alloc(4096, 2)).catch(
        (error: unknown) => error,
      );
    });
    calls.syncErrors.push("EIO");
    const flushing = expect(flush(volume)).rejects.toMatchObject({ kind: "failed" });
    calls.release();
    await bench.drive(flushing);
    const begun = calls.writes - before;
    expect(begun).toBeLessThan(30);
    expect(bench.mark.pools.size).toBe(1);
    bench.pool.fence(reason);
    calls.isHolding = false;
    calls.release();
    await bench.drive(Promise.all(writes));
    expect(calls.writes - before).toBe(begun);
    await bench.close();
    expect(bench.mark.pools.size).toBe(1);
    await bench.devices[0]!.close();
  });

  test("writes no block of the journal that waits in a queue: its place in the ring may be the other's by then", async () => {
    const { bench, calls, volume } = await fencedBench(folder, "journal");
    const writes = Array.from({ length: 8 }, (_, index) => {
      return writeBytes(volume, index * 4096, Buffer.alloc(4096, 2)).catch(
        (error: unknown) => error,
      );
    });
    const before = calls.writes;
    const creating = bench.create("more").catch((error: unknown) => error);
    await bench.pass(4, 1);
    bench.pool.fence(reason);
    calls.isHolding = false;
    calls.release();
    await bench.drive(Promise.all(writes));
    expect(await creating).toMatchObject({ kind: "failed" });
    await bench.close();
    expect([calls.writes - before, bench.mark.pools.size]).toEqual([0, 0]);
    await bench.devices[0]!.close();
  });
});
