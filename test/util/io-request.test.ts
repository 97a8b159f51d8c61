import { describe, expect, it } from "vitest";
import { IoError } from "../../src/util/io-error.ts";
import {
  discard,
  flush,
  IoKind,
  type IoRequest,
  readBytes,
  writeBytes,
  writeStable,
  writeZeroes,
} from "../../src/util/io-request.ts";

/** Answers every request at once, and keeps what it was asked. */
class Recorder {
  readonly asked: object[] = [];
  failure: IoError | null = null;

  submit(request: IoRequest): void {
    const { kind, offsetBytes, lengthBytes, buffers, forceUnitAccess } = request;
    this.asked.push({ kind, offsetBytes, lengthBytes, forceUnitAccess });
    if (kind === IoKind.read) for (const buffer of buffers) buffer.fill(9);
    request.done(this.failure);
  }
}

describe("the promise forms of the operations", () => {
  it("submit what they are named after", async () => {
    const target = new Recorder();
    expect(await readBytes(target, 512, 4)).toEqual(Buffer.alloc(4, 9));
    await writeBytes(target, 1024, Buffer.alloc(8));
    await writeStable(target, 2048, Buffer.alloc(8));
    await flush(target);
    await discard(target, 4096, 8192);
    await writeZeroes(target, 0, 512);
    const forceUnitAccess = false;
    expect(target.asked).toEqual([
      { kind: IoKind.read, offsetBytes: 512, lengthBytes: 4, forceUnitAccess },
      { kind: IoKind.write, offsetBytes: 1024, lengthBytes: 8, forceUnitAccess },
      { kind: IoKind.write, offsetBytes: 2048, lengthBytes: 8, forceUnitAccess: true },
      { kind: IoKind.flush, offsetBytes: 0, lengthBytes: 0, forceUnitAccess },
      { kind: IoKind.discard, offsetBytes: 4096, lengthBytes: 8192, forceUnitAccess },
      { kind: IoKind.writeZeroes, offsetBytes: 0, lengthBytes: 512, forceUnitAccess },
    ]);
  });

  it("reject with the error of the operation", async () => {
    const target = new Recorder();
    target.failure = new IoError("space", "no space is left", { object: "disk" });
    await expect(writeBytes(target, 0, Buffer.alloc(1))).rejects.toBe(target.failure);
    await expect(readBytes(target, 0, 1)).rejects.toBe(target.failure);
  });

  it.each([-1, 0.5, 2 ** 53])(
    "refuse the offset %d, which is a defect of the caller",
    async (at) => {
      await expect(readBytes(new Recorder(), at, 1)).rejects.toThrow("natural number");
    },
  );
});
