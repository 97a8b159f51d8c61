import { beforeEach, expect, test } from "vitest";
import { FullNotice } from "../../../src/thin/pool/full-notice.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const MINUTE_MS = 60_000;

let clock: ManualClock;
let said: string[];
let notice: FullNotice;

beforeEach(() => {
  clock = new ManualClock();
  said = [];
  notice = new FullNotice(clock, (isFull, changes) => {
    said.push(`${isFull ? "full" : "space"} ${changes}`);
  });
});

test("a pool that becomes full says so at once, and that it has space again as well", () => {
  notice.changed(true);
  expect(said).toEqual(["full 1"]);
  clock.advance(5000);
  notice.changed(false);
  expect(said).toEqual(["full 1", "space 1"]);
  clock.advance(10 * MINUTE_MS);
  notice.changed(true);
  expect(said).toEqual(["full 1", "space 1", "full 1"]);
});

test("what changes all the time is said once a minute, as it is then", () => {
  for (let count = 0; count < 601; count += 1) {
    notice.changed(count % 2 === 0);
    clock.advance(500);
  }
  // Five minutes.
  const summedUp = ["space 118", "space 120", "space 120", "space 120", "space 120"];
  expect(said).toEqual(["full 1", "space 1", ...summedUp]);
  clock.advance(MINUTE_MS);
  expect(said.slice(7)).toEqual(["full 1"]);
  clock.advance(10 * MINUTE_MS);
  expect(said).toHaveLength(8);
});

test("nothing is said after a stop that was not said before", () => {
  notice.changed(true);
  notice.changed(false);
  notice.changed(true);
  notice.stop();
  clock.advance(MINUTE_MS);
  expect(said).toEqual(["full 1", "space 1"]);
});
