import { beforeEach, expect, test } from "vitest";
import { FullPolicy } from "../../../src/thin/pool/full-policy.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const HOLD_MS = 1000;
const RETRY_MS = 60_000;

let clock: ManualClock;
let extents: number;
let log: string[];
let isMomentary: boolean;
let policy: FullPolicy;

beforeEach(() => {
  clock = new ManualClock();
  extents = 0;
  log = [];
  isMomentary = false;
  policy = new FullPolicy({
    clock,
    poolName: "tank",
    holdMs: HOLD_MS,
    fullRetryMs: RETRY_MS,
    usableExtents: () => extents,
    isMomentary: () => isMomentary,
    wanted: () => log.push("wanted"),
    changed: (isFull) => log.push(isFull ? "full" : "space"),
  });
});

function wait(name: string): void {
  policy.wait(
    () => log.push(`${name} retries`),
    (error) => log.push(`${name} ${error.kind}`),
  );
}

test("a write waits, and tries again when something comes free", () => {
  wait("a");
  expect(log).toEqual(["full", "wanted"]);
  clock.advance(HOLD_MS - 1);
  extents = 1;
  policy.freed();
  expect(log).toEqual(["full", "wanted", "a retries", "space"]);
  clock.advance(RETRY_MS);
  expect(log).toHaveLength(4);
  expect(policy.isFull).toBe(false);
});

test("it waits no longer than it may, and can be tried again", () => {
  wait("a");
  clock.advance(500);
  wait("b");
  clock.advance(HOLD_MS - 501);
  expect(log).toEqual(["full", "wanted", "wanted"]);
  clock.advance(1);
  expect(log.slice(3)).toEqual(["a space-pending"]);
  clock.advance(500);
  expect(log.slice(3)).toEqual(["a space-pending", "b space-pending"]);
});

test("when the pool has been full for long, writes fail at once and for good", () => {
  wait("a");
  clock.advance(RETRY_MS - 500);
  wait("b");
  clock.advance(HOLD_MS);
  wait("c");
  expect(log.filter((line) => line !== "wanted")).toEqual([
    "full",
    "a space-pending",
    "b space",
    "c space",
  ]);
});

test("space that comes free begins the time anew", () => {
  wait("a");
  clock.advance(RETRY_MS);
  extents = 1;
  policy.freed();
  extents = 0;
  wait("b");
  clock.advance(HOLD_MS);
  expect(log.at(-1)).toBe("b space-pending");
});

test("as many try again as there are extents, the longest waiting first; the others wait on", () => {
  for (const name of ["a", "b", "c"]) wait(name);
  extents = 2;
  policy.freed();
  expect(log.filter((line) => line.endsWith("retries"))).toEqual(["a retries", "b retries"]);
  expect(policy.isFull).toBe(true);
  clock.advance(HOLD_MS);
  expect(log.at(-1)).toBe("c space-pending");
});

test("one that finds nothing again waits anew", () => {
  let tries = 0;
  const again = (): void => {
    tries += 1;
    policy.wait(again, (error) => log.push(error.kind));
  };
  again();
  extents = 1;
  policy.freed();
  expect(tries).toBe(2);
  expect(policy.waiters).toBe(1);
  clock.advance(HOLD_MS);
  expect(log.at(-1)).toBe("space-pending");
});

test("nothing happens when space comes free that none may take", () => {
  wait("a");
  policy.freed();
  expect(policy.waiters).toBe(1);
});

test("a stop ends all waits", () => {
  wait("a");
  policy.stop(new IoError("gone", "it is closed", { object: "tank" }));
  expect(log.at(-1)).toBe("a gone");
  clock.advance(RETRY_MS);
  expect(log.at(-1)).toBe("a gone");
});

test("a pool of which the space is on its way is not full", () => {
  isMomentary = true;
  wait("a");
  expect(log).toEqual(["wanted"]);
  extents = 1;
  policy.freed();
  expect(log).toEqual(["wanted", "a retries"]);
});

test("a pool stays full where all that wait try again, and find nothing: what is free is not theirs", () => {
  const again = (): void => {
    policy.wait(again, (error) => log.push(error.kind));
  };
  again();
  again();
  // As with another volume's reservation, while that one writes.
  extents = 100;
  for (let count = 0; count < 5; count += 1) policy.freed();
  expect(log.filter((line) => line !== "wanted")).toEqual(["full"]);
  expect(policy.isFull).toBe(true);
  clock.advance(HOLD_MS);
  expect(log.filter((line) => line !== "wanted")).toEqual([
    "full",
    "space-pending",
    "space-pending",
  ]);
});

test("nobody waits after a stop", () => {
  policy.stop(new IoError("gone", "it is closed", { object: "tank" }));
  wait("a");
  expect(log).toEqual(["a gone"]);
});

test("a write that finds nothing when it tries again does not begin to wait anew", () => {
  const again = (): void => {
    policy.wait(again, (error) => log.push(error.kind));
  };
  again();
  for (let passed = 0; passed < HOLD_MS; passed += 100) {
    extents = 1;
    policy.freed();
    clock.advance(100);
  }
  expect(log.at(-1)).toBe("space-pending");
  expect(policy.waiters).toBe(0);
});

test("however long the pool has been full, a write waits for space that is on its way: a reservation's, while it is discarded", () => {
  wait("a");
  clock.advance(RETRY_MS);
  expect(log.at(-1)).toBe("a space-pending");
  isMomentary = true;
  wait("b");
  expect(log.at(-1)).toBe("wanted");
  extents = 1;
  policy.freed();
  expect(log.slice(-2)).toEqual(["b retries", "space"]);
});

test("where that takes too long, it is not told that there is none for good", () => {
  wait("a");
  clock.advance(RETRY_MS);
  isMomentary = true;
  wait("b");
  clock.advance(HOLD_MS);
  expect(log.at(-1)).toBe("b space-pending");
  isMomentary = false;
  wait("c");
  expect(log.at(-1)).toBe("c space");
});
