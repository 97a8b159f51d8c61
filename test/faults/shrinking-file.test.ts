import { rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { FileDevice } from "../../src/device/file-device.ts";
import { createImageFile } from "../../src/device/image-file.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { readCapacity16 } from "../../src/initiator/scsi.ts";
import { eventually } from "../support/in-process-target.ts";
import { LoopDevice, loopDevicesMissing, orWhyNot, scratchFolder } from "../device/loop-device.ts";
import { BLOCK_BYTES, FaultBench, Lun, MIB } from "./support/fault-bench.ts";

const DISK_BYTES = 8 * MIB;
const OUT_OF_RANGE = "5/21/00";
const MEDIUM_READ = "3/11/00";
const CAPACITY_CHANGED = "6/2a/09";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const missing = loopDevicesMissing();

let running: FaultBench | null = null;
let fileCount = 0;

afterEach(async () => {
  await running?.close();
  running = null;
});

interface Shrinking {
  readonly bench: FaultBench;
  readonly path: string;
  readonly device: FileDevice;
}

async function start(): Promise<Shrinking> {
  fileCount += 1;
  const path = join(folder, `image${fileCount}`);
  await createImageFile(path, DISK_BYTES);
  const device = await FileDevice.open(path);
  const healthy = { name: "healthy", device: new MemoryDevice(DISK_BYTES) };
  running = await FaultBench.start([{ name: "shrinking", device }, healthy]);
  return { bench: running, path, device };
}

describe("an image file that becomes shorter under its disk", () => {
  it("refuses what lies behind its new end, and serves the rest", async () => {
    const { bench, path, device } = await start();
    const session = await bench.connect();
    const disk = new Lun(session, 0);
    expect(await disk.write(0, DISK_BYTES, 0x11)).toBe("good");
    truncateSync(path, 2 * MIB);
    expect(await disk.read(4 * MIB, 4096)).toBe(OUT_OF_RANGE);
    // Half before the end and half behind it.
    expect(await disk.read(2 * MIB - 4096, 8192)).toBe(OUT_OF_RANGE);
    expect(await disk.read(0, DISK_BYTES)).toBe(OUT_OF_RANGE);
    await eventually(() => device.capacityBytes === 2 * MIB, "the device has looked at its size");
    expect(await disk.write(4 * MIB, 4096, 0x22)).toBe(OUT_OF_RANGE);
    expect(await disk.write(MIB, 4 * MIB, 0x22)).toBe(OUT_OF_RANGE);
    expect(statSync(path).size).toBe(2 * MIB);
    await disk.expectBytes(0, MIB, 0x11);
    expect(await disk.write(0, MIB, 0x33)).toBe("good");
    expect(await disk.synchronizeCache()).toBe("good");
    expect(await new Lun(session, 1).write(4 * MIB, MIB, 0x44)).toBe("good");
    const [line] = bench.errorLines("shrinking");
    expect(line?.fields).toMatchObject({ kind: "range", offsetBytes: 4 * MIB, operation: "0x88" });
    expect(String(line?.fields["error"])).toContain("it has shrunk");
  });

  it("tells every session of its new size once an administrator has it looked at", async () => {
    const { bench, path } = await start();
    const sessions = [await bench.connect(), await bench.connect()];
    truncateSync(path, 2 * MIB);
    await bench.volumes[0]?.refresh();
    for (const session of sessions) {
      const disk = new Lun(session, 0);
      expect(await disk.read(0, 4096)).toBe(CAPACITY_CHANGED);
      expect((await readCapacity16(session, 0)).blocks).toBe((2 * MIB) / BLOCK_BYTES);
      expect(await disk.read(2 * MIB, 512)).toBe(OUT_OF_RANGE);
      expect(await disk.read(2 * MIB - 512, 512)).toBe("good");
    }
  });

  it("is whole again when it was made longer", async () => {
    const { bench, path } = await start();
    const disk = new Lun(await bench.connect(), 0);
    expect(await disk.write(0, DISK_BYTES, 0x11)).toBe("good");
    truncateSync(path, MIB);
    expect(await disk.read(4 * MIB, 4096)).toBe(OUT_OF_RANGE);
    truncateSync(path, DISK_BYTES);
    await bench.volumes[0]?.refresh();
    await disk.expectBytes(0, MIB, 0x11);
    await disk.expectBytes(4 * MIB, 4096, 0);
    expect(await disk.write(4 * MIB, 4096, 0x22)).toBe("good");
    await disk.expectBytes(4 * MIB, 4096, 0x22);
  });

  it("while queues of reads and writes run over its end, ends each of them one way or the other", async () => {
    const { bench, path } = await start();
    const sessions = [await bench.connect(), await bench.connect()];
    const healthy = new Lun(await bench.connect(), 1);
    const sent: Promise<string>[] = [];
    for (const session of sessions) {
      const disk = new Lun(session, 0);
      for (let index = 0; index < 32; index += 1) {
        sent.push(disk.write((index % 8) * MIB, 256 * 1024, index));
        sent.push(disk.read((index % 8) * MIB, MIB));
      }
    }
    truncateSync(path, 3 * MIB + 4096);
    const beside = Array.from({ length: 64 }, (_, index) => healthy.read(index * 4096, 4096));
    for (const outcome of await Promise.all(sent))
      expect(["good", OUT_OF_RANGE]).toContain(outcome);
    expect(new Set(await Promise.all(beside))).toEqual(new Set(["good"]));
  });
});

describe.skipIf(missing !== null)(`a block device${orWhyNot(missing)}`, () => {
  it("whose medium is gone in part fails reads there, and serves the rest", async () => {
    const loop = await LoopDevice.attach(DISK_BYTES);
    try {
      const device = await FileDevice.open(loop.path);
      const healthy = { name: "healthy", device: new MemoryDevice(DISK_BYTES) };
      running = await FaultBench.start([{ name: "loop", device }, healthy]);
      const session = await running.connect();
      const disk = new Lun(session, 0);
      expect(await disk.write(0, MIB, 0x11, true)).toBe("good");
      truncateSync(loop.backingFile, 2 * MIB);
      expect(await disk.read(4 * MIB, 4096)).toBe(MEDIUM_READ);
      expect(await disk.read(MIB, 4 * MIB)).toBe(MEDIUM_READ);
      await disk.expectBytes(0, MIB, 0x11);
      expect(await disk.write(0, MIB, 0x22, true)).toBe("good");
      expect(await new Lun(session, 1).write(0, MIB, 0x33)).toBe("good");
      const [line] = running.errorLines("loop");
      expect(line?.fields).toMatchObject({ kind: "medium", offsetBytes: 4 * MIB });
      expect(String(line?.fields["error"])).toContain("EIO");
    } finally {
      await running?.close();
      running = null;
      await loop.detach();
    }
  });
});
