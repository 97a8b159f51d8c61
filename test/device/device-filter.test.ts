import { expect, it } from "vitest";
import { DeviceFilter } from "../../src/device/device-filter.ts";
import type { FlushFailureListener } from "../../src/device/group-flush.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { DeviceSlice } from "../../src/device/slice.ts";
import { IoError } from "../../src/util/io-error.ts";
import { readBytes, writeBytes } from "../../src/util/io-request.ts";

class Plain extends DeviceFilter {}

it("passes everything through, and closes what it stands on", async () => {
  const below = new MemoryDevice(8192);
  const filter = new Plain(below, "plain");
  expect([filter.name, filter.capacityBytes, filter.traits]).toEqual(["plain", 8192, below.traits]);
  expect(filter.tryWrite(Buffer.from("abc"), 1, 2, 10)).toBe(true);
  await writeBytes(filter, 12, Buffer.from("d"));
  const buffer = Buffer.alloc(3);
  expect(filter.tryRead(buffer, 0, 3, 10)).toBe(true);
  expect(buffer.toString()).toBe("bcd");
  below.resize(4096);
  expect(await filter.refreshCapacity()).toBe(4096);
  await filter.close();
  await expect(readBytes(below, 0, 1)).rejects.toMatchObject({ kind: "gone" });
});

/** Says that a flush has failed, as often as the test wants. */
class FailingBelow extends MemoryDevice {
  readonly listeners = new Set<FlushFailureListener>();

  override onFlushFailure(listener?: FlushFailureListener): () => void {
    if (listener !== undefined) this.listeners.add(listener);
    return () => void (listener !== undefined && this.listeners.delete(listener));
  }
}

it("passes on that writes are refused, and that a flush has failed", async () => {
  const below = new FailingBelow(8192);
  const stack = new DeviceSlice(new Plain(below, "plain"), 0, 4096);
  const error = new IoError("failed", "another host has it", { object: "pool" });
  const told: IoError[] = [];
  const unsubscribe = stack.onFlushFailure((failure) => told.push(failure));
  for (const listener of below.listeners) listener(error);
  unsubscribe();
  expect([told, below.listeners.size]).toEqual([[error], 0]);
  stack.refuseWrites(error);
  await expect(writeBytes(below, 0, Buffer.from("x"))).rejects.toBe(error);
});
