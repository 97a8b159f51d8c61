import { expect, it } from "vitest";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { LATENCY_BUCKETS_MICROS, StatsFilter } from "../../src/device/stats-filter.ts";
import { IoKind, readBytes, writeBytes } from "../../src/util/io-request.ts";

it("counts operations, bytes, errors, and sorts latencies", async () => {
  let time = 0;
  let stepMs = 0.015;
  const filter = new StatsFilter(new MemoryDevice(4096), () => (time += stepMs));
  const buffer = Buffer.alloc(100);
  expect(filter.tryRead(buffer, 0, 100, 0)).toBe(true);
  expect(filter.tryRead(buffer, 0, 100, 4096)).toBe(false);
  expect(filter.tryWrite(buffer, 0, 50, 0)).toBe(true);
  stepMs = 5000;
  await writeBytes(filter, 0, buffer);
  await expect(readBytes(filter, 4096, 1)).rejects.toThrow("past the end");

  const reads = filter.statsOf(IoKind.read);
  expect(reads).toMatchObject({ count: 2, bytes: 101, errors: 1, synchronous: 1 });
  expect(reads.buckets[LATENCY_BUCKETS_MICROS.indexOf(20)]).toBe(1);
  expect(reads.buckets[LATENCY_BUCKETS_MICROS.length]).toBe(1);
  expect(reads.totalMicros).toBeCloseTo(5_000_015);
  const writes = filter.statsOf(IoKind.write);
  expect(writes).toMatchObject({ count: 2, bytes: 150, errors: 0, synchronous: 1 });
  expect(filter.statsOf(IoKind.flush).count).toBe(0);
});
