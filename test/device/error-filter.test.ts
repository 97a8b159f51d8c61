import { describe, expect, it } from "vitest";
import { ErrorFilter } from "../../src/device/error-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { flush, IoKind, readBytes, writeBytes } from "../../src/util/io-request.ts";

const byte = Buffer.alloc(1);

describe("ErrorFilter", () => {
  it("passes everything while it has no rules", async () => {
    const filter = new ErrorFilter(new MemoryDevice(4096));
    expect(filter.tryWrite(byte, 0, 1, 0)).toBe(true);
    expect(filter.tryRead(byte, 0, 1, 0)).toBe(true);
    await readBytes(filter, 0, 1);
  });

  it("fails requests of a kind that touch a range, and lets the others pass", async () => {
    const rule = { error: "medium", kind: IoKind.read, startBytes: 100, endBytes: 200 } as const;
    const filter = new ErrorFilter(new MemoryDevice(4096), [rule]);
    expect(filter.tryRead(byte, 0, 1, 0)).toBe(false);
    expect(filter.tryWrite(byte, 0, 1, 0)).toBe(false);
    const failing = { kind: "medium", offsetBytes: 99 };
    await expect(readBytes(filter, 99, 2)).rejects.toMatchObject(failing);
    await expect(readBytes(filter, 199, 1)).rejects.toMatchObject({ kind: "medium" });
    await readBytes(filter, 99, 1);
    await readBytes(filter, 200, 1);
    await writeBytes(filter, 150, byte);
    await flush(filter);
  });

  it("skips the first ones and is spent after so many", async () => {
    const rule = { error: "space", kind: IoKind.write, skip: 2, times: 1 } as const;
    const filter = new ErrorFilter(new MemoryDevice(4096), [rule]);
    await writeBytes(filter, 0, byte);
    await writeBytes(filter, 0, byte);
    await expect(writeBytes(filter, 0, byte)).rejects.toMatchObject({ kind: "space" });
    await writeBytes(filter, 0, byte);
  });

  it("fails flushes only by a rule for flushes", async () => {
    const filter = new ErrorFilter(new MemoryDevice(4096), [{ error: "medium" }]);
    await flush(filter);
    filter.setRules([{ error: "failed", kind: IoKind.flush }]);
    await expect(flush(filter)).rejects.toMatchObject({ kind: "failed" });
    filter.setRules([]);
    await flush(filter);
  });

  it("keeps what fails from the device below", async () => {
    const below = new MemoryDevice(4096);
    const filter = new ErrorFilter(below, [{ error: "medium", kind: IoKind.write }]);
    await expect(writeBytes(filter, 0, Buffer.from("x"))).rejects.toMatchObject({ kind: "medium" });
    expect((await readBytes(below, 0, 1))[0]).toBe(0);
  });
});
