import { describe, expect, it, vi } from "vitest";
import { pause, systemClock, systemUptimeMs } from "../../src/util/clock.ts";

describe("the system's clock", () => {
  it("does not go back", () => {
    const first = systemClock.nowMs();
    expect(systemClock.nowMs()).toBeGreaterThanOrEqual(first);
  });

  it("knows how long the machine has been there, in milliseconds", () => {
    const monotonicMs = Number(process.hrtime.bigint() / 1_000_000n);
    // Two digits after the point are told of the seconds; the monotonic clock is behind by what the machine was suspended for.
    expect(systemUptimeMs()).toBeGreaterThan(monotonicMs - 1000);
  });

  it("calls back after the time, and not before", async () => {
    const start = systemClock.nowMs();
    await pause(systemClock, 5);
    // Timers count in whole milliseconds and may round the start down.
    expect(systemClock.nowMs() - start).toBeGreaterThanOrEqual(4);
  });

  it("calls back after 0 in the next turn, without a timer's millisecond", async () => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    let isSameTurn = true;
    const called = new Promise<boolean>((resolve) => {
      systemClock.after(0, () => resolve(isSameTurn));
    });
    isSameTurn = false;
    expect(await called).toBe(false);
    expect(timers).not.toHaveBeenCalled();
    timers.mockRestore();
  });

  it("does not call back what was cancelled", async () => {
    let called = false;
    const timer = systemClock.after(0, () => (called = true));
    timer.cancel();
    timer.cancel();
    await pause(systemClock, 5);
    expect(called).toBe(false);
  });
});
