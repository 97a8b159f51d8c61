import { expect, it } from "vitest";
import { LogFilter, type IoRecord } from "../../src/device/log-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { flush, readBytes } from "../../src/util/io-request.ts";

it("tells of every operation that was done, in order", async () => {
  const records: IoRecord[] = [];
  const filter = new LogFilter(new MemoryDevice(4096, "disk"), (record) => records.push(record));
  const buffer = Buffer.alloc(10);
  filter.tryWrite(buffer, 0, 10, 20);
  filter.tryRead(buffer, 0, 5, 20);
  filter.tryRead(buffer, 0, 5, 4095);
  await expect(readBytes(filter, 4095, 2)).rejects.toThrow("past the end");
  await flush(filter);
  const common = { device: "disk", forceUnitAccess: false, error: null };
  const synchronous = { ...common, synchronous: true };
  expect(records).toEqual([
    { ...synchronous, operation: "write", offsetBytes: 20, lengthBytes: 10 },
    { ...synchronous, operation: "read", offsetBytes: 20, lengthBytes: 5 },
    {
      ...common,
      synchronous: false,
      operation: "read",
      offsetBytes: 4095,
      lengthBytes: 2,
      error: expect.objectContaining({ kind: "range" }) as unknown,
    },
    { ...common, synchronous: false, operation: "flush", offsetBytes: 0, lengthBytes: 0 },
  ]);
});
