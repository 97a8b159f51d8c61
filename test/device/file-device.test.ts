import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { FileLockedError } from "../../native-free/file-lock.ts";
import { FileDevice, type FileDeviceOptions } from "../../src/device/file-device.ts";
import { IoError } from "../../src/util/io-error.ts";
import { createImageFile } from "../../src/device/image-file.ts";
import { DIRTY_BYTES_MAX, SYNCHRONOUS_BYTES_MAX } from "../../src/device/limits.ts";
import {
  discard,
  flush,
  IoKind,
  readBytes,
  writeBytes,
  writeStable,
  writeZeroes,
} from "../../src/util/io-request.ts";
import { spawnMortal } from "../support/mortal-child.ts";
import { ControlledCalls } from "./controlled-calls.ts";
import { scratchFolder } from "./loop-device.ts";
import { TestRequest } from "./test-request.ts";

const folder = scratchFolder();
const MIB = 1024 * 1024;
const open: FileDevice[] = [];
let count = 0;

afterEach(async () => {
  for (const device of open.splice(0)) await device.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A new image of this size behind a device whose clock stands still. */
async function makeDevice(sizeBytes: number, options: FileDeviceOptions = {}): Promise<FileDevice> {
  count += 1;
  const path = join(folder, `image-${count}`);
  await createImageFile(path, sizeBytes);
  const device = await FileDevice.open(path, { now: () => 0, ...options });
  open.push(device);
  return device;
}

const page = (fill: number): Buffer => Buffer.alloc(4096, fill);

describe("an image file", () => {
  it("has the capacity of the file and says what it can do", async () => {
    const device = await makeDevice(MIB + 512);
    expect(device.capacityBytes).toBe(MIB + 512);
    expect(device.traits).toMatchObject({ logicalBlockBytes: 1, readOnly: false });
  });

  it("keeps what is written, to any byte", async () => {
    const device = await makeDevice(MIB);
    await writeBytes(device, 4000, Buffer.alloc(9000, 7));
    await flush(device);
    const expected = Buffer.alloc(MIB).fill(7, 4000, 13_000);
    expect(readFileSync(device.name).equals(expected)).toBe(true);
    expect((await readBytes(device, 3990, 20)).equals(expected.subarray(3990, 4010))).toBe(true);
  });

  it("reads and writes several buffers in one request", async () => {
    const device = await makeDevice(MIB);
    const parts = [Buffer.alloc(100, 1), Buffer.alloc(4096, 2), Buffer.alloc(1, 3)];
    const writing = new TestRequest(IoKind.write, 50, parts);
    device.submit(writing);
    await writing.ended;
    expect(writing.error).toBeNull();
    const into = [Buffer.alloc(4000), Buffer.alloc(197)];
    const reading = new TestRequest(IoKind.read, 50, into);
    device.submit(reading);
    await reading.ended;
    expect(Buffer.concat(into).equals(Buffer.concat(parts))).toBe(true);
  });

  it("completes requests of no length at once", async () => {
    const device = await makeDevice(MIB);
    for (const kind of [IoKind.read, IoKind.write, IoKind.discard, IoKind.writeZeroes]) {
      const request = new TestRequest(kind, MIB, 0);
      device.submit(request);
      expect([request.doneCount, request.error]).toEqual([1, null]);
    }
  });

  it("goes on where the system moves less than it was asked to", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    calls.bytesMax = 1000;
    const data = [Buffer.alloc(1500, 1), Buffer.alloc(3000, 2)];
    const writing = new TestRequest(IoKind.write, 10, data);
    device.submit(writing);
    await writing.ended;
    expect((await readBytes(device, 10, 4500)).equals(Buffer.concat(data))).toBe(true);
    expect([calls.writes, calls.reads]).toEqual([5, 5]);
  });

  it("grows and shrinks when it is asked to look", async () => {
    const device = await makeDevice(MIB);
    truncateSync(device.name, 3 * MIB);
    expect(device.capacityBytes).toBe(MIB);
    expect(await device.refreshCapacity()).toBe(3 * MIB);
    expect(device.capacityBytes).toBe(3 * MIB);
  });
});

describe("synchronous reading", () => {
  it("serves what was read or written before, and nothing else", async () => {
    const device = await makeDevice(MIB);
    const buffer = Buffer.alloc(8192);
    expect(device.tryRead(buffer, 0, 4096, 0)).toBe(false);
    await readBytes(device, 0, 4096);
    expect(device.tryRead(buffer, 0, 4096, 0)).toBe(true);
    expect(device.tryRead(buffer, 0, 4097, 0)).toBe(false);
    await writeBytes(device, 4096, page(5));
    expect(device.tryRead(buffer, 0, 8192, 0)).toBe(true);
    expect(buffer.equals(Buffer.concat([page(0), page(5)]))).toBe(true);
    expect(device.tryRead(buffer, 10, 100, 4090)).toBe(true);
    expect(buffer.subarray(10, 110).equals(Buffer.alloc(100, 5).fill(0, 0, 6))).toBe(true);
  });

  it("refuses what lies outside and what is too long", async () => {
    const device = await makeDevice(MIB);
    await readBytes(device, 0, MIB);
    const buffer = Buffer.alloc(MIB);
    expect(device.tryRead(buffer, 0, SYNCHRONOUS_BYTES_MAX, 0)).toBe(true);
    expect(device.tryRead(buffer, 0, SYNCHRONOUS_BYTES_MAX + 1, 0)).toBe(false);
    expect(device.tryRead(buffer, 0, 4096, MIB - 4095)).toBe(false);
    expect(device.tryRead(buffer, 0, 4096, -4096)).toBe(false);
    expect(device.tryRead(buffer, 0, 4096, NaN)).toBe(false);
    expect(device.tryRead(buffer, 0, -1, 4096)).toBe(false);
  });

  it("gives up its expectation after a slow read", async () => {
    let time = 0;
    let step = 0;
    const device = await makeDevice(MIB, { now: () => (time += step) });
    await readBytes(device, 0, MIB);
    const buffer = page(0);
    step = 5;
    expect(device.tryRead(buffer, 0, 4096, 0)).toBe(true);
    step = 0;
    expect(device.tryRead(buffer, 0, 4096, 0)).toBe(false);
    expect(device.tryRead(buffer, 0, 4096, MIB / 2)).toBe(true);
  });

  it("promises nothing after an error or a short read", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    await readBytes(device, 0, 4096);
    calls.readErrors.push("EIO");
    expect(device.tryRead(page(0), 0, 4096, 0)).toBe(false);
    calls.bytesMax = 100;
    expect(device.tryRead(page(0), 0, 4096, 0)).toBe(false);
  });
});

describe("synchronous writing", () => {
  it("takes whole pages anywhere, and parts of pages that are resident", async () => {
    const device = await makeDevice(MIB);
    const buffer = Buffer.alloc(8192, 9);
    expect(device.tryWrite(buffer, 0, 512, 0)).toBe(false);
    expect(device.tryWrite(buffer, 0, 4096, 512)).toBe(false);
    expect(device.tryWrite(buffer, 1, 4096, 8192)).toBe(true);
    expect(device.tryWrite(buffer, 0, 512, 8704)).toBe(true);
    expect(device.tryWrite(buffer, 0, 512, 12_200)).toBe(false);
    const expected = Buffer.alloc(MIB).fill(9, 8192, 12_288);
    expect(readFileSync(device.name).equals(expected)).toBe(true);
  });

  it("refuses what lies outside, what is too long, and read-only devices", async () => {
    const device = await makeDevice(MIB);
    const buffer = Buffer.alloc(MIB);
    expect(device.tryWrite(buffer, 0, 4096, MIB)).toBe(false);
    expect(device.tryWrite(buffer, 0, 4096, -4096)).toBe(false);
    expect(device.tryWrite(buffer, 0, 4096, NaN)).toBe(false);
    expect(device.tryWrite(buffer, 0, 2 * SYNCHRONOUS_BYTES_MAX, 0)).toBe(false);
    const readOnly = await FileDevice.open(device.name, { readOnly: true, lock: false });
    expect(readOnly.tryWrite(buffer, 0, 4096, 0)).toBe(false);
    await expect(writeBytes(readOnly, 0, page(1))).rejects.toMatchObject({ kind: "read-only" });
    await expect(discard(readOnly, 0, 4096)).rejects.toMatchObject({ kind: "read-only" });
    await flush(readOnly);
    await readOnly.close();
  });

  it("leaves the event loop alone for a while after a slow write", async () => {
    let time = 0;
    let step = 5;
    const device = await makeDevice(MIB, { now: () => (time += step) });
    expect(device.tryWrite(page(1), 0, 4096, 0)).toBe(true);
    step = 0;
    let refused = 0;
    while (!device.tryWrite(page(2), 0, 4096, 0)) refused += 1;
    expect(refused).toBe(64);
  });

  it("leaves an error and a short write to submit, which writes it all", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    calls.writeErrors.push("ENOSPC", "ENOSPC");
    expect(device.tryWrite(page(1), 0, 4096, 0)).toBe(false);
    await expect(writeBytes(device, 0, page(1))).rejects.toMatchObject({ kind: "space" });
    calls.bytesMax = 100;
    expect(device.tryWrite(page(1), 0, 4096, 0)).toBe(false);
    await writeBytes(device, 0, page(1));
    expect(readFileSync(device.name).subarray(0, 4096).equals(page(1))).toBe(true);
  });
});

describe("errors", () => {
  it.each([
    ["EIO", "medium"],
    ["ENOSPC", "space"],
    ["EDQUOT", "space"],
    ["EROFS", "read-only"],
    ["EPERM", "read-only"],
    ["ENODEV", "gone"],
    ["ENXIO", "gone"],
    ["EBADF", "gone"],
  ])("are told apart: %s is %s", async (code, kind) => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    calls.readErrors.push(code);
    calls.writeErrors.push(code);
    await expect(readBytes(device, 4096, 10)).rejects.toMatchObject({ kind, offsetBytes: 4096 });
    await expect(writeBytes(device, 4096, page(1))).rejects.toMatchObject({ kind });
    await writeBytes(device, 4096, page(1));
  });

  it("name the place where a longer transfer broke off", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    calls.bytesMax = 4096;
    calls.readErrors.push("", "", "EIO");
    const reading = readBytes(device, 0, MIB);
    await expect(reading).rejects.toMatchObject({ kind: "medium", offsetBytes: 8192 });
  });

  it("refuse ranges past the end", async () => {
    const device = await makeDevice(MIB);
    const past = { kind: "range" };
    await expect(readBytes(device, MIB, 1)).rejects.toMatchObject(past);
    await expect(writeBytes(device, MIB - 1, Buffer.alloc(2))).rejects.toMatchObject(past);
    await expect(discard(device, 0, MIB + 1)).rejects.toMatchObject(past);
    await expect(writeZeroes(device, MIB, 512)).rejects.toMatchObject(past);
    expect(statSync(device.name).size).toBe(MIB);
  });

  it("tell of a file that shrank, and the capacity follows", async () => {
    const device = await makeDevice(MIB);
    await readBytes(device, 0, MIB);
    truncateSync(device.name, MIB / 2);
    expect(device.tryRead(page(0), 0, 4096, MIB - 4096)).toBe(false);
    const reading = readBytes(device, MIB - 4096, 4096);
    await expect(reading).rejects.toMatchObject({ kind: "range" });
    await expect.poll(() => device.capacityBytes).toBe(MIB / 2);
    await readBytes(device, 0, MIB / 2);
  });
});

describe("the asynchronous path", () => {
  it("has no more than eight calls in flight, and starts the others in order", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    calls.isHolding = true;
    const requests = Array.from({ length: 40 }, (_, index) => {
      return new TestRequest(IoKind.write, 4096 * index, [page(index)]);
    });
    for (const request of requests) device.submit(request);
    expect(calls.heldCount).toBe(8);
    calls.release(3);
    await Promise.all(requests.slice(0, 3).map((request) => request.ended));
    expect(calls.heldCount).toBe(8);
    expect(requests.map((request) => request.doneCount).indexOf(0)).toBe(3);
    calls.isHolding = false;
    calls.release();
    await Promise.all(requests.map((request) => request.ended));
    expect(requests.every((request) => request.doneCount === 1 && request.error === null)).toBe(
      true,
    );
    for (const [index, request] of requests.entries()) {
      expect((await readBytes(device, request.offsetBytes, 4096)).equals(page(index))).toBe(true);
    }
  });

  it("writes through a descriptor of its own when the write has to be stable", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    await writeBytes(device, 0, page(1));
    expect(calls.writtenTo.size).toBe(1);
    const stable = new TestRequest(IoKind.write, 4096, [page(2)]);
    stable.forceUnitAccess = true;
    device.submit(stable);
    await stable.ended;
    expect(stable.error).toBeNull();
    expect(calls.writtenTo.size).toBe(2);
    expect(calls.syncs).toBe(0);
  });
});

describe("a device that refuses writes", () => {
  const stopped = new IoError("failed", "another host has it", { object: "pool" });

  it("begins none of those that wait: somebody else may write there when the ones before them end", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    calls.isHolding = true;
    const requests = Array.from({ length: 12 }, (_, index) => {
      return new TestRequest(IoKind.write, 4096 * index, [page(1)]);
    });
    for (const request of requests) device.submit(request);
    const into = page(9);
    const read = new TestRequest(IoKind.read, MIB / 2, [into]);
    device.submit(read);
    expect(calls.writes).toBe(8);
    device.refuseWrites(stopped);
    calls.isHolding = false;
    calls.release();
    await Promise.all([...requests, read].map((request) => request.ended));
    expect(calls.writes).toBe(8);
    expect(requests.map(({ error }) => error)).toEqual(
      requests.map((_, index) => (index < 8 ? null : stopped)),
    );
    expect([read.error, into.equals(page(0))]).toEqual([null, true]);
    const expected = Buffer.alloc(MIB).fill(1, 0, 8 * 4096);
    expect(readFileSync(device.name).equals(expected)).toBe(true);
  });

  it("takes none that come later, whichever way, and goes on flushing", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    await writeBytes(device, 0, page(1));
    device.refuseWrites(stopped);
    device.refuseWrites(new IoError("failed", "again", { object: "pool" }));
    expect(device.tryWrite(page(2), 0, 4096, 0)).toBe(false);
    await expect(writeBytes(device, 0, page(2))).rejects.toBe(stopped);
    await expect(writeStable(device, 0, page(2))).rejects.toBe(stopped);
    await expect(discard(device, 0, MIB)).rejects.toBe(stopped);
    await expect(writeZeroes(device, 0, 512)).rejects.toBe(stopped);
    await expect(writeZeroes(device, 0, MIB)).rejects.toBe(stopped);
    await flush(device);
    expect((await readBytes(device, 0, 4096)).equals(page(1))).toBe(true);
    expect([calls.writes, calls.synchronousWrites, calls.syncs]).toEqual([1, 0, 1]);
  });

  it("clears no range that waits for the tool", async () => {
    const device = await makeDevice(8 * MIB);
    await writeBytes(device, 0, Buffer.alloc(8 * MIB, 1));
    const ranges = Array.from({ length: 300 }, (_, index) => discard(device, 8192 * index, 4096));
    device.refuseWrites(stopped);
    const ends = await Promise.allSettled(ranges);
    expect(ends.every(({ status }) => status === "rejected")).toBe(true);
    expect((await readBytes(device, 0, 8 * MIB)).equals(Buffer.alloc(8 * MIB, 1))).toBe(true);
  });

  it("writes no further piece of zeros that were begun", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(4 * MIB, { calls, toolPath: folder });
    calls.isHolding = true;
    const zeroing = writeZeroes(device, 0, 4 * MIB);
    const ended = expect(zeroing).rejects.toBe(stopped);
    await expect.poll(() => calls.writes).toBe(1);
    device.refuseWrites(stopped);
    calls.isHolding = false;
    calls.release();
    await ended;
    expect(calls.writes).toBe(1);
  });
});

it("serves what is urgent at once, however many requests wait", async () => {
  const calls = new ControlledCalls();
  const device = await makeDevice(MIB, { calls });
  calls.isHolding = true;
  const requests = Array.from({ length: 40 }, (_, index) => {
    return new TestRequest(IoKind.write, 4096 * index, [page(1)]);
  });
  for (const request of requests) device.submit(request);
  const beat = new TestRequest(IoKind.write, MIB / 2, [page(2)]);
  beat.isUrgent = true;
  device.submit(beat);
  expect(calls.heldCount).toBe(9);
  calls.isHolding = false;
  calls.release();
  await beat.ended;
  expect(requests.some(({ doneCount }) => doneCount === 0)).toBe(true);
  await Promise.all(requests.map((request) => request.ended));
});

describe("flushing", () => {
  it("shares one fdatasync among all who ask while another runs", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    calls.isHolding = true;
    const requests = Array.from({ length: 10 }, () => new TestRequest(IoKind.flush));
    for (const request of requests) device.submit(request);
    expect(calls.syncs).toBe(1);
    calls.release();
    await requests[0]!.ended;
    expect(requests.map((request) => request.doneCount)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(calls.syncs).toBe(2);
    calls.release();
    await Promise.all(requests.map((request) => request.ended));
    expect(calls.syncs).toBe(2);
  });

  it("latches its failure: flushes, writes, discards and zeros fail from then on, and reads go on", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    await writeBytes(device, 0, page(3));
    calls.syncErrors.push("EIO");
    const failed = { kind: "failed" };
    await expect(flush(device)).rejects.toMatchObject(failed);
    await expect(flush(device)).rejects.toMatchObject(failed);
    expect(calls.syncs).toBe(1);
    expect(device.tryWrite(page(4), 0, 4096, 0)).toBe(false);
    await expect(writeBytes(device, 0, page(4))).rejects.toMatchObject(failed);
    await expect(discard(device, 0, 4096)).rejects.toMatchObject(failed);
    await expect(writeZeroes(device, 0, 4096)).rejects.toMatchObject(failed);
    expect((await readBytes(device, 0, 4096)).equals(page(3))).toBe(true);
  });

  it("starts by itself when enough is dirty", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    const piece = Buffer.alloc(SYNCHRONOUS_BYTES_MAX, 1);
    let written = 0;
    while (calls.syncs === 0 && written <= DIRTY_BYTES_MAX) {
      expect(device.tryWrite(piece, 0, piece.length, 0)).toBe(true);
      written += piece.length;
    }
    expect(written).toBe(DIRTY_BYTES_MAX);
    expect(calls.syncs).toBe(1);
  });

  it("tells of a failure of one that it has started by itself", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    const failures: IoError[] = [];
    device.onFlushFailure((error) => failures.push(error));
    calls.syncErrors.push("EIO");
    const piece = Buffer.alloc(SYNCHRONOUS_BYTES_MAX, 1);
    while (calls.syncs === 0) device.tryWrite(piece, 0, piece.length, 0);
    await expect.poll(() => failures).toMatchObject([{ kind: "failed", object: device.name }]);
  });
});

describe("discarding and zeroing", () => {
  it("makes holes that read as zeros and take no space", async () => {
    const device = await makeDevice(8 * MIB);
    await writeBytes(device, 0, Buffer.alloc(8 * MIB, 1));
    await flush(device);
    const before = statSync(device.name).blocks;
    await discard(device, MIB, 6 * MIB);
    expect(statSync(device.name).blocks).toBeLessThan(before);
    const expected = Buffer.alloc(8 * MIB, 1).fill(0, MIB, 7 * MIB);
    expect((await readBytes(device, 0, 8 * MIB)).equals(expected)).toBe(true);
  });

  it.each([512, 5000, 65_536, 300_001])("zeroes %d bytes and no more", async (length) => {
    const device = await makeDevice(MIB);
    await writeBytes(device, 0, Buffer.alloc(MIB, 1));
    await writeZeroes(device, 10_001, length);
    const expected = Buffer.alloc(MIB, 1).fill(0, 10_001, 10_001 + length);
    expect((await readBytes(device, 0, MIB)).equals(expected)).toBe(true);
  });

  it("zeroes by writing where there are no tools, and refuses to discard", async () => {
    const device = await makeDevice(4 * MIB, { toolPath: folder });
    expect(device.traits.discardGranularityBytes).toBe(0);
    await writeBytes(device, 0, Buffer.alloc(4 * MIB, 1));
    await writeZeroes(device, 5, 3 * MIB);
    const expected = Buffer.alloc(4 * MIB, 1).fill(0, 5, 3 * MIB + 5);
    expect((await readBytes(device, 0, 4 * MIB)).equals(expected)).toBe(true);
    await expect(discard(device, 0, 4096)).rejects.toMatchObject({ kind: "unsupported" });
  });

  it("has happened before it is done: a write that follows stays", async () => {
    const device = await makeDevice(MIB);
    for (let round = 0; round < 10; round += 1) {
      await discard(device, 0, MIB);
      expect(device.tryWrite(page(round), 0, 4096, 65_536)).toBe(true);
    }
    expect((await readBytes(device, 65_536, 4096)).equals(page(9))).toBe(true);
  });

  it("takes many more ranges than may wait in the tool's queue", async () => {
    const device = await makeDevice(8 * MIB);
    await writeBytes(device, 0, Buffer.alloc(8 * MIB, 1));
    const ranges = Array.from({ length: 300 }, (_, index) => discard(device, 8192 * index, 4096));
    await Promise.all(ranges);
    const expected = Buffer.alloc(8 * MIB, 1);
    for (let index = 0; index < 300; index += 1)
      expected.fill(0, 8192 * index, 8192 * index + 4096);
    expect((await readBytes(device, 0, 8 * MIB)).equals(expected)).toBe(true);
  });

  it("is stable when that is asked for", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    const request = new TestRequest(IoKind.discard, 0, 65_536);
    request.forceUnitAccess = true;
    device.submit(request);
    await request.ended;
    expect([request.error, calls.syncs]).toEqual([null, 1]);
  });
});

describe("opening and closing", () => {
  it("refuses a file that somebody else has", async () => {
    const device = await makeDevice(MIB);
    await expect(FileDevice.open(device.name)).rejects.toThrow(FileLockedError);
    const unlocked = await FileDevice.open(device.name, { lock: false });
    await unlocked.close();
    await device.close();
    const again = await FileDevice.open(device.name);
    await again.close();
  });

  it("is free again after its owner was killed while its helper ran", async () => {
    const path = join(folder, "orphaned");
    await createImageFile(path, MIB);
    const script = join(folder, "owner.mts");
    const top = join(import.meta.dirname, "..", "..");
    writeFileSync(
      script,
      `import { FileDevice } from "${join(top, "src/device/file-device.ts")}";
       const device = await FileDevice.open(process.argv.at(-1));
       process.stdout.write(String(device.traits.discardGranularityBytes));
       setInterval(() => undefined, 1000);`,
    );
    const loader = join(top, "node_modules/tsx/dist/loader.mjs");
    const owner = spawnMortal(process.execPath, ["--import", loader, script, path]);
    await once(owner.stdout!, "data");
    await expect(FileDevice.open(path)).rejects.toThrow(`process ${owner.pid}`);
    const exit = once(owner, "exit");
    owner.kill("SIGKILL");
    await exit;
    const device = await FileDevice.open(path);
    await device.close();
  });

  it("refuses what is not there and what is neither file nor device", async () => {
    const none = FileDevice.open(join(folder, "none"));
    await expect(none).rejects.toMatchObject({ kind: "gone" });
    await expect(FileDevice.open(folder)).rejects.toMatchObject({ kind: "unsupported" });
    await expect(FileDevice.open("/dev/null")).rejects.toMatchObject({ kind: "unsupported" });
  });

  it("finishes what was submitted before it closes, and refuses what comes later", async () => {
    const calls = new ControlledCalls();
    const device = await makeDevice(MIB, { calls });
    calls.isHolding = true;
    const requests = Array.from({ length: 20 }, (_, index) => {
      return new TestRequest(IoKind.write, 4096 * index, [page(index)]);
    });
    for (const request of requests) device.submit(request);
    const zeroing = new TestRequest(IoKind.writeZeroes, 0x40_000, 65_536);
    device.submit(zeroing);
    const closing = device.close();
    expect(device.tryWrite(page(1), 0, 4096, 0)).toBe(false);
    await expect(readBytes(device, 0, 1)).rejects.toMatchObject({ kind: "gone" });
    calls.isHolding = false;
    calls.release();
    await closing;
    for (const request of [...requests, zeroing]) {
      expect([request.doneCount, request.error]).toEqual([1, null]);
    }
    await device.close();
  });

  it("reads through a name that was removed meanwhile", async () => {
    const device = await makeDevice(MIB);
    rmSync(device.name);
    writeFileSync(device.name, "another");
    await writeBytes(device, 0, page(1));
    await discard(device, 0, 4096);
    expect((await readBytes(device, 0, 4096)).equals(page(0))).toBe(true);
    expect(readFileSync(device.name, "utf8")).toBe("another");
  });
});
