import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FileDevice } from "../../src/device/file-device.ts";
import { createImageFile } from "../../src/device/image-file.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { LoopDevice, loopDevicesMissing, orWhyNot, scratchFolder } from "../device/loop-device.ts";
import { attempt, run } from "../support/program.ts";
import { FaultBench, Lun, MIB } from "./support/fault-bench.ts";

const NO_SPACE = "7/27/07";
const HARDWARE = "4/44/00";
const PAGE_BYTES = 4096;

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const missing = loopDevicesMissing();

/** Runs `use` with a file system of 256 KiB and a bench with a disk on it as LUN 0, and puts both away whatever happens. */
async function withTinyDisk(
  open: (mountPoint: string) => Promise<FileDevice>,
  use: (bench: FaultBench, mountPoint: string) => Promise<void>,
): Promise<void> {
  const mountPoint = mkdtempSync(join(folder, "tiny-"));
  await run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mountPoint);
  try {
    const device = await open(mountPoint);
    const healthy = { name: "healthy", device: new MemoryDevice(8 * MIB) };
    const bench = await FaultBench.start([{ name: "tiny", device }, healthy]);
    try {
      await use(bench, mountPoint);
    } finally {
      await bench.close();
    }
  } finally {
    await attempt("umount", mountPoint);
  }
}

async function openImage(mountPoint: string): Promise<FileDevice> {
  const path = join(mountPoint, "image");
  await createImageFile(path, 8 * MIB);
  return FileDevice.open(path);
}

describe.skipIf(missing !== null)(`a full file system${orWhyNot(missing)}`, () => {
  it("fails writes that need space and no others, until there is some again", () =>
    withTinyDisk(openImage, async (bench, mountPoint) => {
      const ballast = join(mountPoint, "ballast");
      writeFileSync(ballast, Buffer.alloc(128 * 1024));
      const session = await bench.connect();
      const disk = new Lun(session, 0);
      expect(await disk.write(0, 64 * 1024, 0x11)).toBe("good");
      // All the kinds of writes: long, within a turn, synchronous.
      expect(await disk.write(MIB, 2 * MIB, 0x22)).toBe(NO_SPACE);
      expect(await disk.write(6 * MIB, PAGE_BYTES, 0x22)).toBe(NO_SPACE);
      expect(await disk.write(6 * MIB, PAGE_BYTES, 0x22, true)).toBe(NO_SPACE);
      const [line] = bench.errorLines("tiny");
      expect(line?.fields).toMatchObject({ kind: "space", operation: "0x8a" });
      expect(String(line?.fields["reason"])).toContain("ENOSPC");
      // What is there can be read, and written over.
      await disk.expectBytes(0, 64 * 1024, 0x11);
      await disk.expectBytes(6 * MIB, PAGE_BYTES, 0);
      expect(await disk.write(0, 64 * 1024, 0x33)).toBe("good");
      expect(await disk.synchronizeCache()).toBe("good");
      const other = await bench.connect();
      expect(await new Lun(other, 0).write(7 * MIB, PAGE_BYTES, 1)).toBe(NO_SPACE);
      expect(await new Lun(other, 1).write(0, MIB, 1)).toBe("good");
      rmSync(ballast);
      expect(await disk.write(6 * MIB, PAGE_BYTES, 0x44)).toBe("good");
      expect(await disk.write(6 * MIB, PAGE_BYTES, 0x55, true)).toBe("good");
      await disk.expectBytes(6 * MIB, PAGE_BYTES, 0x55);
    }));

  it("ends a whole queue of writes, each with its own answer", () =>
    withTinyDisk(openImage, async (bench) => {
      const disk = new Lun(await bench.connect(), 0);
      const writes = Array.from({ length: 128 }, (_, index) =>
        disk.write(index * 16_384, 16_384, index),
      );
      const outcomes = await Promise.all(writes);
      const good = outcomes.filter((outcome) => outcome === "good").length;
      expect(good).toBeGreaterThan(0);
      expect(good).toBeLessThanOrEqual(16);
      expect(outcomes.filter((outcome) => outcome === NO_SPACE)).toHaveLength(128 - good);
      // A write that was answered with GOOD is there, whatever became of the ones around it.
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome === "good") await disk.expectBytes(index * 16_384, 16_384, index);
      }
    }));

  it("below a block device lets writes be acknowledged and the flush fail, for good", async () => {
    let loop: LoopDevice | null = null;
    const openLoop = async (mountPoint: string): Promise<FileDevice> => {
      mkdirSync(join(mountPoint, "disk"));
      loop = await LoopDevice.attachIn(join(mountPoint, "disk"), 2 * MIB);
      return FileDevice.open(loop.path);
    };
    await withTinyDisk(openLoop, async (bench) => {
      try {
        const session = await bench.connect();
        const disk = new Lun(session, 0);
        expect(await disk.write(0, 2 * MIB, 0x11)).toBe("good");
        expect(await disk.synchronizeCache()).toBe(HARDWARE);
        expect(await disk.synchronizeCache()).toBe(HARDWARE);
        expect(await disk.write(0, PAGE_BYTES, 0x22)).toBe(HARDWARE);
        expect(await disk.read(0, PAGE_BYTES)).toBe("good");
        expect(bench.errorLines("tiny")[0]?.fields).toMatchObject({ kind: "failed" });
        expect(await new Lun(session, 1).write(0, PAGE_BYTES, 1, true)).toBe("good");
        await bench.volumes[0]?.close().catch(() => undefined);
      } finally {
        await loop?.detach();
      }
    });
  });
});
