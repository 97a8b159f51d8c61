import { describe, expect, it } from "vitest";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { DeviceSlice } from "../../src/device/slice.ts";
import { flush, readBytes, writeBytes } from "../../src/util/io-request.ts";

describe("DeviceSlice", () => {
  it("shows its range of the device below", async () => {
    const below = new MemoryDevice(10_000);
    const slice = new DeviceSlice(below, 1000, 500);
    expect(slice.capacityBytes).toBe(500);
    expect(slice.traits).toBe(below.traits);
    await writeBytes(slice, 10, Buffer.from("abc"));
    expect(slice.tryWrite(Buffer.from("xdef"), 1, 3, 13)).toBe(true);
    expect((await readBytes(below, 1010, 6)).toString()).toBe("abcdef");
    expect((await readBytes(slice, 10, 6)).toString()).toBe("abcdef");
    await flush(slice);
  });

  it("lets nothing past its ends", async () => {
    const slice = new DeviceSlice(new MemoryDevice(10_000), 1000, 500);
    const buffer = Buffer.alloc(2);
    expect(slice.tryRead(buffer, 0, 2, 499)).toBe(false);
    expect(slice.tryRead(buffer, 0, 2, -1)).toBe(false);
    expect(slice.tryWrite(buffer, 0, 2, 499)).toBe(false);
    await expect(writeBytes(slice, 499, buffer)).rejects.toMatchObject({ kind: "range" });
    expect(() => new DeviceSlice(new MemoryDevice(10), 5, 6)).toThrow("lies within");
  });

  it("becomes shorter with its device", async () => {
    const below = new MemoryDevice(2000);
    const slice = new DeviceSlice(below, 1000, 1000);
    below.resize(1300);
    expect(await slice.refreshCapacity()).toBe(300);
    below.resize(500);
    expect(slice.capacityBytes).toBe(0);
    below.resize(5000);
    expect(slice.capacityBytes).toBe(1000);
  });

  it("closes without closing the device below", async () => {
    const below = new MemoryDevice(2000);
    const slice = new DeviceSlice(below, 0, 1000);
    await slice.close();
    expect(slice.tryRead(Buffer.alloc(1), 0, 1, 0)).toBe(false);
    await expect(readBytes(slice, 0, 1)).rejects.toMatchObject({ kind: "gone" });
    await readBytes(below, 0, 1);
  });
});
