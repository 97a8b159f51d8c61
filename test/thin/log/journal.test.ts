import { describe, expect, it } from "vitest";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { BARRIER_BLOCKS_RESERVED, HURRY_SHARE } from "../../../src/thin/log/limits.ts";
import { IoKind } from "../../../src/util/io-request.ts";
import { LogFixture, mapOf, placeOf, RING_BLOCKS, settle, TestWaiter } from "./fixture.ts";

describe("the journal", () => {
  it("puts what is appended in one turn into one block, and what comes later into the next", async () => {
    const log = new LogFixture();
    const waiters = [new TestWaiter(), new TestWaiter(), new TestWaiter()];
    log.journal.append(mapOf(1), waiters[0]!);
    log.journal.append(mapOf(2), waiters[1]!);
    expect(log.events).toEqual([]);
    await settle();
    log.journal.append(mapOf(3), waiters[2]!);
    await settle();
    expect(waiters.map(({ seq }) => seq)).toEqual([101, 101, 102]);
    expect(log.events).toEqual([`d0: write ${placeOf(101)}`, `d0: write ${placeOf(102)}`]);
    const first = log.blockAt(101);
    const second = log.blockAt(102);
    expect(first).toMatchObject({ epoch: 7, prevCrc: 0, records: [mapOf(1), mapOf(2)] });
    expect(second).toMatchObject({ prevCrc: first.crc, records: [mapOf(3)] });
    expect(log.journal.prevCrc).toBe(second.crc);
  });

  it("carries records out in their order, all before the first waiter hears, when the write is done", async () => {
    const log = new LogFixture();
    const seen: string[] = [];
    const note = (name: string) =>
      new TestWaiter(() => seen.push(`${name} ${log.applied.length} ${log.journal.appliedSeq}`));
    log.head.isHolding = true;
    log.journal.append(mapOf(1), note("a"));
    log.journal.append(mapOf(2), note("b"));
    await settle();
    expect(log.applied).toEqual([]);
    expect(log.journal.appliedSeq).toBe(100);
    log.head.letOne();
    expect(seen).toEqual(["a 2 101", "b 2 101"]);
    expect(log.applied.map(({ record }) => record)).toEqual([mapOf(1), mapOf(2)]);
  });

  it("has one block under way; a waiter that appends gets the next one", async () => {
    const log = new LogFixture();
    log.head.isHolding = true;
    const late = new TestWaiter();
    log.journal.append(mapOf(1), new TestWaiter(() => log.journal.append(mapOf(3), late)));
    await settle();
    log.journal.append(mapOf(2), new TestWaiter());
    await settle();
    expect(log.head.held).toHaveLength(1);
    log.head.letOne();
    await settle();
    expect(log.head.held).toHaveLength(1);
    log.head.letOne();
    expect(late.seq).toBe(102);
    expect(log.blockAt(102).records).toEqual([mapOf(2), mapOf(3)]);
  });

  it("counts what each block carries: records, and those who appended them", async () => {
    const log = new LogFixture();
    log.journal.append(mapOf(1), new TestWaiter());
    log.journal.appendTogether([mapOf(2), mapOf(3)], new TestWaiter());
    await settle();
    log.journal.append(mapOf(4), new TestWaiter());
    await settle();
    log.journal.append({ kind: "barrier", upto: 102 }, new TestWaiter());
    await settle();
    const { counts, sum } = log.journal.blockRecords;
    expect([...counts.subarray(0, 4)]).toEqual([2, 0, 1, 0]);
    expect(sum).toBe(5);
    expect(log.journal.appendsTotal).toBe(3);
  });

  it("splits what does not fit, but never a group", async () => {
    const log = new LogFixture();
    const waiters: TestWaiter[] = [];
    for (let index = 0; index < 160; index += 1) {
      const waiter = new TestWaiter();
      waiters.push(waiter);
      log.journal.append(mapOf(index), waiter);
    }
    const group = new TestWaiter();
    const records = Array.from({ length: 12 }, (_, index) => mapOf(1000 + index));
    log.journal.appendTogether(records, group);
    const after = new TestWaiter();
    log.journal.append(mapOf(2000), after);
    await settle();
    expect(new Set(waiters.map(({ seq }) => seq))).toEqual(new Set([101]));
    expect([group.seq, after.seq]).toEqual([102, 102]);
    expect(log.blockAt(102).records).toEqual([...records, mapOf(2000)]);
  });

  it("refuses a group that no block holds", () => {
    const log = new LogFixture();
    const records = Array.from({ length: 200 }, (_, index) => mapOf(index));
    expect(() => log.journal.appendTogether(records, new TestWaiter())).toThrow(/one block/);
  });

  it("remembers the last record that is not safe", async () => {
    const log = new LogFixture();
    const append = async (record: JournalRecord): Promise<void> => {
      log.journal.append(record, new TestWaiter());
      await settle();
    };
    await append(mapOf(1, true));
    expect(log.journal.unsafeSeq).toBe(0);
    await append(mapOf(2));
    await append({ kind: "unmap", volume: 1, lext: 2, run: 1 });
    await append({ kind: "barrier", upto: 102 });
    expect(log.journal.unsafeSeq).toBe(102);
    expect(log.applied.map(({ seq }) => seq)).toEqual([101, 102, 103]);
  });

  it("stalls in order when the ring is full, lets a barrier through, and wraps after a checkpoint", async () => {
    const log = new LogFixture();
    const room = RING_BLOCKS - BARRIER_BLOCKS_RESERVED - RING_BLOCKS * HURRY_SHARE;
    for (let index = 0; index < room; index += 1) {
      log.journal.append(mapOf(index), new TestWaiter());
      await settle();
    }
    expect(log.journal.blocksInUse).toBe(room);
    expect(log.wanted).toBe(0);
    const stalled = [new TestWaiter(), new TestWaiter()];
    log.journal.append(mapOf(500), stalled[0]!);
    await settle();
    log.journal.append(mapOf(501), stalled[1]!);
    const barrier = new TestWaiter();
    log.journal.append({ kind: "barrier", upto: 100 + room }, barrier);
    await settle();
    expect(log.wanted).toBeGreaterThan(0);
    expect(log.journal.isStalled).toBe(true);
    expect(stalled.map(({ seq }) => seq)).toEqual([0, 0]);
    expect(barrier.seq).toBe(101 + room);
    // Not enough: the block that the barrier took counts as well.
    log.journal.checkpointed(101);
    await settle();
    expect(stalled[0]?.seq).toBe(0);
    log.journal.checkpointed(110);
    await settle();
    expect(stalled.map(({ seq }) => seq)).toEqual([102 + room, 102 + room]);
    for (let index = 0; index < 9; index += 1) {
      log.journal.append(mapOf(600 + index), new TestWaiter());
      await settle();
    }
    expect(log.journal.isStalled).toBe(true);
    for (let seq = 111; seq <= log.journal.appliedSeq; seq += 1) {
      expect(log.blockAt(seq).seq).toBe(seq);
    }
  });

  it("stalls while too many pages are dirty", async () => {
    const log = new LogFixture();
    log.dirtyPages = 2000 * (1 - HURRY_SHARE);
    const waiter = new TestWaiter();
    log.journal.append(mapOf(1), waiter);
    await settle();
    expect([waiter.seq, log.wanted]).toEqual([0, 1]);
    log.dirtyPages -= 1;
    log.journal.checkpointed(100);
    await settle();
    expect(waiter.seq).toBe(101);
    expect(log.journal.isIdle).toBe(true);
  });

  it("lets on what stalls while somebody is in a hurry, as far as what is kept for that lasts", async () => {
    const log = new LogFixture();
    const append = async (index: number): Promise<TestWaiter> => {
      const waiter = new TestWaiter();
      log.journal.append(mapOf(index), waiter);
      await settle();
      return waiter;
    };
    log.dirtyPages = 2000 * (1 - HURRY_SHARE);
    const stalled = await append(1);
    const calm = [log.journal.hurry(), log.journal.hurry()];
    await settle();
    expect(stalled.seq).toBe(101);
    calm[0]?.();
    expect((await append(2)).seq).toBe(102);
    log.dirtyPages = 2000;
    expect((await append(3)).seq).toBe(0);
    log.dirtyPages = 1999;
    calm[1]?.();
    expect((await append(4)).seq).toBe(0);
    expect(log.journal.isStalled).toBe(true);
  });

  it("keeps room in the ring for those in a hurry", async () => {
    const log = new LogFixture();
    const appendAll = async (): Promise<number> => {
      for (let index = 0; !log.journal.isStalled; index += 1) {
        log.journal.append(mapOf(index), new TestWaiter());
        await settle();
      }
      return log.journal.blocksInUse;
    };
    const room = RING_BLOCKS - BARRIER_BLOCKS_RESERVED;
    expect(await appendAll()).toBe(room - RING_BLOCKS * HURRY_SHARE);
    const calm = log.journal.hurry();
    await settle();
    expect(await appendAll()).toBe(room);
    calm();
  });

  it("fails the pool, and everybody who waits, when a block cannot be written", async () => {
    const rules = [{ error: "medium", kind: IoKind.write }] as const;
    const log = new LogFixture(1, (device) => new ErrorFilter(device, rules));
    const waiters = [new TestWaiter(), new TestWaiter(), new TestWaiter()];
    log.journal.append(mapOf(1), waiters[0]!);
    await settle();
    log.journal.append(mapOf(2), waiters[1]!);
    await settle();
    expect(log.health.failure?.kind).toBe("failed");
    expect(waiters[0]?.error).toBe(log.health.failure);
    expect(waiters[1]?.error).toBe(log.health.failure);
    expect(log.applied).toEqual([]);
    log.journal.append(mapOf(3), waiters[2]!);
    expect(waiters[2]?.error).toBeNull();
    await settle();
    expect(waiters[2]?.error).toBe(log.health.failure);
  });
});
