import { expect, test } from "vitest";
import { IoError } from "../../../src/util/io-error.ts";
import { discard, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "../pool/support/pool-bench.ts";
import { flushed } from "./support/bench.ts";

/**
 * stratisd#3804, moby#20707, snapper#356, dracut#593: a thin pool that is full makes file systems read-only or hangs their writers;
 * "queued writes get lost on shutdown"; preventing it was held to be "unlikely to be workable in kernel or userspace".
 *
 * Here a write for which there is no space waits a moment, is then refused in a way that initiators try again, and for good when the
 * pool has been full for the configured time. Nothing that was acknowledged is lost, nothing waits for ever, what frees space always
 * works, and what was reserved is there.
 */

const RUN = { holdMs: 500, fullRetryMs: 5000 };

function kindOf(write: Promise<void>): Promise<string> {
  return write.then(
    () => "written",
    (error: unknown) => (error instanceof IoError ? error.kind : String(error)),
  );
}

test("a full pool says try again, then that it is full, and loses nothing", async () => {
  const bench = await PoolBench.make({ sizeBytes: 24 * MIB, settings: RUN });
  const kept = await bench.drive(
    bench.pool.createVolume({
      name: "kept",
      uuid: bench.uuid(),
      sizeBytes: 8 * EXTENT,
      reservedBytes: 8 * EXTENT,
    }),
  );
  const volume = await bench.create("data", 64 * MIB);
  const extents = await bench.fillUp(volume, 0x11);
  const write = (lext: number): Promise<string> =>
    kindOf(writeBytes(volume, lext * EXTENT, Buffer.alloc(EXTENT, 0x22)));

  const first = write(extents);
  await bench.pass(1000);
  expect(await first).toBe("space-pending");
  await bench.pass(6000);
  expect(await bench.drive(write(extents))).toBe("space");
  expect(bench.spaceEvents()).toContain("full");

  // In use all the same: what is mapped is written in place, flushed and read; what is reserved is there; a copy that could not keep the promise is refused.
  expect(await bench.drive(write(0))).toBe("written");
  await flushed(bench, volume);
  expect(await bench.byteAt(volume, 0)).toBe(0x22);
  await bench.fill(kept, 0, 8, 0x33);
  await expect(bench.snapshot(kept, "too much")).rejects.toMatchObject({ kind: "space" });

  // Whoever waits when the pool closes or dies is told, and has not been told otherwise before.
  await bench.drive(discard(volume, EXTENT, EXTENT));
  await bench.pass(1500);
  expect(await bench.drive(write(extents))).toBe("written");
  const waiting = write(extents + 1);
  await bench.close();
  expect(["gone", "space-pending", "space"]).toContain(await waiting);

  await bench.open();
  const again = bench.pool.volume("data");
  expect(await bench.byteAt(again, 0)).toBe(0x22);
  expect(await bench.byteAt(again, 1)).toBe(0);
  expect(await bench.byteAt(again, extents - 1)).toBe(0x11);
  expect(await bench.byteAt(again, extents)).toBe(0x22);
  expect(await bench.byteAt(again, extents + 1)).toBe(0);
  expect(await bench.byteAt(bench.pool.volume("kept"), 7)).toBe(0x33);
  await bench.expectSound();
}, 60_000);
