import { expect, test } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { IoKind, type IoRequest, readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench, uuidOf } from "./support/pool-bench.ts";

const TIB = 2 ** 40;

test("a volume is made, found by name and UUID, and reads as zeros", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  expect(volume.attributes).toMatchObject({
    name: "data",
    sizeBytes: 16 * MIB,
    readOnly: false,
    isSnapshot: false,
    createdAt: 1_700_000_000,
  });
  expect(bench.pool.volume("data")).toBe(volume);
  expect(bench.pool.volume(volume.attributes.uuid)).toBe(volume);
  expect(bench.pool.volumes()).toEqual([volume]);
  expect(await bench.byteAt(volume, 3)).toBe(0);
  await bench.fill(volume, 3, 2, 0x11);
  expect(await bench.byteAt(volume, 4)).toBe(0x11);
  expect(bench.pool.usage()).toMatchObject({ mappedBytes: 2 * EXTENT, dataBytes: 2 * EXTENT });
  await bench.expectSound();
});

test("volumes are larger than the pool, unless it has a limit", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("huge", TIB);
  await bench.drive(writeBytes(volume, TIB - 512, Buffer.alloc(512, 7)));
  expect(await bench.drive(readBytes(volume, TIB - 512, 512))).toEqual(Buffer.alloc(512, 7));

  const limited = await PoolBench.make({ overcommitMax: 2 });
  const { capacityBytes } = limited.pool.usage();
  await limited.create("most", Math.floor((2 * capacityBytes) / 512) * 512 - 512);
  await expect(limited.create("more", 1024)).rejects.toMatchObject({ kind: "space" });
  await limited.create("rest", 512);
});

test.each([
  [{ name: "" }, "invalid"],
  [{ name: "a/b" }, "invalid"],
  [{ name: "a\u202eb" }, "invalid"],
  [{ name: uuidOf(77) }, "invalid"],
  [{ name: "data" }, "exists"],
  [{ uuid: "nonsense" }, "invalid"],
  [{ uuid: uuidOf(1) }, "exists"],
  [{ sizeBytes: 0 }, "invalid"],
  [{ sizeBytes: 1000 }, "invalid"],
  [{ sizeBytes: -512 }, "invalid"],
  [{ sizeBytes: 2 ** 51 }, "invalid"],
  [{ sizeBytes: Number.NaN }, "invalid"],
  [{ reservedBytes: 2 * MIB }, "invalid"],
  [{ reservedBytes: -1 }, "invalid"],
  [{ reservedBytes: MIB, quotaBytes: MIB - 512 }, "invalid"],
  [{ sizeBytes: 100 * MIB, reservedBytes: 100 * MIB }, "space"],
])("a volume like %o is refused as %s", async (wrong, kind) => {
  const bench = await PoolBench.make();
  await bench.create("data");
  const spec = { name: "other", uuid: uuidOf(99), sizeBytes: MIB, ...wrong };
  await expect(bench.drive(bench.pool.createVolume(spec))).rejects.toMatchObject({ kind });
  expect(bench.pool.volumes()).toHaveLength(1);
});

test("a reservation keeps its space from others, and is paid for by what is mapped", async () => {
  const bench = await PoolBench.make();
  const sizeBytes = 8 * MIB;
  const spec = { name: "kept", uuid: bench.uuid(), sizeBytes, reservedBytes: sizeBytes };
  const usable = bench.pool.usage().usableBytes;
  const kept = await bench.drive(bench.pool.createVolume(spec));
  expect(bench.pool.usage()).toMatchObject({
    reservedBytes: sizeBytes,
    usableBytes: usable - sizeBytes,
  });
  const other = await bench.create("other", 64 * MIB);
  await bench.fillUp(other);
  await bench.fill(kept, 0, sizeBytes / EXTENT, 0x22);
  expect(bench.pool.usage().reservedBytes).toBe(0);
  expect(await bench.byteAt(kept, 5)).toBe(0x22);
  await bench.expectSound();
});

test("a rename is checked like a new name", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("old");
  await bench.create("taken");
  await expect(bench.drive(bench.pool.rename(volume, "taken"))).rejects.toMatchObject({
    kind: "exists",
  });
  await expect(bench.drive(bench.pool.rename(volume, "a\n"))).rejects.toMatchObject({
    kind: "invalid",
  });
  await bench.drive(bench.pool.rename(volume, "new"));
  expect(bench.pool.volume("new")).toBe(volume);
  expect(() => bench.pool.volume("old")).toThrow("no volume old");
});

test("attributes change, as far as they go together", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", 4 * MIB);
  const change = (changes: Parameters<typeof bench.pool.setAttributes>[1]): Promise<void> =>
    bench.drive(bench.pool.setAttributes(volume, changes));
  await change({ reservedBytes: MIB, quotaBytes: 2 * MIB });
  expect(volume.attributes).toMatchObject({ reservedBytes: MIB, quotaBytes: 2 * MIB });
  await expect(change({ quotaBytes: MIB / 2 })).rejects.toMatchObject({ kind: "invalid" });
  await expect(change({ reservedBytes: 5 * MIB })).rejects.toMatchObject({ kind: "invalid" });
  await change({ readOnly: true });
  await expect(bench.fill(volume, 0, 1, 1)).rejects.toMatchObject({ kind: "read-only" });
  await change({ readOnly: false });
  await bench.fill(volume, 0, (2 * MIB) / EXTENT, 1);
  await expect(bench.fill(volume, 40, 1, 1)).rejects.toMatchObject({ kind: "space" });
});

test("a volume in use is not deleted", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  const events: string[] = [];
  volume.subscribe((event) => events.push(event));
  const release = bench.pool.use(volume);
  await expect(bench.drive(bench.pool.delete(volume))).rejects.toMatchObject({ kind: "busy" });
  await bench.fill(volume, 0, 1, 5);
  expect(await bench.byteAt(volume, 0)).toBe(5);
  release();
  release();
  await bench.drive(bench.pool.delete(volume));
  expect(events).toEqual(["gone"]);
  expect(bench.pool.volumes()).toEqual([]);
  await expect(bench.byteAt(volume, 0)).rejects.toMatchObject({ kind: "gone" });
  expect(() => bench.pool.use(volume)).toThrow("not there any more");
  await expect(bench.drive(bench.pool.delete(volume))).rejects.toMatchObject({ kind: "missing" });
  await expect(bench.snapshot(volume, "late")).rejects.toMatchObject({ kind: "missing" });
});

/** Tells of each write and each flush before it is done. */
class Teller extends MemoryDevice {
  told: () => void = () => undefined;
  toldOfWrite: () => void = () => undefined;

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    this.toldOfWrite();
    return super.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override submit(request: IoRequest): void {
    if (request.kind === IoKind.flush) this.told();
    super.submit(request);
  }
}

test("nobody takes a volume into use while it is being deleted", async () => {
  const disk = new Teller(64 * MIB, "disk");
  const bench = await PoolBench.make({ devices: [disk] });
  const volume = await bench.create("data");
  const outcomes: string[] = [];
  disk.told = () => {
    try {
      bench.pool.use(volume);
      outcomes.push("in use");
    } catch (error) {
      outcomes.push(String(error));
    }
  };
  await bench.drive(bench.pool.delete(volume));
  expect(outcomes.length).toBeGreaterThan(0);
  for (const outcome of outcomes) expect(outcome).toContain("not there any more");
});

test("a volume in use keeps its name, and one that is being renamed is not taken into use under the old one", async () => {
  const disk = new Teller(64 * MIB, "disk");
  const bench = await PoolBench.make({ devices: [disk] });
  const volume = await bench.create("old");
  const release = bench.pool.use(volume);
  await expect(bench.drive(bench.pool.rename(volume, "new"))).rejects.toMatchObject({
    kind: "busy",
  });
  release();
  const outcomes: string[] = [];
  disk.toldOfWrite = () => {
    if (volume.attributes.name !== "old") return;
    try {
      bench.pool.use(volume);
      outcomes.push("in use");
    } catch (error) {
      outcomes.push(String(error));
    }
  };
  await bench.drive(bench.pool.rename(volume, "new"));
  expect(outcomes).toEqual(["PoolError: volume old is being renamed: try again"]);
  bench.pool.use(bench.pool.volume("new"))();
  const again = bench.pool.use(volume);
  await bench.drive(bench.pool.rename(volume, "newer", { whileUsed: true }));
  expect(volume.attributes.name).toBe("newer");
  again();
});

test("the space of a deleted volume comes back in the background", async () => {
  const bench = await PoolBench.make();
  const { freeBytes } = bench.pool.usage();
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 100, 9);
  expect(bench.pool.usage().freeBytes).toBeLessThan(freeBytes);
  await bench.drive(bench.pool.delete(volume));
  await bench.pass(1000);
  expect(bench.pool.usage()).toMatchObject({ freeBytes, mappedBytes: 0, dataBytes: 0 });
  await bench.expectSound();
});
