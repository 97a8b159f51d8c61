import { expect, it } from "vitest";
import { endsWithin } from "../../src/control/within.ts";
import { ManualClock } from "../support/manual-clock.ts";

it("tells whether work has ended in time, and does not end what has not", async () => {
  const clock = new ManualClock();
  expect(await endsWithin(clock, 10, Promise.resolve())).toBe(true);
  let finish: () => void = () => undefined;
  const work = new Promise<void>((resolve) => (finish = resolve));
  const waiting = endsWithin(clock, 10, work);
  clock.advance(10);
  expect(await waiting).toBe(false);
  finish();
  await work;
  await expect(endsWithin(clock, 10, Promise.reject(new Error("broken")))).rejects.toThrow(
    "broken",
  );
});
