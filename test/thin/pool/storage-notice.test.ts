import { beforeEach, expect, test } from "vitest";
import type { PoolEvent } from "../../../src/thin/pool/pool-events.ts";
import { StorageNotice } from "../../../src/thin/pool/storage-notice.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";

const MINUTE_MS = 60_000;

let clock: ManualClock;
let lines: LogLine[];
let events: PoolEvent["kind"][];
let notice: StorageNotice;

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  events = [];
  notice = new StorageNotice({
    clock,
    log: recordingLog(lines),
    listeners: { emit: ({ kind }) => void events.push(kind) },
    poolName: "tank",
    devices: ["/images/tank"],
  });
});

test("it says each change, and once a minute that it lasts", () => {
  notice.changed(true);
  expect(lines).toMatchObject([
    { level: "error", fields: { pool: "tank", devices: ["/images/tank"] } },
  ]);
  clock.advance(MINUTE_MS - 1);
  expect(lines).toHaveLength(1);
  clock.advance(1 + MINUTE_MS);
  expect(lines).toHaveLength(3);
  expect(events).toEqual(["storage-full"]);
  notice.changed(false);
  expect(lines.at(-1)).toMatchObject({ level: "info", fields: { pool: "tank" } });
  expect(events).toEqual(["storage-full", "storage-available"]);
  clock.advance(10 * MINUTE_MS);
  expect(lines).toHaveLength(4);
});

test("what changes all the time is said once a minute, as it is then", () => {
  for (let count = 0; count < 100; count += 1) {
    notice.changed(true);
    clock.advance(1000);
    notice.changed(false);
    clock.advance(1000);
  }
  clock.advance(MINUTE_MS);
  expect(lines.length).toBeLessThan(8);
  expect(lines.at(-1)?.level).toBe("info");
});

test("it says nothing more of a pool that has ended", () => {
  notice.changed(true);
  notice.stop();
  clock.advance(10 * MINUTE_MS);
  expect(lines).toHaveLength(1);
});
