import { expect, test } from "vitest";
import { EventLoopLoad, type Utilization } from "../../src/util/event-loop-load.ts";

/** An event loop of which the test says what it did. */
class FakeLoop {
  nowMs = 1000;
  activeMs = 0;

  readonly source: Utilization = {
    now: () => this.nowMs,
    eventLoopUtilization: (now, before) => {
      const active = (now?.active ?? this.activeMs) - (before?.active ?? 0);
      const idle = (now?.idle ?? this.nowMs - this.activeMs) - (before?.idle ?? 0);
      return { active, idle, utilization: active / (active + idle) };
    },
  };

  pass(milliseconds: number, share: number): void {
    this.nowMs += milliseconds;
    this.activeMs += milliseconds * share;
  }
}

test("an event loop is busy when it had work for more than half of the time since the last look", () => {
  const loop = new FakeLoop();
  const load = new EventLoopLoad(loop.source);
  expect(load.isBusy).toBe(false);
  loop.pass(250, 0.8);
  expect(load.isBusy).toBe(true);
  loop.pass(250, 0.3);
  expect(load.isBusy).toBe(false);
});

test("what it was stays until enough time has passed to tell", () => {
  const loop = new FakeLoop();
  const load = new EventLoopLoad(loop.source);
  loop.pass(5, 1);
  expect(load.isBusy).toBe(false);
  loop.pass(100, 1);
  expect(load.isBusy).toBe(true);
  loop.pass(5, 0);
  expect(load.isBusy).toBe(true);
});

test("the event loop of this process is asked where no other is given", () => {
  expect(new EventLoopLoad().isBusy).toBe(false);
});
