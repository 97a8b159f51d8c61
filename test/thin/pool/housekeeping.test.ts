import { beforeEach, expect, test } from "vitest";
import { type Chores, Housekeeping } from "../../../src/thin/pool/housekeeping.ts";
import {
  BARRIER_INTERVAL_MS,
  HOUSEKEEPING_TICK_MS,
  IDLE_CHECKPOINT_MS,
} from "../../../src/thin/pool/limits.ts";
import { ManualClock } from "../../support/manual-clock.ts";

class FakeChores implements Chores {
  appliedSeq = 10;
  checkpointSeq = 10;
  isDirty = false;
  isDue = false;
  hasWayBack = true;
  canFree = false;
  readonly log: string[] = [];
  readonly barriersAtMs: number[] = [];
  fails = false;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  takeDirty(): boolean {
    const { isDirty } = this;
    this.isDirty = false;
    return isDirty;
  }

  barrier(): Promise<void> {
    this.barriersAtMs.push(this.#clock.nowMs());
    return this.fails ? Promise.reject(new Error("no barrier")) : Promise.resolve();
  }

  canBarrierFree(): boolean {
    return this.canFree;
  }

  isCheckpointDue(): boolean {
    return this.isDue;
  }

  checkpoint(reason: string): Promise<void> {
    this.log.push(reason);
    this.checkpointSeq = this.appliedSeq;
    this.hasWayBack = true;
    return Promise.resolve();
  }

  virgin(): Promise<void> {
    this.log.push("virgin");
    return Promise.resolve();
  }

  discards(): Promise<void> {
    return Promise.resolve();
  }

  fill(): Promise<void> {
    return Promise.resolve();
  }

  recount(): Promise<void> {
    return Promise.resolve();
  }

  watchSpace(): void {
    this.log.push("watch");
  }
}

let clock: ManualClock;
let chores: FakeChores;
let failures: unknown[];
let housekeeping: Housekeeping;

beforeEach(() => {
  clock = new ManualClock();
  chores = new FakeChores(clock);
  failures = [];
  housekeeping = new Housekeeping({ clock, chores, failed: (error) => failures.push(error) });
  housekeeping.start();
});

/** Lets time pass as housekeeping sees it: its jobs have their turns between two ticks. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += HOUSEKEEPING_TICK_MS) {
    clock.advance(HOUSEKEEPING_TICK_MS);
    await housekeeping.settled();
  }
}

test("what is dirty is durable within the interval, whenever it was written", async () => {
  for (let index = 0; index < 10; index += 1) {
    await pass(HOUSEKEEPING_TICK_MS * ((index % 4) + 1));
    const writtenAtMs = clock.nowMs();
    chores.isDirty = true;
    await pass(BARRIER_INTERVAL_MS);
    const next = chores.barriersAtMs.find((atMs) => atMs > writtenAtMs);
    expect(next).toBeDefined();
    expect(next! - writtenAtMs).toBeLessThanOrEqual(BARRIER_INTERVAL_MS);
  }
});

test("work that goes on costs about one barrier each interval, and none when nothing is dirty", async () => {
  for (let index = 0; index < 40; index += 1) {
    chores.isDirty = true;
    await pass(HOUSEKEEPING_TICK_MS);
  }
  expect(chores.barriersAtMs.length).toBeLessThanOrEqual(15);
  const count = chores.barriersAtMs.length;
  await pass(BARRIER_INTERVAL_MS);
  expect(chores.barriersAtMs.length).toBeLessThanOrEqual(count + 1);
  const idle = chores.barriersAtMs.length;
  await pass(10 * BARRIER_INTERVAL_MS);
  expect(chores.barriersAtMs).toHaveLength(idle);
});

test("a checkpoint is made when it is due", async () => {
  chores.appliedSeq += 1;
  await pass(BARRIER_INTERVAL_MS);
  expect(chores.log).not.toContain("journal");
  chores.isDue = true;
  await pass(HOUSEKEEPING_TICK_MS);
  expect(chores.log.filter((line) => line === "journal")).toHaveLength(1);
});

test("a checkpoint is made when the journal has stood still for long", async () => {
  chores.appliedSeq += 1;
  await pass(IDLE_CHECKPOINT_MS / 2);
  chores.appliedSeq += 1;
  await pass(IDLE_CHECKPOINT_MS - HOUSEKEEPING_TICK_MS);
  expect(chores.log).not.toContain("idle");
  await pass(2 * HOUSEKEEPING_TICK_MS);
  expect(chores.log.filter((line) => line === "idle")).toHaveLength(1);
  await pass(2 * IDLE_CHECKPOINT_MS);
  expect(chores.log.filter((line) => line === "idle")).toHaveLength(1);
});

test("a checkpoint is made where there is none to fall back to, once, also when nothing is new", async () => {
  chores.hasWayBack = false;
  await pass(IDLE_CHECKPOINT_MS - HOUSEKEEPING_TICK_MS);
  expect(chores.log).not.toContain("idle");
  await pass(2 * HOUSEKEEPING_TICK_MS);
  expect(chores.log.filter((line) => line === "idle")).toHaveLength(1);
  await pass(2 * IDLE_CHECKPOINT_MS);
  expect(chores.log.filter((line) => line === "idle")).toHaveLength(1);
});

test("who waits for space gets what a barrier can free, at once", async () => {
  chores.canFree = true;
  housekeeping.wakeForSpace();
  await housekeeping.settled();
  expect(chores.barriersAtMs).toHaveLength(1);
  expect(chores.log).toContain("watch");
  chores.canFree = false;
  housekeeping.wakeForSpace();
  await housekeeping.settled();
  expect(chores.barriersAtMs).toHaveLength(1);
});

test("virgin marks move on between two looks round, and not after a stop", async () => {
  const countOf = (): number => chores.log.filter((line) => line === "virgin").length;
  await housekeeping.settled();
  const before = countOf();
  housekeeping.moveVirginMarks();
  await housekeeping.settled();
  expect(countOf()).toBe(before + 1);
  housekeeping.stop();
  housekeeping.moveVirginMarks();
  await housekeeping.settled();
  expect(countOf()).toBe(before + 1);
});

test("a failure is told and does not end it", async () => {
  chores.fails = true;
  chores.isDirty = true;
  await pass(BARRIER_INTERVAL_MS);
  expect(failures).toEqual([new Error("no barrier")]);
  chores.fails = false;
  chores.isDirty = true;
  await pass(2 * BARRIER_INTERVAL_MS);
  expect(chores.barriersAtMs.length).toBeGreaterThan(1);
});

test("after a stop nothing begins", async () => {
  await pass(HOUSEKEEPING_TICK_MS);
  housekeeping.stop();
  await housekeeping.settled();
  const lines = chores.log.length;
  chores.isDirty = true;
  await pass(2 * BARRIER_INTERVAL_MS);
  housekeeping.wakeForSpace();
  await housekeeping.settled();
  expect(chores.barriersAtMs).toEqual([]);
  expect(chores.log).toHaveLength(lines);
});
