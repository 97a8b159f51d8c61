import { describe, expect, it } from "vitest";
import type { BlockDevice, DeviceTraits } from "../../../src/device/block-device.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { readBytes } from "../../../src/util/io-request.ts";
import { IoKind } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { compareWithBuffer } from "../../device/contract.ts";
import { TestRequest } from "../../device/test-request.ts";
import { TestPool } from "./test-pool.ts";

const seed = chooseSeed(process.env);
const KIB = 1024;
const MIB = 1024 * KIB;

const TRAITS: DeviceTraits = { ...new MemoryDevice(0).traits, discardZeroes: false };

/** A volume where a device is wanted. What discard leaves of partial extents is not comparable. */
function asDevice(volume: ThinVolume): BlockDevice {
  return {
    name: volume.attributes.name,
    traits: TRAITS,
    capacityBytes: volume.capacityBytes,
    tryRead: (...where) => volume.tryRead(...where),
    tryWrite: (...where) => volume.tryWrite(...where),
    submit: (request) => volume.submit(request),
    refuseWrites: () => undefined,
    onFlushFailure: () => () => undefined,
    refreshCapacity: () => Promise.resolve(volume.capacityBytes),
    close: () => Promise.resolve(),
  };
}

const variants = [16, 64, 1024].flatMap((extentKib) =>
  [true, false].flatMap((isDirty) =>
    [true, false].map((isSlow) => [extentKib, isDirty, isSlow] as const),
  ),
);

describe(`random operations on a volume leave what they would leave in a buffer (seed ${seed})`, () => {
  it.each(variants)(
    "extents of %i KiB, garbage: %s, slow: %s",
    async (extentKib, isDirty, isSlow) => {
      const extentBytes = extentKib * KIB;
      const sizeBytes = Math.max(3 * MIB, 5 * extentBytes) + 4608;
      const pool = await TestPool.make({
        extentBytes,
        isDirty,
        extents: 2 * Math.ceil(sizeBytes / extentBytes),
        devices: 2,
        ...(isSlow ? { random: new SeededRandom(seed) } : {}),
      });
      const volume = await pool.create(sizeBytes);
      await compareWithBuffer(asDevice(volume), seed, 250, 1);
      await pool.settle();
      expect(pool.state.space.pinnedExtents).toBe(0);
      expect(volume.gate.changes + volume.gate.reads).toBe(0);
    },
  );
});

async function end(volume: ThinVolume, request: TestRequest): Promise<TestRequest> {
  volume.submit(request);
  await request.ended;
  expect(request.doneCount).toBe(1);
  return request;
}

function write(volume: ThinVolume, offset: number, data: Buffer): Promise<TestRequest> {
  return end(volume, new TestRequest(IoKind.write, offset, [data]));
}

describe("a volume", () => {
  it("refuses what it cannot do, with the reason", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(MIB, { readOnly: true });
    const data = Buffer.alloc(512, 1);
    expect((await write(volume, 0, data)).error?.kind).toBe("read-only");
    expect(volume.tryWrite(data, 0, 512, 0)).toBe(false);
    const past = await end(volume, new TestRequest(IoKind.read, MIB - 1, [data]));
    expect(past.error?.kind).toBe("range");
    expect(volume.tryRead(data, 0, 512, MIB)).toBe(false);
    expect(volume.tryRead(data, 0, 512, Number.NaN)).toBe(false);
    volume.markGone();
    expect((await end(volume, new TestRequest(IoKind.read, 0, [data]))).error?.kind).toBe("gone");
    expect((await end(volume, new TestRequest(IoKind.flush))).error?.kind).toBe("gone");
    expect(volume.isGone).toBe(true);
  });

  it("refuses everything once the pool has stopped", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(MIB);
    await write(volume, 0, Buffer.alloc(512, 1));
    pool.device.faults.push({ kind: "medium", matches: ({ kind }) => kind === IoKind.flush });
    const flush = await end(volume, new TestRequest(IoKind.flush));
    expect(flush.error?.kind).toBe("failed");
    for (const kind of [IoKind.read, IoKind.write, IoKind.flush]) {
      const request = new TestRequest(kind, 0, [Buffer.alloc(512, 1)]);
      expect((await end(volume, request)).error?.kind).toBe("failed");
    }
    expect(volume.tryRead(Buffer.alloc(512), 0, 512, 0)).toBe(false);
    expect(volume.tryWrite(Buffer.alloc(512), 0, 512, 0)).toBe(false);
  });

  it("tells its listeners, until they have enough", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(MIB);
    const events: string[] = [];
    const stop = volume.subscribe((event) => events.push(event));
    volume.emit("space-low");
    volume.markGone();
    stop();
    volume.emit("gone");
    expect(events).toEqual(["space-low", "gone"]);
  });

  it("does everything that is of no length", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(MIB);
    for (const kind of [IoKind.read, IoKind.write, IoKind.discard, IoKind.writeZeroes]) {
      expect((await end(volume, new TestRequest(kind, MIB, []))).error).toBeNull();
    }
    expect(pool.records).toEqual([]);
  });

  it("has a flush cost one barrier", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(MIB);
    await write(volume, 0, Buffer.alloc(512, 1));
    pool.resetCounts();
    await end(volume, new TestRequest(IoKind.flush));
    expect(pool.device.flushes).toBe(1);
    expect((await readBytes(volume, 0, 1))[0]).toBe(1);
  });
});
