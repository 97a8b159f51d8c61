import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { BufferedTransfer, remainder } from "../../src/device/transfer.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { WriteStop } from "../../src/device/write-stop.ts";
import { IoError } from "../../src/util/io-error.ts";
import { ControlledCalls } from "./controlled-calls.ts";
import { scratchFolder } from "./loop-device.ts";
import { TestRequest } from "./test-request.ts";

const folder = scratchFolder();
const path = join(folder, "file");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a buffered transfer", () => {
  let fd = -1;
  let calls: ControlledCalls;
  let stop: WriteStop;
  let transfer: BufferedTransfer;
  beforeEach(() => {
    writeFileSync(path, "0123456789");
    fd = openSync(path, "r+");
    calls = new ControlledCalls();
    stop = new WriteStop();
    transfer = new BufferedTransfer(
      "disk",
      calls,
      (_, request, error) => request.done(error),
      stop,
    );
  });
  afterEach(() => closeSync(fd));

  it("goes on until all is moved, byte by byte if need be, and serves again", async () => {
    calls.bytesMax = 1;
    const write = new TestRequest(IoKind.write, 2, [Buffer.from("ab"), Buffer.from("cde")]);
    transfer.start(write, fd);
    await write.ended;
    expect(readFileSync(path, "utf8")).toBe("01abcde789");
    const into = [Buffer.alloc(1), Buffer.alloc(0), Buffer.alloc(4)];
    const read = new TestRequest(IoKind.read, 2, into);
    transfer.start(read, fd);
    await read.ended;
    expect(Buffer.concat(into).toString()).toBe("abcde");
    expect([calls.writes, calls.reads]).toEqual([5, 5]);
  });

  it("makes no further call of a write once the device is stopped, and goes on reading", async () => {
    calls.bytesMax = 2;
    calls.isHolding = true;
    const write = new TestRequest(IoKind.write, 0, [Buffer.from("abcdef")]);
    transfer.start(write, fd);
    const error = new IoError("failed", "another host has it", { object: "disk" });
    stop.set(error);
    calls.release();
    await write.ended;
    expect([write.error, calls.writes]).toEqual([error, 1]);
    expect(readFileSync(path, "utf8")).toBe("ab23456789");
    calls.isHolding = false;
    const into = Buffer.alloc(10);
    const read = new TestRequest(IoKind.read, 0, [into]);
    transfer.start(read, fd);
    await read.ended;
    expect([read.error, into.toString()]).toEqual([null, "ab23456789"]);
  });

  it("takes the end of the file for a range that is no more", async () => {
    const read = new TestRequest(IoKind.read, 8, [Buffer.alloc(4)]);
    transfer.start(read, fd);
    await read.ended;
    expect(read.error).toMatchObject({ kind: "range", object: "disk", offsetBytes: 10 });
  });

  it("does not write for ever when nothing is taken", async () => {
    calls.bytesMax = 0;
    const write = new TestRequest(IoKind.write, 0, [Buffer.from("x")]);
    transfer.start(write, fd);
    await write.ended;
    expect(write.error).toMatchObject({ kind: "medium" });
    expect(calls.writes).toBe(1);
  });

  it("serves one request at a time", async () => {
    calls.isHolding = true;
    const read = new TestRequest(IoKind.read, 0, [Buffer.alloc(1)]);
    transfer.start(read, fd);
    expect(() => transfer.start(read, fd)).toThrow("one request at a time");
    calls.release();
    await read.ended;
  });
});

describe("the remainder of buffers", () => {
  it.each([
    [0, "abcdef"],
    [1, "bcdef"],
    [2, "cdef"],
    [3, "def"],
    [6, ""],
  ])("after %d bytes is %j", (skip, expected) => {
    const buffers = [Buffer.from("ab"), Buffer.from(""), Buffer.from("cdef")];
    const rest = remainder(buffers, skip);
    expect(Buffer.concat(rest).toString()).toBe(expected);
    expect(rest.every((buffer) => buffer.length > 0)).toBe(true);
  });
});
