import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FileLockedError } from "../../native-free/file-lock.ts";
import { FileDevice } from "../../src/device/file-device.ts";
import { createImageFile } from "../../src/device/image-file.ts";
import { discard, flush, readBytes, writeBytes, writeZeroes } from "../../src/util/io-request.ts";
import { attempt, run } from "../support/program.ts";
import { LoopDevice, loopDevicesMissing, orWhyNot, scratchFolder } from "./loop-device.ts";

const MIB = 1024 * 1024;
const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const missing = loopDevicesMissing();

/** Runs `use` with a loop device, and detaches it whatever happens. */
async function withLoop(
  sizeBytes: number,
  options: readonly string[],
  use: (loop: LoopDevice) => Promise<void>,
): Promise<void> {
  const loop = await LoopDevice.attach(sizeBytes, ...options);
  try {
    await use(loop);
  } finally {
    await loop.detach();
  }
}

async function withDevice(path: string, use: (device: FileDevice) => Promise<void>): Promise<void> {
  const device = await FileDevice.open(path);
  try {
    await use(device);
  } finally {
    await device.close();
  }
}

describe.skipIf(missing !== null)(`a block device${orWhyNot(missing)}`, () => {
  it("is described as the kernel does", () =>
    withLoop(8 * MIB, ["--sector-size", "4096"], (loop) =>
      withDevice(loop.path, (device) => {
        expect(device.capacityBytes).toBe(8 * MIB);
        expect(device.isBlockDevice).toBe(true);
        expect(device.traits).toMatchObject({
          logicalBlockBytes: 4096,
          discardGranularityBytes: 4096,
          readOnly: false,
        });
        return Promise.resolve();
      }),
    ));

  it("has on its medium what was written and flushed", () =>
    withLoop(8 * MIB, [], (loop) =>
      withDevice(loop.path, async (device) => {
        const data = Buffer.alloc(128 * 1024, 7);
        expect(device.tryWrite(data, 0, data.length, MIB)).toBe(true);
        await writeBytes(device, 4 * MIB, data);
        await flush(device);
        const medium = readFileSync(loop.backingFile);
        expect(
          medium.equals(
            Buffer.alloc(8 * MIB)
              .fill(7, MIB, MIB + 131_072)
              .fill(7, 4 * MIB, 4 * MIB + 131_072),
          ),
        ).toBe(true);
      }),
    ));

  it("discards and zeroes right after writing, with pages still dirty", () =>
    withLoop(8 * MIB, [], (loop) =>
      withDevice(loop.path, async (device) => {
        await writeBytes(device, 0, Buffer.alloc(8 * MIB, 1));
        await discard(device, 0, 2 * MIB);
        await writeBytes(device, 4 * MIB, Buffer.alloc(MIB, 2));
        await writeZeroes(device, 4 * MIB, MIB);
        expect((await readBytes(device, 4 * MIB, MIB)).every((byte) => byte === 0)).toBe(true);
        expect((await readBytes(device, 5 * MIB, MIB)).every((byte) => byte === 1)).toBe(true);
        await flush(device);
        expect(statSync(loop.backingFile).blocks * 512).toBeLessThan(8 * MIB);
      }),
    ));

  it("zeroes from the middle of a page while the rest of it is written again and again", () =>
    withLoop(8 * MIB, [], (loop) =>
      withDevice(loop.path, async (device) => {
        let zeroed = false;
        const zeroing = writeZeroes(device, 512, MIB).finally(() => (zeroed = true));
        while (!zeroed) {
          await writeBytes(device, 0, Buffer.alloc(512, 1));
          await writeBytes(device, MIB + 512, Buffer.alloc(512, 2));
        }
        await zeroing;
        const expected = Buffer.alloc(MIB + 1024)
          .fill(1, 0, 512)
          .fill(2, MIB + 512);
        expect((await readBytes(device, 0, expected.length)).equals(expected)).toBe(true);
      }),
    ));

  it("grows when its backing does", () =>
    withLoop(4 * MIB, [], (loop) =>
      withDevice(loop.path, async (device) => {
        await loop.resize(6 * MIB);
        expect(device.capacityBytes).toBe(4 * MIB);
        expect(await device.refreshCapacity()).toBe(6 * MIB);
        await writeBytes(device, 6 * MIB - 4096, Buffer.alloc(4096, 1));
      }),
    ));

  it("reports reads past the end of one that shrank", () =>
    withLoop(4 * MIB, [], (loop) =>
      withDevice(loop.path, async (device) => {
        await loop.resize(2 * MIB);
        const reading = readBytes(device, 3 * MIB, 4096);
        await expect(reading).rejects.toMatchObject({ name: "IoError" });
        await readBytes(device, 0, 4096);
      }),
    ));

  it("is refused while it is mounted, and says where", () =>
    withLoop(16 * MIB, [], async (loop) => {
      await run("mkfs.ext4", "-q", loop.path);
      const mountPoint = join(folder, "mounted");
      mkdirSync(mountPoint, { recursive: true });
      await run("mount", loop.path, mountPoint);
      try {
        const opening = FileDevice.open(loop.path);
        await expect(opening).rejects.toThrow(FileLockedError);
        await expect(opening).rejects.toThrow(`mounted on ${mountPoint}`);
      } finally {
        await attempt("umount", mountPoint);
      }
    }));

  it("cannot be mounted, or opened a second time, while it is served", () =>
    withLoop(16 * MIB, [], async (loop) => {
      await run("mkfs.ext4", "-q", loop.path);
      await withDevice(loop.path, async (device) => {
        const mountPoint = join(folder, "refused");
        mkdirSync(mountPoint, { recursive: true });
        expect((await attempt("mount", device.name, mountPoint)).status).not.toBe(0);
        await expect(FileDevice.open(loop.path)).rejects.toThrow(FileLockedError);
      });
    }));

  it("is read-only when the kernel says so", () =>
    withLoop(MIB, ["--read-only"], async (loop) => {
      // Some kernels refuse to open it for writing, others only to write.
      const device = await FileDevice.open(loop.path, { readOnly: true });
      expect(device.traits.readOnly).toBe(true);
      await expect(writeBytes(device, 0, Buffer.alloc(512))).rejects.toMatchObject({
        kind: "read-only",
      });
      await device.close();
    }));
});

/** Runs `use` with a tiny file system of its own, and unmounts it whatever happens. */
async function withTinyFileSystem(use: (mountPoint: string) => Promise<void>): Promise<void> {
  const mountPoint = mkdtempSync(join(folder, "tiny-"));
  await run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mountPoint);
  try {
    await use(mountPoint);
  } finally {
    await attempt("umount", mountPoint);
  }
}

describe.skipIf(missing !== null)(`a file in memory${orWhyNot(missing)}`, () => {
  it("is read within the turn from the first time on: it has no disk to wait for", () =>
    withTinyFileSystem(async (mountPoint) => {
      const path = join(mountPoint, "image");
      await createImageFile(path, MIB);
      await withDevice(path, (device) => {
        expect(device.tryRead(Buffer.alloc(4096), 0, 4096, 0)).toBe(true);
        return Promise.resolve();
      });
    }));
});

describe.skipIf(missing !== null)(`a full file system${orWhyNot(missing)}`, () => {
  it("is reported as a lack of space, and what was there stays readable", () =>
    withTinyFileSystem(async (mountPoint) => {
      const path = join(mountPoint, "image");
      await createImageFile(path, MIB);
      await withDevice(path, async (device) => {
        await writeBytes(device, 0, Buffer.alloc(65_536, 1));
        const space = { kind: "space" };
        const large = Buffer.alloc(512 * 1024, 2);
        await expect(writeBytes(device, 65_536, large)).rejects.toMatchObject(space);
        const page = Buffer.alloc(4096, 3);
        expect(device.tryWrite(page, 0, 4096, MIB - 4096)).toBe(false);
        await expect(writeBytes(device, MIB - 4096, page)).rejects.toMatchObject(space);
        await flush(device);
        expect((await readBytes(device, 0, 65_536)).every((byte) => byte === 1)).toBe(true);
        if (!device.traits.discardZeroes) return;
        await discard(device, 0, MIB);
        await writeBytes(device, MIB - 4096, page);
      });
    }));

  it("below a disk makes the flush of acknowledged writes fail, for good", () =>
    withTinyFileSystem(async (mountPoint) => {
      mkdirSync(join(mountPoint, "disk"));
      const loop = await LoopDevice.attachIn(join(mountPoint, "disk"), MIB);
      try {
        await withDevice(loop.path, async (device) => {
          await writeBytes(device, 0, Buffer.alloc(MIB, 1));
          const failed = { kind: "failed" };
          await expect(flush(device)).rejects.toMatchObject(failed);
          expect(device.tryWrite(Buffer.alloc(4096), 0, 4096, 0)).toBe(false);
          await expect(writeBytes(device, 0, Buffer.alloc(4096))).rejects.toMatchObject(failed);
          await expect(flush(device)).rejects.toMatchObject(failed);
        });
      } finally {
        await loop.detach();
      }
    }));
});
