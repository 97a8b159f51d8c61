import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { probeDirectIo } from "../../native-free/direct-io.ts";
import { FileDevice, type FileDeviceOptions } from "../../src/device/file-device.ts";
import { createImageFile } from "../../src/device/image-file.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { DeviceSlice } from "../../src/device/slice.ts";
import { readBytes } from "../../src/util/io-request.ts";
import { chooseSeed } from "../../src/util/random.ts";
import { compareWithBuffer } from "./contract.ts";
import { ControlledCalls } from "./controlled-calls.ts";
import { LoopDevice, loopDevicesMissing, orWhyNot, scratchFolder } from "./loop-device.ts";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const seed = chooseSeed(process.env);
const MIB = 1024 * 1024;
let count = 0;

async function compareImage(options: FileDeviceOptions, unitBytes: number): Promise<void> {
  count += 1;
  const path = join(folder, `image-${count}`);
  await createImageFile(path, 2 * MIB);
  const device = await FileDevice.open(path, options);
  try {
    await compareWithBuffer(device, seed, 300, unitBytes);
  } finally {
    await device.close();
  }
}

describe(`random operations leave what they would leave in a buffer (seed ${seed})`, () => {
  it("on an image file, to any byte", () => compareImage({}, 1));
  it("on an image file, by sectors", () => compareImage({}, 512));
  it("on an image file, by pages", () => compareImage({}, 4096));

  it("on an image file whose calls are all cut short", () => {
    const calls = new ControlledCalls();
    calls.bytesMax = 30_011;
    return compareImage({ calls }, 1);
  });

  it("on an image file past the page cache", async () => {
    count += 1;
    const path = join(folder, `image-${count}`);
    await createImageFile(path, MIB);
    const { direct } = await probeDirectIo(path);
    if (direct) await compareImage({ direct }, 1);
    else {
      const opening = FileDevice.open(path, { direct: true });
      await expect(opening).rejects.toMatchObject({ kind: "unsupported" });
    }
  });

  it("in memory", () => compareWithBuffer(new MemoryDevice(3 * MIB + 5), seed, 500, 1));

  it("in a slice of memory, and nothing around it changes", async () => {
    const below = new MemoryDevice(4 * MIB);
    await compareWithBuffer(new DeviceSlice(below, MIB + 7, 2 * MIB), seed, 300, 1);
    expect((await readBytes(below, 0, MIB + 7)).every((byte) => byte === 0)).toBe(true);
    const after = 3 * MIB + 7;
    const rest = await readBytes(below, after, 4 * MIB - after);
    expect(rest.every((byte) => byte === 0)).toBe(true);
  });
});

const missing = loopDevicesMissing();
describe.skipIf(missing !== null)(`and on a loop device${orWhyNot(missing)} (seed ${seed})`, () => {
  it.each([
    ["buffered, 512", false, "512"],
    ["buffered, 4096", false, "4096"],
    ["direct, 512", true, "512"],
  ])("%s", async (_, direct, sector) => {
    const loop = await LoopDevice.attach(2 * MIB, "--sector-size", sector);
    try {
      const device = await FileDevice.open(loop.path, { direct });
      try {
        await compareWithBuffer(device, seed, 200, Number(sector));
      } finally {
        await device.close();
      }
    } finally {
      await loop.detach();
    }
  });
});
