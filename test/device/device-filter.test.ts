import { expect, it } from "vitest";
import { DeviceFilter } from "../../src/device/device-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
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
