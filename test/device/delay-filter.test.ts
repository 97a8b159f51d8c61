import { describe, expect, it } from "vitest";
import { DelayFilter } from "../../src/device/delay-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { IoKind, readBytes } from "../../src/util/io-request.ts";
import { TestRequest } from "./test-request.ts";

describe("DelayFilter", () => {
  it("holds every request until its time, and serves nothing at once", () => {
    const waiting: { callback: () => void; delayMs: number }[] = [];
    const filter = new DelayFilter(new MemoryDevice(4096), 50, (callback, delayMs) =>
      waiting.push({ callback, delayMs }),
    );
    expect([filter.tryRead(), filter.tryWrite()]).toEqual([false, false]);
    const first = new TestRequest(IoKind.flush);
    const second = new TestRequest(IoKind.flush);
    filter.submit(first);
    filter.delayMs = 7;
    filter.submit(second);
    expect(waiting.map(({ delayMs }) => delayMs)).toEqual([50, 7]);
    expect([first.doneCount, filter.heldCount]).toEqual([0, 2]);
    waiting[1]!.callback();
    expect([first.doneCount, second.doneCount, filter.heldCount]).toEqual([0, 1, 1]);
    waiting[0]!.callback();
    expect(first.doneCount).toBe(1);
  });

  it("closes when nothing is held back any more", async () => {
    const waiting: (() => void)[] = [];
    const below = new MemoryDevice(4096);
    const filter = new DelayFilter(below, 50, (callback) => waiting.push(callback));
    const request = new TestRequest(IoKind.flush);
    filter.submit(request);
    const closing = filter.close();
    await readBytes(below, 0, 1);
    waiting[0]!();
    await closing;
    expect([request.doneCount, request.error]).toEqual([1, null]);
    await expect(readBytes(below, 0, 1)).rejects.toMatchObject({ kind: "gone" });
  });

  it("uses the system's timers unless told otherwise", async () => {
    const filter = new DelayFilter(new MemoryDevice(4096), 1);
    expect(await readBytes(filter, 0, 1)).toHaveLength(1);
    await filter.close();
  });
});
