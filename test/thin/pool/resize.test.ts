import { expect, test } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { IoKind, type IoRequest } from "../../../src/util/io-request.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

test("a volume grows while it is in use", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", MIB);
  const events: string[] = [];
  volume.subscribe((event) => events.push(event));
  await bench.fill(volume, 0, 1, 1);
  await bench.drive(bench.pool.resize(volume, 200 * MIB, false));
  expect(events).toEqual(["capacity-changed"]);
  expect(volume.capacityBytes).toBe(200 * MIB);
  await bench.fill(volume, 3000, 1, 2);
  expect([await bench.byteAt(volume, 0), await bench.byteAt(volume, 3000)]).toEqual([1, 2]);
  await bench.expectSound();
});

test("it shrinks only with consent, and what is cut off does not come back", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data", 100 * MIB);
  await bench.fill(volume, 0, 2, 1);
  await bench.fill(volume, 1200, 2, 2);
  const shrink = (sizeBytes: number, consent: boolean): Promise<void> =>
    bench.drive(bench.pool.resize(volume, sizeBytes, consent));
  await expect(shrink(64 * MIB, false)).rejects.toThrow(/would lose its last 36 MiB: .*--shrink/);
  await shrink(1201 * EXTENT, true);
  expect(await bench.byteAt(volume, 1200)).toBe(2);
  await expect(bench.byteAt(volume, 1201)).rejects.toMatchObject({ kind: "range" });
  await shrink(EXTENT, true);
  await shrink(100 * MIB, false);
  expect(await bench.byteAt(volume, 0)).toBe(1);
  for (const lext of [1, 1200, 1201]) expect(await bench.byteAt(volume, lext)).toBe(0);
  await bench.pass(1000);
  expect(bench.pool.usage().mappedBytes).toBe(EXTENT);
  await bench.expectSound();
});

test("what makes no sense is refused", async () => {
  const bench = await PoolBench.make({ overcommitMax: 1 });
  const spec = { name: "data", uuid: bench.uuid(), sizeBytes: 4 * MIB, reservedBytes: 2 * MIB };
  const volume = await bench.drive(bench.pool.createVolume(spec));
  const refused = async (sizeBytes: number, kind: string): Promise<void> =>
    expect(bench.drive(bench.pool.resize(volume, sizeBytes, true))).rejects.toMatchObject({ kind });
  await refused(1000, "invalid");
  await refused(0, "invalid");
  await refused(MIB, "invalid");
  await refused(1024 * MIB, "space");
  const snapshot = await bench.snapshot(volume, "monday");
  await expect(bench.drive(bench.pool.resize(snapshot, 8 * MIB, true))).rejects.toThrow(
    /read-only/,
  );
});

/** Reads nothing any more, when it is told so. */
class Unreadable extends MemoryDevice {
  isBad = false;

  override tryRead(...range: Parameters<MemoryDevice["tryRead"]>): boolean {
    return !this.isBad && super.tryRead(...range);
  }

  override submit(request: IoRequest): void {
    if (this.isBad && request.kind === IoKind.read) {
      request.done(new IoError("medium", "EIO", { object: this.name }));
    } else super.submit(request);
  }
}

test("what lies past the end and cannot be read keeps a volume from growing, with an error of the pool", async () => {
  const disk = new Unreadable(64 * MIB, "disk");
  const bench = await PoolBench.make({ devices: [disk] });
  const volume = await bench.create("data", EXTENT);
  await bench.fill(volume, 0, 1, 1);
  await bench.drive(bench.pool.resize(volume, 512, true));
  disk.isBad = true;
  const growing = bench.drive(bench.pool.resize(volume, EXTENT, false));
  const error: unknown = await growing.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PoolError);
  expect(error).toMatchObject({ kind: "io" });
  expect([volume.capacityBytes, volume.gate.isClosed]).toEqual([512, false]);
  disk.isBad = false;
  await bench.drive(bench.pool.resize(volume, EXTENT, false));
  await bench.expectSound();
});
