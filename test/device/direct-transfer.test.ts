import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectTransfer, isUnaligned } from "../../src/device/direct-transfer.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { SeededRandom } from "../../src/util/random.ts";
import { WriteStop } from "../../src/device/write-stop.ts";
import { IoError } from "../../src/util/io-error.ts";
import { ControlledCalls } from "./controlled-calls.ts";
import { scratchFolder } from "./loop-device.ts";
import { TestRequest } from "./test-request.ts";

const ALIGNMENT = 16;
const SIZE = 1024;
const folder = scratchFolder();
const path = join(folder, "file");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Refuses what O_DIRECT would refuse, so that a plain file shows the alignment of every call. */
class StrictCalls extends ControlledCalls {
  override read(...args: Parameters<ControlledCalls["read"]>): void {
    expectAligned(args[1], args[2]);
    super.read(...args);
  }

  override write(...args: Parameters<ControlledCalls["write"]>): void {
    expectAligned(args[1], args[2]);
    super.write(...args);
  }
}

function expectAligned(buffers: readonly Uint8Array[], at: number): void {
  expect(buffers).toHaveLength(1);
  expect([buffers[0]!.length % ALIGNMENT, at % ALIGNMENT]).toEqual([0, 0]);
}

describe("a direct transfer", () => {
  let fd = -1;
  let calls: StrictCalls;
  let stop: WriteStop;
  let transfer: DirectTransfer;
  const content = new SeededRandom(1).bytes(SIZE);
  beforeEach(() => {
    writeFileSync(path, content);
    fd = openSync(path, "r+");
    calls = new StrictCalls();
    stop = new WriteStop();
    const memory = { bounce: Buffer.alloc(64), alignmentBytes: ALIGNMENT };
    transfer = new DirectTransfer(
      "disk",
      calls,
      (_, request, error) => request.done(error),
      stop,
      memory,
    );
  });
  afterEach(() => closeSync(fd));

  async function move(kind: IoKind, offset: number, buffers: Buffer[]): Promise<TestRequest> {
    const request = new TestRequest(kind, offset, buffers);
    transfer.start(request, fd);
    await request.ended;
    return request;
  }

  it("reads and writes any range with aligned calls only", async () => {
    const random = new SeededRandom(2);
    const model = Buffer.from(content);
    for (let round = 0; round < 200; round += 1) {
      const offset = random.below(SIZE - 1);
      const data = random.bytes(random.between(1, Math.min(200, SIZE - offset)));
      const half = random.below(data.length);
      const written = await move(IoKind.write, offset, [
        data.subarray(0, half),
        data.subarray(half),
      ]);
      expect(written.error).toBeNull();
      data.copy(model, offset);
      expect(readFileSync(path).equals(model)).toBe(true);
      const into = [Buffer.alloc(half), Buffer.alloc(data.length - half)];
      const read = await move(IoKind.read, offset, into);
      expect(read.error).toBeNull();
      expect(Buffer.concat(into).equals(data)).toBe(true);
    }
  });

  it("reads first only what it does not replace", async () => {
    await move(IoKind.write, 64, [Buffer.alloc(128)]);
    expect([calls.reads, calls.writes]).toEqual([0, 2]);
    await move(IoKind.write, 60, [Buffer.alloc(130)]);
    expect([calls.reads, calls.writes]).toEqual([2, 5]);
  });

  it("never makes the file longer", async () => {
    writeFileSync(path, content.subarray(0, 1000));
    const request = await move(IoKind.write, 998, [Buffer.from("x")]);
    expect(request.error).toMatchObject({ kind: "medium" });
    expect(readFileSync(path)).toHaveLength(1000);
  });

  it("writes nothing of what it has read to change, where the device was stopped meanwhile", async () => {
    calls.isHolding = true;
    const moved = move(IoKind.write, 20, [Buffer.from("x")]);
    expect([calls.reads, calls.writes]).toEqual([1, 0]);
    const error = new IoError("failed", "another host has it", { object: "disk" });
    stop.set(error);
    calls.release();
    expect((await moved).error).toBe(error);
    expect(calls.writes).toBe(0);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it("reports errors of either step", async () => {
    calls.readErrors.push("EIO", "EIO");
    expect((await move(IoKind.read, 0, [Buffer.alloc(1)])).error).toMatchObject({ kind: "medium" });
    expect((await move(IoKind.write, 0, [Buffer.alloc(1)])).error).toMatchObject({
      kind: "medium",
    });
    calls.writeErrors.push("ENOSPC");
    const full = await move(IoKind.write, 0, [Buffer.alloc(16)]);
    expect(full.error).toMatchObject({ kind: "space" });
    const end = await move(IoKind.read, SIZE - 1, [Buffer.alloc(2)]);
    expect(end.error).toMatchObject({ kind: "range", offsetBytes: SIZE });
  });
});

it("tells writes that fill their blocks from those that do not", () => {
  const of = (offset: number, length: number): boolean =>
    isUnaligned(new TestRequest(IoKind.write, offset, length), 512);
  expect([of(0, 512), of(512, 1024), of(1, 512), of(0, 511)]).toEqual([false, false, true, true]);
});
