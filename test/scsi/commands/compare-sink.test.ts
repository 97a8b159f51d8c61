import { describe, expect, it } from "vitest";
import { CompareSink, firstDifference } from "../../../src/scsi/commands/compare-sink.ts";
import type { IoError } from "../../../src/util/io-error.ts";
import { IoKind, IoRequest } from "../../../src/util/io-request.ts";
import { FakeVolume } from "../support/fake-volume.ts";

const MIB = 1024 * 1024;

class Request extends IoRequest {
  outcome: IoError | null | undefined = undefined;
  override done(error: IoError | null): void {
    if (this.outcome !== undefined) throw new Error("done twice");
    this.outcome = error;
  }
}

function patterned(): FakeVolume {
  const volume = new FakeVolume(MIB);
  for (let at = 0; at < MIB; at += 4) volume.bytes.writeUInt32BE(at, at);
  return volume;
}

function compared(volume: FakeVolume, offsetBytes: number, ...buffers: Buffer[]): Request {
  const request = new Request();
  request.kind = IoKind.write;
  request.offsetBytes = offsetBytes;
  request.buffers = buffers;
  request.lengthBytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  new CompareSink(volume, 512).submit(request);
  return request;
}

describe("firstDifference", () => {
  it("finds the first byte that differs", () => {
    expect(firstDifference(Buffer.from("same"), Buffer.from("same"))).toBe(-1);
    expect(firstDifference(Buffer.from("some"), Buffer.from("same"))).toBe(1);
    expect(firstDifference(Buffer.alloc(0), Buffer.alloc(0))).toBe(-1);
    expect(() => firstDifference(Buffer.alloc(1), Buffer.alloc(2))).toThrow("compared");
  });
});

describe("tryWrite", () => {
  it("is done when all is resident and equal, and writes nothing", () => {
    const volume = patterned();
    const before = Buffer.from(volume.bytes);
    const sink = new CompareSink(volume, 0);
    expect(sink.tryWrite(before, 512, MIB - 512, 512)).toBe(true);
    expect(sink.tryWrite(before, 512, 512, 1024)).toBe(false);
    volume.cold = true;
    expect(sink.tryWrite(before, 512, 512, 512)).toBe(false);
    expect(volume.bytes.equals(before)).toBe(true);
  });
});

describe("submit", () => {
  it("compares many small buffers, whether reads end at once or later", () => {
    const volume = patterned();
    const pieces = Array.from({ length: 8000 }, (_none, index) =>
      Buffer.from(volume.bytes.subarray(512 + index * 128, 640 + index * 128)),
    );
    expect(compared(volume, 512, ...pieces).outcome).toBeNull();
    volume.holding = true;
    const request = compared(volume, 512, ...pieces.slice(0, 3), Buffer.alloc(0));
    for (let count = 0; count < 3; count++) volume.release();
    expect([request.outcome, volume.held.length]).toEqual([null, 0]);
  });

  it("counts the offset of a difference from the start of the data-out", () => {
    const volume = patterned();
    const data = Buffer.from(volume.bytes.subarray(2048, 2048 + 600_000));
    data.writeUInt8(data.readUInt8(400_000) ^ 1, 400_000);
    const { outcome } = compared(volume, 2048, data);
    expect([outcome?.kind, outcome?.offsetBytes]).toEqual(["miscompare", 401_536]);
  });

  it("hands on the error of a read", () => {
    const volume = patterned();
    volume.failing = "gone";
    expect(compared(volume, 0, Buffer.alloc(512)).outcome?.kind).toBe("gone");
  });

  it("asserts that buffers and length agree", () => {
    const volume = patterned();
    const request = new Request();
    request.kind = IoKind.write;
    request.lengthBytes = 512;
    expect(() => new CompareSink(volume, 0).submit(request)).toThrow("buffers");
  });
});
