import { expect, test } from "vitest";
import { RateLimit } from "../../../src/thin/pool/rate-limit.ts";
import { ManualClock } from "../../support/manual-clock.ts";

test("what was used comes back with time, up to a second's worth", () => {
  const clock = new ManualClock();
  const limit = new RateLimit(clock, 1000);
  expect(limit.allowanceBytes).toBe(1000);
  limit.use(2500);
  expect(limit.allowanceBytes).toBe(-1500);
  clock.advance(1000);
  expect(limit.allowanceBytes).toBe(-500);
  clock.advance(750);
  expect(limit.allowanceBytes).toBe(250);
  clock.advance(60_000);
  expect(limit.allowanceBytes).toBe(1000);
});

test("a rate of nothing lets nothing pass", () => {
  const clock = new ManualClock();
  const limit = new RateLimit(clock, 0);
  clock.advance(60_000);
  expect(limit.allowanceBytes).toBe(0);
});
