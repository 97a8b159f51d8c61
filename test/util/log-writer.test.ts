import { closeSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LogWriter, nonBlocking, type WriteCalls } from "../../src/util/log-writer.ts";

type Done = (error: NodeJS.ErrnoException | null, count: number) => void;

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

/** A descriptor whose writes the test completes. */
class Pipe implements WriteCalls {
  text = "";
  pending: { bytes: Uint8Array; done: Done } | null = null;
  /** What synchronous writes meet, in turn; then they succeed. */
  readonly failures: string[] = [];
  syncCount = 0;

  write(_fd: number, bytes: Uint8Array, done: Done): void {
    expect(this.pending).toBeNull();
    this.pending = { bytes, done };
  }

  writeSync(_fd: number, bytes: Uint8Array): number {
    this.syncCount += 1;
    const code = this.failures.shift();
    if (code !== undefined) throw failure(code);
    this.text += Buffer.from(bytes).toString();
    return bytes.length;
  }

  complete(count: number = Infinity): void {
    const { pending } = this;
    if (pending === null) throw new Error("nothing is being written");
    const taken = Math.min(count, pending.bytes.length);
    this.text += Buffer.from(pending.bytes.subarray(0, taken)).toString();
    this.pending = null;
    pending.done(null, taken);
  }

  fail(code: string): void {
    const { pending } = this;
    this.pending = null;
    pending?.done(failure(code), 0);
  }
}

function writerOn(calls: Pipe, waitingCharsMax: number = 1000): LogWriter {
  return new LogWriter(1, {
    calls,
    waitingCharsMax,
    describeLoss: (lineCount) => `lost ${lineCount}\n`,
  });
}

describe("LogWriter", () => {
  it("writes one thing at a time, and what came meanwhile together", () => {
    const pipe = new Pipe();
    const writer = writerOn(pipe);
    for (const line of ["a\n", "b\n", "c\n"]) writer.write(line);
    pipe.complete();
    expect(pipe.text).toBe("a\n");
    pipe.complete();
    expect(pipe.text).toBe("a\nb\nc\n");
    expect(pipe.pending).toBeNull();
  });

  it("goes on where a write stopped half way", () => {
    const pipe = new Pipe();
    writerOn(pipe).write("abcdef\n");
    pipe.complete(2);
    pipe.complete(3);
    pipe.complete();
    expect(pipe.text).toBe("abcdef\n");
  });

  it("loses lines rather than to keep them without end, and says how many", () => {
    const pipe = new Pipe();
    const writer = writerOn(pipe, 6);
    for (let index = 0; index < 5; index += 1) writer.write(`${index}23\n`);
    pipe.complete();
    pipe.complete();
    expect(pipe.text).toBe("023\n123\nlost 3\n");
    writer.write("x\n");
    pipe.complete();
    expect(pipe.text).toMatch(/lost 3\nx\n$/);
  });

  it("says nothing more once the reader is gone", () => {
    const pipe = new Pipe();
    const writer = writerOn(pipe);
    writer.write("a\n");
    writer.write("b\n");
    pipe.fail("EPIPE");
    writer.write("c\n");
    writer.flush();
    expect(pipe.pending).toBeNull();
    expect(pipe.syncCount).toBe(0);
  });

  it("tries again when the pipe was full", async () => {
    const pipe = new Pipe();
    writerOn(pipe).write("a\n");
    pipe.fail("EAGAIN");
    while (pipe.pending === null) await new Promise((resolve) => setTimeout(resolve, 1));
    pipe.complete();
    expect(pipe.text).toBe("a\n");
  });

  it("flushes what waits", () => {
    const pipe = new Pipe();
    const writer = writerOn(pipe);
    writer.write("a\n");
    writer.write("b\n");
    pipe.failures.push("EAGAIN", "EAGAIN");
    writer.flush();
    expect(pipe.text).toBe("b\n");
  });

  it("writes what waits and last words before it returns, where the process ends", () => {
    const pipe = new Pipe();
    const writer = writerOn(pipe);
    writer.write("a\n");
    writer.write("b\n");
    writer.endsNow();
    expect(pipe.text).toBe("b\n");
    writer.write("c\n");
    expect(pipe.text).toBe("b\nc\n");
    const idle = new Pipe();
    const last = writerOn(idle);
    last.endsNow();
    last.write("d\n");
    expect([idle.text, idle.pending]).toEqual(["d\n", null]);
  });

  it.each(["EAGAIN", "EPIPE"])("does not wait for ever in a flush that meets %s", (code) => {
    const pipe = new Pipe();
    const writer = writerOn(pipe);
    writer.write("a\n");
    writer.write("b\n");
    pipe.failures.push(...Array.from({ length: 1000 }, () => code));
    writer.flush();
    expect(pipe.syncCount).toBeLessThan(100);
    expect(pipe.text).toBe("");
  });
});

describe("nonBlocking", () => {
  it("opens a character device anew, and leaves a file as it is", () => {
    const device = openSync("/dev/null", "w");
    const again = nonBlocking(device);
    expect(again).not.toBe(device);
    closeSync(again);
    closeSync(device);
    const path = join(tmpdir(), `thinlun-log-${process.pid}`);
    const file = openSync(path, "w");
    expect(nonBlocking(file)).toBe(file);
    closeSync(file);
    rmSync(path);
  });

  it("makes do with what cannot be asked", () => {
    expect(nonBlocking(1_000_000)).toBe(1_000_000);
  });
});
