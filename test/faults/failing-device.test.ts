import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { BlockDevice } from "../../src/device/block-device.ts";
import { DelayFilter } from "../../src/device/delay-filter.ts";
import { ErrorFilter } from "../../src/device/error-filter.ts";
import { FileDevice } from "../../src/device/file-device.ts";
import { createImageFile } from "../../src/device/image-file.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { cdb16 } from "../../src/initiator/scsi.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { ControlledCalls } from "../device/controlled-calls.ts";
import { scratchFolder } from "../device/loop-device.ts";
import { eventually } from "../support/in-process-target.ts";
import { FaultBench, Lun, MIB, outcomeOf } from "./support/fault-bench.ts";

const DISK_BYTES = 16 * MIB;
const MEDIUM_READ = "3/11/00";
const MEDIUM_WRITE = "3/0c/00";
const NOT_READY = "2/04/03";
const HARDWARE = "4/44/00";
const WRITE_PROTECTED = "7/27/00";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let running: FaultBench | null = null;
let fileCount = 0;

afterEach(async () => {
  await running?.close();
  running = null;
});

/** The failing disk is LUN 0, a healthy one LUN 1. */
async function start(device: BlockDevice): Promise<FaultBench> {
  const healthy = { name: "healthy", device: new MemoryDevice(DISK_BYTES) };
  running = await FaultBench.start([{ name: "failing", device }, healthy]);
  return running;
}

/** A file whose calls to the system fail at the test's will. */
async function openControlled(calls: ControlledCalls, readOnly = false): Promise<FileDevice> {
  fileCount += 1;
  const path = join(folder, `image${fileCount}`);
  await createImageFile(path, DISK_BYTES);
  return FileDevice.open(path, { calls, readOnly });
}

describe("an unreadable and unwritable place of a disk", () => {
  const rules = [{ error: "medium", startBytes: 4 * MIB, endBytes: 4 * MIB + 4096 }] as const;

  it("fails what touches it, and nothing else", async () => {
    const device = new ErrorFilter(new MemoryDevice(DISK_BYTES));
    const bench = await start(device);
    const session = await bench.connect();
    const disk = new Lun(session, 0);
    expect(await disk.write(0, 8 * MIB, 0x11)).toBe("good");
    device.setRules(rules);
    expect(await disk.read(4 * MIB, 512)).toBe(MEDIUM_READ);
    expect(await disk.write(4 * MIB, 512, 0x22)).toBe(MEDIUM_WRITE);
    // Long transfers meet it half-way, some of their data having moved already.
    expect(await disk.read(0, 8 * MIB)).toBe(MEDIUM_READ);
    expect(await disk.write(2 * MIB, 4 * MIB, 0x33)).toBe(MEDIUM_WRITE);
    expect(await disk.write(4 * MIB, 4096, 0x33, true)).toBe(MEDIUM_WRITE);
    await disk.expectBytes(0, 2 * MIB, 0x11);
    expect(await disk.write(4 * MIB + 4096, MIB, 0x44)).toBe("good");
    await disk.expectBytes(4 * MIB + 4096, MIB, 0x44);
    expect(await disk.synchronizeCache()).toBe("good");
    device.setRules([]);
    await disk.expectBytes(4 * MIB, 4096, 0x11);
  });

  it("is told once a second at the most, with the volume, the place and how much was left out", async () => {
    const device = new ErrorFilter(new MemoryDevice(DISK_BYTES), rules);
    const bench = await start(device);
    const disk = new Lun(await bench.connect(), 0);
    for (let count = 0; count < 10; count += 1) {
      expect(await disk.read(4 * MIB, 4096)).toBe(MEDIUM_READ);
    }
    expect(bench.errorLines("failing")).toHaveLength(1);
    bench.nextReport();
    expect(await disk.write(4 * MIB, 4096, 1)).toBe(MEDIUM_WRITE);
    const [first, second, ...others] = bench.errorLines("failing");
    expect(others).toEqual([]);
    expect(first?.message).toBe("I/O error on a volume");
    const place = { volume: "failing", kind: "medium", offsetBytes: 4 * MIB };
    expect(first?.fields).toMatchObject({ ...place, operation: "0x88", suppressedCount: 0 });
    expect(second?.fields).toMatchObject({ ...place, operation: "0x8a", suppressedCount: 9 });
    expect(bench.target.log.filter(({ level }) => level === "fatal")).toEqual([]);
  });

  it("is nothing to commands beside it, in the same session and in others", async () => {
    const device = new ErrorFilter(new MemoryDevice(DISK_BYTES), rules);
    const bench = await start(device);
    const session = await bench.connect();
    const other = await bench.connect();
    const others = [new Lun(session, 1), new Lun(other, 1), new Lun(other, 0)];
    const failing = new Lun(session, 0);
    const sent: Promise<string>[] = [];
    const wanted: string[] = [];
    for (let index = 0; index < 32; index += 1) {
      sent.push(failing.read(4 * MIB, 4096), failing.write(3 * MIB, 2 * MIB, index));
      wanted.push(MEDIUM_READ, MEDIUM_WRITE);
      for (const lun of others) {
        sent.push(lun.write(8 * MIB + index * 4096, 4096, index));
        wanted.push("good");
      }
    }
    expect(await Promise.all(sent)).toEqual(wanted);
    expect(session.closed).toBeNull();
  });
});

describe("a device that vanishes", () => {
  it("is NOT READY to every command that needs it, until it is back", async () => {
    const device = new ErrorFilter(new MemoryDevice(DISK_BYTES));
    const bench = await start(device);
    const session = await bench.connect();
    const disk = new Lun(session, 0);
    const healthy = new Lun(session, 1);
    expect(await disk.write(0, 4096, 0x11)).toBe("good");
    device.setRules([{ error: "gone" }, { error: "gone", kind: IoKind.flush }]);
    expect(await disk.read(0, 4096)).toBe(NOT_READY);
    expect(await disk.write(0, MIB, 0x22)).toBe(NOT_READY);
    expect(await disk.write(0, 4096, 0x22, true)).toBe(NOT_READY);
    expect(await disk.synchronizeCache()).toBe(NOT_READY);
    expect(bench.errorLines("failing")[0]?.fields).toMatchObject({ kind: "gone" });
    expect(await healthy.write(0, MIB, 0x33)).toBe("good");
    const late = await bench.connect();
    expect(await new Lun(late, 0).read(0, 512)).toBe(NOT_READY);
    device.setRules([]);
    await disk.expectBytes(0, 4096, 0x11);
  });

  it("while the session that uses it does so too, leaves nothing of either", async () => {
    const held: (() => void)[] = [];
    const device = new ErrorFilter(new MemoryDevice(DISK_BYTES));
    let letsGo = false;
    const slow = new DelayFilter(device, 50, (callback) => {
      if (letsGo) setImmediate(callback);
      else held.push(callback);
    });
    const bench = await start(slow);
    const session = await bench.connect();
    const other = await bench.connect();
    const disk = new Lun(session, 0);
    const sent: Promise<string>[] = [];
    for (let index = 0; index < 16; index += 1) {
      sent.push(disk.read(index * MIB, MIB), disk.write(index * MIB, MIB, index));
    }
    const ends = Promise.allSettled(sent);
    await eventually(() => held.length > 8, "reads and writes run");
    session.destroy();
    expect((await ends).every(({ status }) => status === "rejected")).toBe(true);
    device.setRules([{ error: "gone" }]);
    letsGo = true;
    for (const callback of held.splice(0)) callback();
    const { server } = bench.target;
    await eventually(
      () => server.statistics.sessions === 1 && server.statistics.lentBytes === 0,
      "its I/O has ended, and its memory is back",
    );
    await new Lun(other, 1).expectBytes(0, 4096, 0);
  });

  it("in the middle of a queue ends all of it, each command once", async () => {
    const device = new ErrorFilter(new MemoryDevice(DISK_BYTES), [{ error: "gone", skip: 20 }]);
    const bench = await start(device);
    const disk = new Lun(await bench.connect(), 0);
    const sent = Array.from({ length: 64 }, (_, index) => disk.write(index * 4096, 4096, index));
    const outcomes = await Promise.all(sent);
    expect(outcomes.slice(0, 20).every((outcome) => outcome === "good")).toBe(true);
    expect(outcomes.slice(20).every((outcome) => outcome === NOT_READY)).toBe(true);
  });
});

describe("a flush that fails", () => {
  it("stays failed: what was acknowledged may be lost, so nothing more is taken", async () => {
    const calls = new ControlledCalls();
    const bench = await start(await openControlled(calls));
    const session = await bench.connect();
    const disk = new Lun(session, 0);
    expect(await disk.write(0, 64 * 1024, 0x11)).toBe("good");
    calls.syncErrors.push("EIO");
    expect(await disk.synchronizeCache()).toBe(HARDWARE);
    // The system would say that all is well now; it has forgotten what it could not write.
    expect(calls.syncErrors).toEqual([]);
    expect(await disk.synchronizeCache()).toBe(HARDWARE);
    expect(await disk.write(0, 4096, 0x22)).toBe(HARDWARE);
    expect(await disk.write(MIB, MIB, 0x22)).toBe(HARDWARE);
    expect(await disk.write(0, 4096, 0x22, true)).toBe(HARDWARE);
    expect(calls.syncs).toBe(1);
    await disk.expectBytes(0, 64 * 1024, 0x11);
    const [line] = bench.errorLines("failing");
    expect(line?.fields).toMatchObject({ kind: "failed", operation: "0x91" });
    const healthy = new Lun(session, 1);
    expect(await healthy.write(0, 4096, 0x33, true)).toBe("good");
    expect(await healthy.synchronizeCache()).toBe("good");
    await expect(bench.volumes[0]?.close()).rejects.toMatchObject({ kind: "failed" });
  });

  it("in the background, after its command was answered, fails the next command", async () => {
    const calls = new ControlledCalls();
    const bench = await start(await openControlled(calls));
    const session = await bench.connect();
    const disk = new Lun(session, 0);
    expect(await disk.write(0, 4096, 0x11)).toBe("good");
    calls.syncErrors.push("EIO");
    const cdb = cdb16(0x91, 0, 0);
    cdb[1] = 0x02;
    expect(outcomeOf(await session.execute({ lun: 0, cdb }))).toBe("good");
    await eventually(() => bench.errorLines("failing").length === 1, "it is logged");
    const [line] = bench.errorLines("failing");
    expect(line?.fields).toMatchObject({ kind: "failed", operation: null });
    expect(await disk.write(0, 4096, 0x22)).toBe(HARDWARE);
    expect(await disk.synchronizeCache()).toBe(HARDWARE);
    await disk.expectBytes(0, 4096, 0x11);
  });

  it("fails a write with FUA that needs it", async () => {
    const calls = new ControlledCalls();
    const device = await openControlled(calls);
    const bench = await start(device);
    const disk = new Lun(await bench.connect(), 0);
    expect(await disk.write(0, 4096, 0x11, true)).toBe("good");
    calls.syncErrors.push("EIO");
    expect(await disk.synchronizeCache()).toBe(HARDWARE);
    expect(await disk.write(0, 4096, 0x22, true)).toBe(HARDWARE);
    await disk.expectBytes(0, 4096, 0x11);
  });

  it("fails every command that waited for it, and no read", async () => {
    const calls = new ControlledCalls();
    const bench = await start(await openControlled(calls));
    const one = await bench.connect();
    const other = await bench.connect();
    const disks = [new Lun(one, 0), new Lun(other, 0)];
    for (const disk of disks) expect(await disk.write(0, 4096, 0x11)).toBe("good");
    calls.syncErrors.push("EIO");
    const flushes = disks.map((disk) => disk.synchronizeCache());
    expect(await Promise.all(flushes)).toEqual([HARDWARE, HARDWARE]);
    for (const disk of disks) await disk.expectBytes(0, 4096, 0x11);
  });
});

describe("a disk that cannot be written", () => {
  it("refuses writes as write protected, and reads on", async () => {
    const bench = await start(await openControlled(new ControlledCalls(), true));
    const session = await bench.connect();
    const disk = new Lun(session, 0);
    expect(await disk.write(0, 4096, 1)).toBe(WRITE_PROTECTED);
    expect(await disk.write(0, 4 * MIB, 1)).toBe(WRITE_PROTECTED);
    await disk.expectBytes(0, 4096, 0);
    expect(await disk.synchronizeCache()).toBe("good");
    expect(await new Lun(session, 1).write(0, 4096, 1)).toBe("good");
    // That is how it was set up, and no fault.
    expect(bench.errorLines("failing")).toEqual([]);
  });

  it.each(["EROFS", "EPERM"])("because of %s from one moment on", async (code) => {
    const calls = new ControlledCalls();
    const bench = await start(await openControlled(calls));
    const disk = new Lun(await bench.connect(), 0);
    expect(await disk.write(0, 4096, 0x11)).toBe("good");
    // Writes that are tried within the turn meet it too, before the one that tells the reason.
    for (let count = 0; count < 8; count += 1) calls.writeErrors.push(code);
    expect(await disk.write(0, 4096, 0x22)).toBe(WRITE_PROTECTED);
    const [line] = bench.errorLines("failing");
    expect(line?.fields).toMatchObject({ kind: "read-only", operation: "0x8a" });
    await disk.expectBytes(0, 4096, 0x11);
    calls.writeErrors.length = 0;
    expect(await disk.write(0, 4096, 0x33)).toBe("good");
  });
});
