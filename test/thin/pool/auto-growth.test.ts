import { beforeEach, expect, test } from "vitest";
import { AutoGrowth, type Grower, type GrowerResult } from "../../../src/thin/pool/auto-growth.ts";
import { GROWTH_BACKOFF_MS_MAX, GROWTH_BACKOFF_MS_MIN } from "../../../src/thin/pool/limits.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";

let clock: ManualClock;
let lines: LogLine[];
let freeBytes: number;
let applied: GrowerResult[];

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  freeBytes = 0;
  applied = [];
});

function growth(grower: Grower): AutoGrowth {
  return new AutoGrowth({
    clock,
    log: recordingLog(lines),
    lowWaterBytes: 100,
    stepBytes: 50,
    grower,
    freeBytes: () => freeBytes,
    apply: (result) => {
      applied.push(result);
      return Promise.resolve();
    },
  });
}

test("a pool that runs low is grown by a step, one at a time", async () => {
  const asked: number[] = [];
  let finish: () => void = () => undefined;
  const grown: GrowerResult = { kind: "grown", device: 0, isZero: true };
  const policy = growth((bytesWanted) => {
    asked.push(bytesWanted);
    return new Promise((resolve) => {
      finish = () => resolve(grown);
    });
  });
  freeBytes = 100;
  policy.check();
  expect(asked).toEqual([]);
  freeBytes = 99;
  policy.check();
  policy.check();
  expect(asked).toEqual([50]);
  finish();
  await policy.settled();
  expect(applied).toEqual([grown]);
  policy.check();
  expect(asked).toEqual([50, 50]);
});

test("after a failure it waits, longer after each", async () => {
  let calls = 0;
  const policy = growth(() => {
    calls += 1;
    return Promise.reject(new Error("no disk"));
  });
  policy.check();
  await policy.settled();
  policy.check();
  expect(calls).toBe(1);
  clock.advance(GROWTH_BACKOFF_MS_MIN);
  policy.check();
  await policy.settled();
  expect(calls).toBe(2);
  clock.advance(GROWTH_BACKOFF_MS_MIN);
  policy.check();
  expect(calls).toBe(2);
  clock.advance(GROWTH_BACKOFF_MS_MIN);
  policy.check();
  await policy.settled();
  expect(calls).toBe(3);
  for (let index = 0; index < 20; index += 1) {
    clock.advance(GROWTH_BACKOFF_MS_MAX);
    policy.check();
    await policy.settled();
  }
  expect(calls).toBe(23);
  expect(lines.filter(({ level }) => level === "error")).toHaveLength(23);
});

test("a grower that has nothing left is asked again later", async () => {
  let calls = 0;
  const policy = growth(() => {
    calls += 1;
    return Promise.resolve({ kind: "exhausted" });
  });
  policy.check();
  await policy.settled();
  policy.check();
  expect(calls).toBe(1);
  expect(applied).toEqual([]);
  clock.advance(GROWTH_BACKOFF_MS_MIN);
  policy.check();
  expect(calls).toBe(2);
});
