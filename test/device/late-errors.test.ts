import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { FileDevice, type FileDeviceOptions } from "../../src/device/file-device.ts";
import { createImageFile } from "../../src/device/image-file.ts";
import { reportsLate, watchWrites } from "../../src/device/late-errors.ts";
import type { IoError } from "../../src/util/io-error.ts";
import { flush, readBytes, writeBytes } from "../../src/util/io-request.ts";
import { ControlledCalls } from "./controlled-calls.ts";
import { scratchFolder } from "./loop-device.ts";

const MIB = 1024 * 1024;
const folder = scratchFolder();
let open: FileDevice | null = null;

afterEach(async () => {
  await open?.close();
  open = null;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function makeDevice(options: FileDeviceOptions): Promise<FileDevice> {
  const path = join(folder, "image");
  rmSync(path, { force: true });
  await createImageFile(path, MIB);
  open = await FileDevice.open(path, { now: () => 0, ...options });
  return open;
}

const page = (fill: number): Buffer => Buffer.alloc(4096, fill);

it.each([
  ["ext4", 0xef53, false],
  ["XFS", 0x5846_5342, false],
  ["Btrfs", 0x9123_683e, false],
  ["Btrfs as a signed number", 0x9123_683e - 2 ** 32, false],
  ["tmpfs", 0x0102_1994, false],
  ["NFS", 0x6969, true],
  ["SMB", 0xfe53_4d42, true],
  ["FUSE", 0x6573_5546, true],
  ["what is not known", 0x1234, true],
])("errors of writes to %s (%i) may be those of others: %s", (_, type, isLate) => {
  expect(reportsLate(type)).toBe(isLate);
});

it("tells of errors of writes before whoever wrote, and of no others", () => {
  const said: string[] = [];
  const calls = new ControlledCalls();
  const watched = watchWrites(calls, ({ message }) => said.push(`met ${message}`));
  calls.writeErrors.push("ENOSPC");
  expect(() => watched.writeSync(-1, Buffer.alloc(1), 0, 1, 0)).toThrow("ENOSPC");
  calls.readErrors.push("EIO");
  expect(() => watched.readSync(-1, Buffer.alloc(1), 0, 1, 0)).toThrow("EIO");
  expect(said).toEqual(["met ENOSPC"]);
});

describe("on a file system that tells of lost writes when others are made (NFS)", () => {
  const lost = { kind: "failed", message: expect.stringMatching(/flush failed/) as string };
  const fileSystemType = (): Promise<number> => Promise.resolve(0x6969);

  it.each(["ENOSPC", "EDQUOT", "EIO"])("takes %s of a write for a failed flush", async (code) => {
    const calls = new ControlledCalls();
    const device = await makeDevice({ calls, fileSystemType });
    const failures: IoError[] = [];
    device.onFlushFailure((error) => failures.push(error));
    expect(device.tryWrite(page(1), 0, 4096, 0)).toBe(true);
    calls.writeErrors.push(code);
    await expect(writeBytes(device, 4096, page(2))).rejects.toMatchObject(lost);
    expect(failures).toMatchObject([{ ...lost, cause: { code } }]);
    // The server has room again, and the kernel has nothing to say any more: nobody may believe it.
    await expect(flush(device)).rejects.toBe(failures[0]);
    await expect(writeBytes(device, 0, page(2))).rejects.toBe(failures[0]);
    expect(device.tryWrite(page(2), 0, 4096, 0)).toBe(false);
    expect([calls.writes, calls.syncs]).toEqual([1, 0]);
    expect((await readBytes(device, 0, 4096)).equals(page(1))).toBe(true);
  });

  it("does so where the quick way meets it, too, of which nobody hears otherwise", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice({ calls, fileSystemType });
    calls.writeErrors.push("ENOSPC");
    expect(device.tryWrite(page(1), 0, 4096, 0)).toBe(false);
    await expect(writeBytes(device, 0, page(1))).rejects.toMatchObject(lost);
    expect(calls.writes).toBe(0);
  });

  it("fails those who wait for a flush meanwhile", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice({ calls, fileSystemType });
    calls.isHolding = true;
    const flushing = expect(flush(device)).rejects.toMatchObject(lost);
    calls.writeErrors.push("EIO");
    device.tryWrite(page(1), 0, 4096, 0);
    calls.release();
    await flushing;
  });

  it("has errors of reads stay what they are", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice({ calls, fileSystemType });
    calls.readErrors.push("EIO", "EIO");
    await expect(readBytes(device, 0, 4096)).rejects.toMatchObject({ kind: "medium" });
    await flush(device);
  });
});

it("goes on after a write that found no room, where that says nothing of others", async () => {
  const calls = new ControlledCalls();
  const device = await makeDevice({ calls, fileSystemType: () => Promise.resolve(0xef53) });
  calls.writeErrors.push("ENOSPC");
  await expect(writeBytes(device, 0, page(1))).rejects.toMatchObject({ kind: "space" });
  await writeBytes(device, 0, page(1));
  await flush(device);
});
