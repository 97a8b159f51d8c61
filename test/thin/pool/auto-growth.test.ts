import { beforeEach, expect, test } from "vitest";
import { AutoGrowth, type Grower, type Growth } from "../../../src/thin/pool/auto-growth.ts";
import { GROWTH_BACKOFF_MS_MAX, GROWTH_BACKOFF_MS_MIN } from "../../../src/thin/pool/limits.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";

/** A device that the pool does not take. */
const REFUSED = 9;

let clock: ManualClock;
let lines: LogLine[];
let freeBytes: number;
let applied: Growth[];

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
      if (result.kind === "grown" && result.device === REFUSED) {
        return Promise.reject(new Error("it is too small"));
      }
      applied.push(result);
      return Promise.resolve();
    },
  });
}

test("a pool that closes does not wait for what is to make it larger", async () => {
  let begun = 0;
  const policy = growth(({ signal }) => {
    begun += 1;
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("it was killed")));
    });
  });
  policy.check();
  policy.stop();
  await policy.settled();
  clock.advance(GROWTH_BACKOFF_MS_MAX);
  policy.check();
  expect(begun).toBe(1);
  expect(applied).toEqual([]);
});

test("a pool that runs low is grown by a step, one at a time", async () => {
  const asked: number[] = [];
  let finish: () => void = () => undefined;
  const grown: Growth = { kind: "grown", device: 0, isZero: true };
  const policy = growth(({ bytesWanted, freeBytes: free }) => {
    asked.push(bytesWanted, free);
    return new Promise((resolve) => {
      finish = () => resolve([grown]);
    });
  });
  freeBytes = 100;
  policy.check();
  expect(asked).toEqual([]);
  freeBytes = 99;
  policy.check();
  policy.check();
  expect(asked).toEqual([50, 99]);
  finish();
  await policy.settled();
  expect(applied).toEqual([grown]);
  policy.check();
  expect(asked).toEqual([50, 99, 50, 99]);
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
    return Promise.resolve([]);
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

test("what is of use is used where something else is not, and it waits", async () => {
  const good: Growth = { kind: "grown", device: 1, isZero: false };
  let calls = 0;
  const policy = growth(() => {
    calls += 1;
    return Promise.resolve([{ kind: "grown", device: REFUSED, isZero: false }, good]);
  });
  policy.check();
  await policy.settled();
  expect(applied).toEqual([good]);
  expect(lines.filter(({ level }) => level === "error")).toHaveLength(1);
  policy.check();
  expect(calls).toBe(1);
});
