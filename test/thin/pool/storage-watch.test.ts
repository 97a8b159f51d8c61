import { beforeEach, expect, test } from "vitest";
import { StorageWatch } from "../../../src/thin/pool/storage-watch.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const HOLD_MS = 1000;
const RETRY_MS = 60_000;
const TICK_MS = 250;

let clock: ManualClock;
let log: string[];
let hasRoom: boolean;
let storage: StorageWatch;

beforeEach(() => {
  clock = new ManualClock();
  log = [];
  hasRoom = false;
  storage = new StorageWatch({
    clock,
    poolName: "tank",
    holdMs: HOLD_MS,
    fullRetryMs: RETRY_MS,
    changed: (isFull) => log.push(isFull ? "full" : "room"),
    ended: () => log.push("end"),
  });
});

function stopped(): IoError {
  return new IoError("failed", "made up", { object: "tank" });
}

/** Something of the pool's own, which tries until there is room. */
function wait(name: string): void {
  storage.wait({
    retry: () => {
      log.push(`${name} tries`);
      if (hasRoom) storage.passed();
      else wait(name);
    },
    giveUp: (error) => log.push(`${name} ${error.kind}`),
  });
}

/** A volume's write. */
function hold(name: string): void {
  const write = {
    untilMs: 0,
    retry: () => {
      log.push(`${name} tries`);
      if (hasRoom) storage.passed();
      else storage.hold(write);
    },
    giveUp: (error: IoError) => log.push(`${name} ${error.kind}`),
  };
  storage.hold(write);
}

test("what the pool itself writes is tried again for as long as it takes", () => {
  wait("page");
  clock.advance(4 * TICK_MS);
  expect(log).toEqual(["full", ...Array.from({ length: 4 }, () => "page tries")]);
  clock.advance(2 * RETRY_MS);
  expect(storage.isFull).toBe(true);
  hasRoom = true;
  clock.advance(TICK_MS);
  expect(log.slice(-2)).toEqual(["page tries", "room"]);
  expect(storage.isFull).toBe(false);
  const before = log.length;
  clock.advance(10 * RETRY_MS);
  expect(log).toHaveLength(before);
});

test("of writes one at a time tries, and when that finds room all others do", () => {
  hold("a");
  hold("b");
  hold("c");
  clock.advance(TICK_MS);
  clock.advance(TICK_MS);
  expect(log).toEqual(["full", "a tries", "b tries"]);
  hasRoom = true;
  clock.advance(TICK_MS);
  expect(log.slice(3)).toEqual(["c tries", "room", "a tries", "b tries"]);
});

test("a write waits no longer than it may, however often it has tried, and after long not at all", () => {
  hold("a");
  clock.advance(HOLD_MS);
  expect(log).toEqual(["full", "a tries", "a tries", "a tries", "a space-pending"]);
  clock.advance(RETRY_MS - HOLD_MS - TICK_MS);
  hold("b");
  clock.advance(TICK_MS);
  hold("c");
  expect(log.slice(5)).toEqual(["b tries", "b space", "c space"]);
});

test("what nothing has found full for a minute is not any more", () => {
  hold("a");
  clock.advance(HOLD_MS + 59_000);
  expect(storage.isFull).toBe(true);
  clock.advance(2_000);
  expect([storage.isFull, log.at(-1)]).toEqual([false, "room"]);
  storage.noticed();
  expect([storage.isFull, log.at(-1)]).toEqual([true, "full"]);
});

test("what waits in the journal is let go each time", () => {
  const kinds: string[] = [];
  storage.relieve = ({ kind }) => kinds.push(kind);
  wait("page");
  clock.advance(2 * TICK_MS);
  expect(kinds).toEqual(["space-pending", "space-pending"]);
  clock.advance(RETRY_MS);
  expect(kinds.at(-1)).toBe("space");
});

test("a limit counts from when it was set, and from when it became full", () => {
  wait("page");
  clock.advance(10_000);
  storage.limit(1000, () => log.push("limit"));
  clock.advance(750);
  expect(log).not.toContain("limit");
  clock.advance(250);
  expect(log.filter((line) => line === "limit")).toHaveLength(1);
  storage.limit(1000, () => log.push("another"));
  storage.unlimit();
  hasRoom = true;
  clock.advance(5_000);
  storage.limit(1000, () => log.push("third"));
  hasRoom = false;
  clock.advance(5_000);
  wait("page");
  clock.advance(750);
  expect(log).not.toContain("third");
  clock.advance(250);
  expect(log).toContain("third");
  expect(log).not.toContain("another");
});

test("a pool that stops ends all waits, those to come too", () => {
  wait("page");
  hold("a");
  storage.stopHolding(new IoError("gone", "made up", { object: "tank" }));
  hold("b");
  expect(log).toEqual(["full", "a gone", "b gone"]);
  storage.stop(stopped());
  wait("late");
  hold("c");
  expect(log.slice(3)).toEqual(["end", "page failed", "late failed", "c failed"]);
  hasRoom = true;
  clock.advance(RETRY_MS);
  storage.passed();
  storage.noticed();
  storage.stop(stopped());
  expect(log).toHaveLength(7);
});
