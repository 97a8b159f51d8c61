import { expect, test } from "vitest";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { discard, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

/** A pool of which the last extent that may be used is used. */
async function fullBench(): Promise<{ bench: PoolBench; volume: ThinVolume; extents: number }> {
  const bench = await PoolBench.make({ sizeBytes: 40 * MIB });
  const volume = await bench.create("data", 64 * MIB);
  const extents = await bench.fillUp(volume, 0xee);
  return { bench, volume, extents };
}

/** What became of a write, without waiting for it. */
function watch(work: Promise<unknown>): { result: string } {
  const watched = { result: "waits" };
  work.then(
    () => (watched.result = "done"),
    (error: unknown) => (watched.result = (error as { kind: string }).kind),
  );
  return watched;
}

test("a write into a full pool waits, then fails as one that can be tried again, later for good", async () => {
  const { bench, volume, extents } = await fullBench();
  const first = watch(writeBytes(volume, extents * EXTENT, Buffer.alloc(EXTENT, 1)));
  await bench.pass(750);
  expect(first.result).toBe("waits");
  await bench.pass(500);
  expect(first.result).toBe("space-pending");
  await bench.pass(60_000, 5000);
  const late = watch(writeBytes(volume, extents * EXTENT, Buffer.alloc(EXTENT, 1)));
  await bench.pass(0);
  await bench.drive(Promise.resolve());
  expect(late.result).toBe("space");
  expect(bench.spaceEvents()).toEqual(["full"]);
  expect(bench.lines.some(({ message }) => message.startsWith("the pool is full"))).toBe(true);
  // What is there can be read and written all the same.
  await bench.fill(volume, 0, 1, 2);
  expect(await bench.byteAt(volume, 0)).toBe(2);
  expect(await bench.byteAt(volume, extents)).toBe(0);
  await bench.expectSound();
});

test.each(["unmap", "delete", "snapshot delete"])(
  "it goes on when %s frees space",
  async (kind) => {
    const bench = await PoolBench.make({ sizeBytes: 40 * MIB });
    const other = await bench.create("other", 4 * MIB);
    await bench.fill(other, 0, 8, 5);
    let victim = other;
    if (kind === "snapshot delete") {
      victim = await bench.snapshot(other, "monday");
      await bench.fill(other, 0, 8, 6);
    }
    const volume = await bench.create("data", 64 * MIB);
    const extents = await bench.fillUp(volume);
    const write = watch(writeBytes(volume, extents * EXTENT, Buffer.alloc(EXTENT, 1)));
    await bench.pass(250);
    expect(write.result).toBe("waits");
    if (kind === "unmap") await bench.drive(discard(other, 0, 8 * EXTENT));
    else await bench.drive(bench.pool.delete(victim));
    await bench.pass(250);
    expect(write.result).toBe("done");
    expect(await bench.byteAt(volume, extents)).toBe(1);
    expect(bench.events.map((event) => event.kind)).toContain("space-available");
    await bench.expectSound();
  },
);

test("snapshots, checkpoints and a clean end work in a full pool", async () => {
  const { bench, volume } = await fullBench();
  const snapshot = await bench.snapshot(volume, "monday");
  for (let count = 0; count < 5; count += 1) await bench.drive(bench.pool.checkpoint());
  const write = watch(writeBytes(volume, 0, Buffer.alloc(EXTENT, 1)));
  await bench.pass(1250);
  expect(write.result).toBe("space-pending");
  await bench.drive(bench.pool.delete(snapshot));
  await bench.pass(1000);
  await bench.fill(volume, 0, 1, 1);
  await bench.close();
  await bench.open();
  expect(await bench.byteAt(bench.pool.volume("data"), 0)).toBe(1);
  await bench.expectSound();
});

test("waiting writes do not keep an operation on their volume", async () => {
  const { bench, volume, extents } = await fullBench();
  const write = watch(writeBytes(volume, extents * EXTENT, Buffer.alloc(EXTENT, 1)));
  await bench.pass(250);
  await bench.drive(bench.pool.delete(volume));
  await bench.pass(1250);
  expect(write.result).toBe("gone");
});

test("who waits for space does not wait for the next round of housekeeping", async () => {
  const { bench, volume, extents } = await fullBench();
  await bench.drive(discard(volume, 0, 8 * EXTENT));
  await bench.drive(writeBytes(volume, extents * EXTENT, Buffer.alloc(EXTENT, 1)));
  expect(await bench.byteAt(volume, extents)).toBe(1);
});

test("a pool that is closed does not wait for what is to make it larger", async () => {
  let isWorking = false;
  const bench = await PoolBench.make({
    sizeBytes: 40 * MIB,
    settings: {
      growth: {
        lowWaterBytes: 64 * MIB,
        stepBytes: 8 * MIB,
        grower: ({ signal }) => {
          isWorking = true;
          return new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(new Error("it was killed")));
          });
        },
      },
    },
  });
  await bench.pass(2000);
  expect(isWorking).toBe(true);
  await bench.close();
  expect(bench.lines.filter(({ message }) => message.includes("grown"))).toEqual([]);
});
