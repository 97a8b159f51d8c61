import { describe, expect, it } from "vitest";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { IoError } from "../../src/util/io-error.ts";
import { discard, flush, IoKind, readBytes, writeBytes } from "../../src/util/io-request.ts";
import { TestRequest } from "./test-request.ts";

const MIB = 1024 * 1024;

describe("MemoryDevice", () => {
  it("takes memory as it is written, and gives it back when it is discarded", async () => {
    const device = new MemoryDevice(1024 * MIB);
    expect(device.allocatedBytes).toBe(0);
    await readBytes(device, 0, 3 * MIB);
    expect(device.allocatedBytes).toBe(0);
    await writeBytes(device, 5 * MIB - 1, Buffer.from("ab"));
    expect(device.allocatedBytes).toBe(2 * MIB);
    await discard(device, 4 * MIB, 2 * MIB);
    expect(device.allocatedBytes).toBe(0);
    await flush(device);
  });

  it("completes before submit returns", () => {
    const device = new MemoryDevice(MIB);
    const request = new TestRequest(IoKind.write, 0, [Buffer.from("abc"), Buffer.from("de")]);
    device.submit(request);
    expect([request.doneCount, request.error]).toEqual([1, null]);
    const buffer = Buffer.alloc(7, "-");
    expect(device.tryRead(buffer, 1, 5, 0)).toBe(true);
    expect(buffer.toString()).toBe("-abcde-");
  });

  it("changes nothing any more once it refuses writes, and serves the rest", async () => {
    const device = new MemoryDevice(MIB);
    await writeBytes(device, 0, Buffer.from("abc"));
    const error = new IoError("failed", "another host has it", { object: "pool" });
    device.refuseWrites(error);
    device.refuseWrites(new IoError("failed", "again", { object: "pool" }));
    expect(device.tryWrite(Buffer.from("x"), 0, 1, 0)).toBe(false);
    for (const kind of [IoKind.write, IoKind.discard, IoKind.writeZeroes]) {
      const request = new TestRequest(kind, 0, kind === IoKind.write ? [Buffer.from("xyz")] : 3);
      device.submit(request);
      expect(request.error).toBe(error);
    }
    await flush(device);
    expect((await readBytes(device, 0, 3)).toString()).toBe("abc");
  });

  it("refuses what lies outside", async () => {
    const device = new MemoryDevice(MIB);
    expect(device.tryRead(Buffer.alloc(2), 0, 2, MIB - 1)).toBe(false);
    expect(device.tryWrite(Buffer.alloc(2), 0, 2, MIB - 1)).toBe(false);
    expect(device.tryWrite(Buffer.alloc(2), 0, 2, -1)).toBe(false);
    await expect(readBytes(device, MIB, 1)).rejects.toMatchObject({ kind: "range" });
  });

  it("changes its capacity, and forgets what it cuts off", async () => {
    const device = new MemoryDevice(MIB);
    await writeBytes(device, MIB - 4, Buffer.from("tail"));
    device.resize(MIB - 2);
    expect(await device.refreshCapacity()).toBe(MIB - 2);
    device.resize(3 * MIB);
    expect((await readBytes(device, MIB - 4, 6)).toString("latin1")).toBe("ta\0\0\0\0");
    await writeBytes(device, 3 * MIB - 1, Buffer.from("x"));
  });

  it("is gone when it is closed", async () => {
    const device = new MemoryDevice(MIB);
    await device.close();
    await device.close();
    expect(device.tryRead(Buffer.alloc(1), 0, 1, 0)).toBe(false);
    await expect(readBytes(device, 0, 1)).rejects.toMatchObject({ kind: "gone" });
  });

  it.each([-1, 0.5, NaN, 2 ** 60])("refuses a capacity of %d", (capacity) => {
    expect(() => new MemoryDevice(capacity)).toThrow("a capacity");
  });
});
