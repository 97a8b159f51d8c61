import { describe, expect, it } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { ProbeView } from "../../../src/thin/members/probe-view.ts";
import { writeBytes } from "../../../src/util/io-request.ts";

const MIB = 1024 * 1024;

describe("the view of a device's ends", () => {
  it("has what is in the head and the tail, and nothing between", async () => {
    const device = new MemoryDevice(64 * MIB);
    for (const offset of [0, 8 * MIB - 4, 8 * MIB, 62 * MIB - 4, 62 * MIB, 64 * MIB - 4]) {
      await writeBytes(device, offset, Buffer.from("abcd"));
    }
    const view = await ProbeView.read(device);
    for (const offset of [0, 8 * MIB - 4, 62 * MIB, 64 * MIB - 4]) {
      expect(view.bytes(offset, 4)?.toString()).toBe("abcd");
    }
    for (const offset of [-1, 8 * MIB - 2, 8 * MIB, 62 * MIB - 4, 62 * MIB - 2, 64 * MIB - 3]) {
      expect(view.bytes(offset, 4)).toBeNull();
      expect(view.has(offset, Buffer.from("abcd"))).toBe(false);
    }
  });

  it("finds the first byte that is not zero, in either part", async () => {
    const device = new MemoryDevice(64 * MIB);
    expect((await ProbeView.read(device)).firstNonZero()).toBe(-1);
    await writeBytes(device, 40 * MIB, Buffer.from([1]));
    expect((await ProbeView.read(device)).firstNonZero()).toBe(-1);
    await writeBytes(device, 64 * MIB - 1, Buffer.from([1]));
    expect((await ProbeView.read(device)).firstNonZero()).toBe(64 * MIB - 1);
    await writeBytes(device, 5 * MIB + 3, Buffer.from([1]));
    expect((await ProbeView.read(device)).firstNonZero()).toBe(5 * MIB + 3);
  });

  it("takes a device that is shorter than the two together", async () => {
    const device = new MemoryDevice(3 * MIB + 512);
    await writeBytes(device, 3 * MIB, Buffer.from("tail"));
    const view = await ProbeView.read(device);
    expect(view.bytes(3 * MIB, 4)?.toString()).toBe("tail");
    expect(view.bytes(3 * MIB, 513)).toBeNull();
  });
});
