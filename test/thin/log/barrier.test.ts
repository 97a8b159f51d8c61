import { describe, expect, it } from "vitest";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import type { IoError } from "../../../src/util/io-error.ts";
import { IoKind } from "../../../src/util/io-request.ts";
import { LogFixture, mapOf, placeOf, settle, TestWaiter } from "./fixture.ts";

class Sync {
  results: (IoError | null)[] = [];
  done(error: IoError | null): void {
    this.results.push(error);
  }
}

async function append(log: LogFixture, record: JournalRecord): Promise<void> {
  log.journal.append(record, new TestWaiter());
  await settle();
}

describe("a barrier", () => {
  it("is one flush where nothing unsafe was appended: the steady state of FLUSH", async () => {
    const log = new LogFixture();
    for (let round = 1; round <= 5; round += 1) {
      const sync = new Sync();
      log.barrier.sync(sync);
      await settle();
      expect(sync.results).toEqual([null]);
      expect(log.barrier.flushes).toBe(round);
    }
    await append(log, mapOf(1, true));
    log.barrier.sync(new Sync());
    await settle();
    expect(log.barrier.flushes).toBe(6);
    expect(log.barrier.durableSeq).toBe(101);
    expect(log.events.filter((event) => event === "d0: flush")).toHaveLength(6);
  });

  it("flushes all devices, then appends the number from before, then flushes the journal's device", async () => {
    const log = new LogFixture(3);
    await append(log, mapOf(1));
    log.events.length = 0;
    for (const device of log.devices) device.isHolding = true;
    const sync = new Sync();
    log.barrier.sync(sync);
    expect(log.events).toEqual(["d0: flush", "d1: flush", "d2: flush"]);
    log.head.isHolding = false;
    await append(log, mapOf(2));
    log.head.isHolding = true;
    log.devices[2]?.letOne();
    log.head.letOne();
    await settle();
    expect(log.events).toHaveLength(4);
    log.devices[1]?.letOne();
    await settle();
    expect(log.events.slice(3)).toEqual([`d0: write ${placeOf(102)}`, `d0: write ${placeOf(103)}`]);
    log.head.letOne();
    await settle();
    expect(log.blockAt(103).records).toEqual([{ kind: "barrier", upto: 101 }]);
    expect(log.events.slice(5)).toEqual(["d0: flush"]);
    expect(sync.results).toEqual([]);
    expect(log.barrier.durableSeq).toBe(100);
    log.head.letOne();
    expect(sync.results).toEqual([null]);
    expect(log.barrier.durableSeq).toBe(101);
    expect(log.released).toEqual([101]);
  });

  it("is shared only by those who came before it began", async () => {
    const log = new LogFixture();
    log.head.isHolding = true;
    const syncs = [new Sync(), new Sync(), new Sync()];
    for (const sync of syncs) log.barrier.sync(sync);
    expect(log.events).toEqual(["d0: flush"]);
    log.head.letOne();
    expect(syncs.map(({ results }) => results.length)).toEqual([1, 0, 0]);
    expect(log.events).toEqual(["d0: flush", "d0: flush"]);
    log.head.letOne();
    expect(syncs.map(({ results }) => results.length)).toEqual([1, 1, 1]);
    expect(log.barrier.flushes).toBe(2);
  });

  it("begins with the flush that ends the one before, and waits for no more of that", async () => {
    const log = new LogFixture(2);
    const [head, other] = [log.head, log.devices[1]!];
    const letAll = async (): Promise<void> => {
      for (const device of log.devices) device.letOne();
      await settle();
    };
    await append(log, mapOf(1));
    for (const device of log.devices) device.isHolding = true;
    const [early, late, later] = [new Sync(), new Sync(), new Sync()];
    log.barrier.sync(early);
    head.isHolding = false;
    await append(log, mapOf(2));
    log.barrier.sync(late);
    await letAll();
    // Two flushes of both devices: the second one ends the one and begins the other.
    expect(log.barrier.flushes).toBe(4);
    expect(log.blockAt(103).records).toEqual([{ kind: "barrier", upto: 101 }]);
    log.barrier.sync(later);
    expect([early, late].map(({ results }) => results)).toEqual([[null], []]);
    expect(log.barrier.durableSeq).toBe(101);
    other.letOne();
    await settle();
    expect(log.blockAt(104).records).toEqual([{ kind: "barrier", upto: 103 }]);
    expect([late, later].map(({ results }) => results)).toEqual([[null], []]);
    expect(log.barrier.durableSeq).toBe(104);
    expect(log.released).toEqual([101, 104]);
    await letAll();
    expect(later.results).toEqual([null]);
    expect(log.barrier.flushes).toBe(6);
  });

  it("needs no record for what a checkpoint has made durable meanwhile", async () => {
    const log = new LogFixture();
    await append(log, mapOf(1));
    log.head.isHolding = true;
    log.barrier.sync(new Sync());
    log.barrier.noteDurable(101);
    log.head.letOne();
    await settle();
    expect(log.journal.appliedSeq).toBe(101);
    expect(log.barrier.flushes).toBe(1);
  });

  it("stops the pool when a flush fails, and never tries again", async () => {
    const rules = [{ error: "medium", kind: IoKind.flush, times: 1 }] as const;
    const log = new LogFixture(2, (device) =>
      device.name === "d1" ? new ErrorFilter(device, rules) : device,
    );
    const marks: string[] = [];
    log.health.onFailure(({ kind }) => marks.push(kind));
    await append(log, mapOf(1));
    const syncs = [new Sync(), new Sync()];
    log.barrier.sync(syncs[0]!);
    await settle();
    log.barrier.sync(syncs[1]!);
    await settle();
    expect(syncs.map(({ results }) => results.map((error) => error?.kind))).toEqual([
      ["failed"],
      ["failed"],
    ]);
    expect(marks).toEqual(["failed"]);
    expect(log.barrier.flushes).toBe(2);
    expect(log.barrier.durableSeq).toBe(100);
    expect(log.released).toEqual([]);
  });

  it("fails those who wait behind it as well when the second flush fails", async () => {
    const rules = [{ error: "medium", kind: IoKind.flush, skip: 1 }] as const;
    const log = new LogFixture(1, (device) => new ErrorFilter(device, rules));
    await append(log, mapOf(1));
    log.head.isHolding = true;
    const syncs = [new Sync(), new Sync()];
    for (const sync of syncs) log.barrier.sync(sync);
    for (let step = 0; step < 3; step += 1) {
      log.head.letOne();
      await settle();
    }
    expect(syncs.map(({ results }) => results.map((error) => error?.kind))).toEqual([
      ["failed"],
      ["failed"],
    ]);
  });
});

describe("the times of barriers", () => {
  const counted = (log: LogFixture): number =>
    log.barrier.durationsMs.counts.reduce((sum, count) => sum + count, 0);

  it("are from the beginning of the first flush to the end of the last", async () => {
    const log = new LogFixture();
    await append(log, mapOf(1));
    log.head.isHolding = true;
    log.barrier.sync(new Sync());
    log.nowMs += 20;
    expect(log.barrier.runningMs).toBe(20);
    // The flush, its record, and the flush behind that.
    for (const round of [1, 2, 3]) {
      expect(counted(log), `round ${round}`).toBe(0);
      log.nowMs += 10;
      log.head.letOne();
      await settle();
    }
    expect(counted(log)).toBe(1);
    expect(log.barrier.durationsMs.sum).toBe(50);
    expect(log.barrier.runningMs).toBe(0);
  });

  it("go on for those who wait longest, also while others begin", async () => {
    const log = new LogFixture();
    await append(log, mapOf(1));
    log.head.isHolding = true;
    log.barrier.sync(new Sync());
    log.nowMs += 100;
    log.head.letOne();
    await settle();
    log.barrier.sync(new Sync());
    log.nowMs += 100;
    log.head.letOne();
    await settle();
    // Now one flush ends the first barrier and begins the second.
    log.nowMs += 100;
    expect(log.barrier.runningMs).toBe(300);
    log.head.letOne();
    await settle();
    expect(counted(log)).toBe(2);
    expect(log.barrier.durationsMs.sum).toBe(300 + 100);
    expect(log.barrier.runningMs).toBe(0);
  });

  it("are not told of a barrier that has failed", async () => {
    const rules = [{ error: "medium", kind: IoKind.flush }] as const;
    const log = new LogFixture(1, (device) => new ErrorFilter(device, rules));
    log.barrier.sync(new Sync());
    await settle();
    expect(counted(log)).toBe(0);
    expect(log.barrier.runningMs).toBe(0);
  });
});
