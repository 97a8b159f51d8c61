import { describe, expect, it } from "vitest";
import { ErrorFilter } from "../../src/device/error-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { ReadOnlyFilter } from "../../src/device/read-only-filter.ts";
import { IoKind, writeBytes } from "../../src/util/io-request.ts";
import { DeviceVolume } from "../../src/volume/device-volume.ts";
import type { BlockDevice } from "../../src/device/block-device.ts";

const identity = { uuid: "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a", name: "disk" };

function volumeOn(device: BlockDevice): DeviceVolume {
  return new DeviceVolume({ ...identity, device, thin: true, persistent: false });
}

describe("DeviceVolume", () => {
  it("passes on what the device says of itself", () => {
    const device = new MemoryDevice(8192);
    expect(volumeOn(device).capabilities).toMatchObject({
      writable: true,
      physicalBlockBytes: device.traits.physicalBlockBytes,
      discardGranularityBytes: device.traits.discardGranularityBytes,
      extents: false,
    });
    expect(volumeOn(new ReadOnlyFilter(device)).capabilities).toMatchObject({
      writable: false,
      discardGranularityBytes: 0,
    });
  });

  it("has the old capacity until everybody was told of the new one", async () => {
    const device = new MemoryDevice(8192);
    const volume = volumeOn(device);
    const seen: number[] = [];
    volume.subscribe(() => void seen.push(volume.capacityBytes));
    device.resize(16_384);
    expect(volume.capacityBytes).toBe(8192);
    await volume.refresh();
    expect(seen).toEqual([16_384]);
  });

  it("lets a listener unsubscribe while it is told", async () => {
    const device = new MemoryDevice(8192);
    const volume = volumeOn(device);
    let told = 0;
    const unsubscribe = volume.subscribe(() => {
      told += 1;
      unsubscribe();
    });
    volume.subscribe(() => void (told += 10));
    device.resize(16_384);
    await volume.refresh();
    device.resize(8192);
    await volume.refresh();
    expect(told).toBe(21);
  });

  it("lets go of the device even when the last flush fails, and says that it failed", async () => {
    const memory = new MemoryDevice(8192);
    const filter = new ErrorFilter(memory, [{ error: "medium", kind: IoKind.flush }]);
    const volume = volumeOn(filter);
    await expect(volume.close()).rejects.toMatchObject({ kind: "medium" });
    await expect(volume.close()).rejects.toMatchObject({ kind: "medium" });
    await expect(writeBytes(memory, 0, Buffer.alloc(1))).rejects.toMatchObject({ kind: "gone" });
  });
});
