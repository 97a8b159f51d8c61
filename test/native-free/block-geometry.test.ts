import {
  closeSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  deviceNumbers,
  findEndByReading,
  readBlockGeometry,
} from "../../native-free/block-geometry.ts";
import { LoopDevice, loopDevicesMissing, orWhyNot, scratchFolder } from "../device/loop-device.ts";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, values: Readonly<Record<string, string>>): void {
  mkdirSync(path, { recursive: true });
  for (const [name, value] of Object.entries(values)) writeFileSync(join(path, name), `${value}\n`);
}

describe("the geometry of a device", () => {
  const sys = join(folder, "sys");
  const disk = join(sys, "devices/disk");

  beforeAll(() => {
    write(disk, { size: "2000", ro: "0" });
    write(join(disk, "queue"), {
      logical_block_size: "4096",
      physical_block_size: "8192",
      optimal_io_size: "65536",
      discard_granularity: "1048576",
      discard_max_bytes: "2147450880",
      write_zeroes_max_bytes: "33553920",
      rotational: "1",
    });
    write(join(disk, "disk1"), { size: "100", partition: "1", ro: "1" });
    write(join(sys, "devices/bare"), { size: "8" });
    mkdirSync(join(sys, "dev/block"), { recursive: true });
    symlinkSync("../../devices/disk", join(sys, "dev/block/8:0"));
    symlinkSync("../../devices/disk/disk1", join(sys, "dev/block/8:1"));
    symlinkSync("../../devices/bare", join(sys, "dev/block/9:0"));
  });

  const queue = {
    logicalBlockBytes: 4096,
    physicalBlockBytes: 8192,
    optimalIoBytes: 65_536,
    discardGranularityBytes: 1_048_576,
    discardMaxBytes: 2_147_450_880,
    discardZeroes: false,
    writeZeroesMaxBytes: 33_553_920,
    rotational: true,
  };

  it("is read from the device's folder", async () => {
    const expected = { ...queue, sizeBytes: 2000 * 512, readOnly: false };
    expect(await readBlockGeometry(0x800, sys)).toEqual(expected);
  });

  it("takes the queue of a partition from its disk", async () => {
    const expected = { ...queue, sizeBytes: 100 * 512, readOnly: true };
    expect(await readBlockGeometry(0x801, sys)).toEqual(expected);
  });

  it("falls back to blocks of 512 bytes and nothing special", async () => {
    expect(await readBlockGeometry(0x900, sys)).toEqual({
      sizeBytes: 4096,
      logicalBlockBytes: 512,
      physicalBlockBytes: 512,
      optimalIoBytes: 0,
      discardGranularityBytes: 0,
      discardMaxBytes: 0,
      discardZeroes: false,
      writeZeroesMaxBytes: 0,
      rotational: false,
      readOnly: false,
    });
  });

  it("is null where the system does not know the device", async () => {
    expect(await readBlockGeometry(0x10_00, sys)).toBeNull();
  });
});

it("splits device numbers of more than eight bits", () => {
  expect(deviceNumbers(0x12345_6789)).toEqual({ major: 0x567, minor: 0x23489 });
  expect(deviceNumbers(0x0700)).toEqual({ major: 7, minor: 0 });
});

describe("the end that reading finds", () => {
  it.each([0, 1, 2, 511, 4096, 1_000_003, 7 * 2 ** 30 + 5])("is right for %d bytes", (size) => {
    const path = join(folder, "sized");
    writeFileSync(path, "");
    truncateSync(path, size);
    const fd = openSync(path, "r");
    expect(findEndByReading(fd)).toBe(size);
    closeSync(fd);
  });
});

const missing = loopDevicesMissing();
describe.skipIf(missing !== null)(`a loop device${orWhyNot(missing)}`, () => {
  it("has the size that both ways tell, and its block size", async () => {
    const sizeBytes = 12 * 1024 * 1024 + 4096;
    const loop = await LoopDevice.attach(sizeBytes, "--sector-size", "4096");
    try {
      const geometry = await readBlockGeometry(statSync(loop.path).rdev);
      expect(geometry).toMatchObject({ sizeBytes, logicalBlockBytes: 4096, readOnly: false });
      const fd = openSync(loop.path, "r");
      expect(findEndByReading(fd)).toBe(sizeBytes);
      closeSync(fd);
    } finally {
      await loop.detach();
    }
  });
});
