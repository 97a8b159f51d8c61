import { expect, it } from "vitest";
import { Interrupt } from "../../src/cli/interrupt.ts";

it("work ends in order when it is interrupted, and afterwards Ctrl-C is as it was", () => {
  const before = process.listenerCount("SIGINT");
  const interrupt = new Interrupt();
  interrupt.signal.throwIfAborted();
  process.emit("SIGINT");
  expect(() => interrupt.signal.throwIfAborted()).toThrow("nothing was left behind");
  interrupt.release();
  expect(process.listenerCount("SIGINT")).toBe(before);
  expect(process.listenerCount("SIGTERM")).toBe(before);
});
