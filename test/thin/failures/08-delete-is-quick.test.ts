import { expect, test, vi } from "vitest";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { HEAD_BYTES } from "../../../src/thin/format/layout.ts";
import { IoKind, type IoRequest, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "../pool/support/pool-bench.ts";
import { loggedBench, reopened } from "./support/bench.ts";
import { DeviceLog, LoggedDevice } from "./support/device-log.ts";

/**
 * qubes#5426 and #7514, moby#18314 and #24446: removing or discarding a big thin device takes minutes, during which the pool is
 * busy; people throttle it with scripts.
 *
 * Here a delete is one record and its barrier, whatever the size. The space comes back afterwards, in slices between which others
 * run, and what is passed down to the device is rate-limited, and found again after a reopen.
 */

/** Takes large writes without keeping them: half a GiB of data that nobody reads. */
class Forgetful extends DeviceFilter {
  override submit(request: IoRequest): void {
    if (request.kind === IoKind.write && request.lengthBytes >= EXTENT) request.done(null);
    else super.submit(request);
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return lengthBytes >= EXTENT || super.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** More references than one slice releases. */
const MAPPED_BYTES: number = 600 * MIB;
const SLICE_EXTENTS_MAX = 8192;

test("a delete returns after one record; the space comes back in slices behind it", async () => {
  const log = new DeviceLog();
  const disk = new Forgetful(new MemoryDevice(700 * MIB), "disk");
  const bench = await PoolBench.make({ devices: [new LoggedDevice(disk, log)] });
  const volume = await bench.create("large", MAPPED_BYTES);
  log.isOff = true;
  const data = Buffer.alloc(8 * MIB, 1);
  for (let at = 0; at < MAPPED_BYTES; at += data.length) {
    await bench.drive(writeBytes(volume, at, data));
    await bench.pass(250);
  }
  await bench.drive(bench.pool.sync());
  log.isOff = false;
  const before = bench.pool.usage();
  expect(before.mappedBytes).toBe(MAPPED_BYTES);
  await log.begin();

  // Each look at the clock finds that a slice has taken its time.
  let nowMs = bench.clock.nowMs();
  vi.spyOn(bench.clock, "nowMs").mockImplementation(() => (nowMs += 1));
  // No timer fires meanwhile: what is sliced over timers does not run.
  let isDone = false;
  const deletion = bench.pool.delete(volume).then(() => (isDone = true));
  for (let turns = 0; turns < 100 && !isDone; turns += 1) await turn();
  expect(isDone).toBe(true);
  await deletion;
  const writes = log.writes();
  expect(writes.length).toBeLessThanOrEqual(2);
  for (const { lengthBytes, offsetBytes } of writes) {
    expect(lengthBytes).toBe(4096);
    expect(offsetBytes).toBeGreaterThanOrEqual(HEAD_BYTES);
  }
  expect(log.devices[0]!.reads).toEqual([]);
  expect(bench.pool.usage().volumes).toEqual([]);

  const back = (): number => bench.pool.usage().freeBytes - before.freeBytes;
  const slices = [back()];
  expect(slices[0]).toBeLessThan(MAPPED_BYTES);
  for (let round = 0; round < 50 && back() < MAPPED_BYTES; round += 1) {
    const last = back();
    bench.clock.advance(0);
    await turn();
    slices.push(back() - last);
  }
  expect(back()).toBeGreaterThanOrEqual(MAPPED_BYTES);
  expect(Math.max(...slices)).toBeLessThanOrEqual(2 * SLICE_EXTENTS_MAX * EXTENT);
}, 60_000);

test("what is passed down keeps to its rate, and goes on after a reopen", async () => {
  const settings = { discardBytesPerSecond: MIB };
  const { bench, log } = await loggedBench({ sizesMib: [200], isZero: false, settings });
  const passed = (): number =>
    log.events.reduce((sum, { event }) => sum + (event.kind === "zero" ? event.lengthBytes : 0), 0);
  log.events.length = 0;
  await bench.pass(10_000);
  // One piece is begun when the rate allows a byte; then it has to be made up for.
  expect(passed()).toBe(64 * MIB);
  const free = bench.pool.usage().freeBytes;
  await bench.kill();
  const again = await reopened(bench.devices, false, { discardBytesPerSecond: 1024 * MIB });
  expect(again.pool.usage().freeBytes).toBeGreaterThanOrEqual(free);
  expect(again.pool.state.space.takeForDiscard(1)).not.toBeNull();
  await again.kill();
  await again.pass(5000);
  const { space } = again.pool.state;
  expect(space.takeForDiscard(1)).toBeNull();
  expect(space.punchingExtents).toBe(0);
  await again.expectSound();
}, 60_000);
