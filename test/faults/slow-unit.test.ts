import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DelayFilter } from "../../src/device/delay-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { STAGED_BYTES_MAX } from "../../src/iscsi/limits.ts";
import { eventually } from "../support/in-process-target.ts";
import { FaultBench, Lun, MIB } from "./support/fault-bench.ts";

const DISK_BYTES = 32 * MIB;
const DELAY_MS = 50;
const QUEUE_DEPTH = 32;
const WRITE_BYTES = 256 * 1024;

/**
 * The best of many commands must need no more turns of the event loop than this: the request, its answer, and what the
 * kernel and the runtime put between them. One that waited for the slow disk would need as many as the test cares to let
 * pass, because the test itself says when that goes on.
 */
const TURNS_MAX = 12;

/** What the slow disk was asked to do and holds back until the test lets it. */
let held: (() => void)[] = [];
let bench: FaultBench;
let letsGo = false;

beforeEach(async () => {
  held = [];
  letsGo = false;
  const slow = new DelayFilter(new MemoryDevice(DISK_BYTES), DELAY_MS, (callback) => {
    if (letsGo) setImmediate(callback);
    else held.push(callback);
  });
  const fast = new MemoryDevice(DISK_BYTES);
  bench = await FaultBench.start([
    { name: "slow", device: slow },
    { name: "fast", device: fast },
  ]);
});

afterEach(async () => {
  release();
  await bench.close();
});

/** From now on the slow disk is not slow any more. */
function release(): void {
  letsGo = true;
  for (const callback of held.splice(0)) setImmediate(callback);
}

/** How many turns of the event loop something takes. */
async function turnsOf(something: Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await something;
  over = true;
  return turns;
}

/** A full queue of reads, and one of writes, on the slow LUN; `ended` is how many of them are over. */
function keepBusy(session: InitiatorSession): { all: Promise<string[]>; ended: () => number } {
  const disk = new Lun(session, 0);
  let ended = 0;
  const sent: Promise<string>[] = [];
  for (let index = 0; index < QUEUE_DEPTH; index += 1) {
    sent.push(disk.read(index * WRITE_BYTES, WRITE_BYTES));
    sent.push(disk.write(index * WRITE_BYTES, WRITE_BYTES, index));
  }
  for (const command of sent) void command.then(() => (ended += 1));
  return { all: Promise.all(sent), ended: () => ended };
}

describe("a LUN on a disk of which every operation takes 50 ms", () => {
  it.each(["in the same session", "in another session"])(
    "holds up no command of a LUN in memory %s",
    async (where) => {
      const session = await bench.connect();
      const queue = keepBusy(session);
      await eventually(() => held.length > QUEUE_DEPTH, "the slow disk is busy");
      const other = where === "in the same session" ? session : await bench.connect();
      const fast = new Lun(other, 1);
      let fewestTurns = Infinity;
      for (let count = 0; count < 100; count += 1) {
        const offsetBytes = count * 4096;
        fewestTurns = Math.min(fewestTurns, await turnsOf(fast.write(offsetBytes, 4096, count)));
        await fast.expectBytes(offsetBytes, 4096, count);
      }
      expect(queue.ended()).toBe(0);
      expect(fewestTurns).toBeLessThanOrEqual(TURNS_MAX);
      release();
      expect(new Set(await queue.all)).toEqual(new Set(["good"]));
    },
  );

  it("lets commands of the other LUN complete in their order, ahead of all of its own", async () => {
    const session = await bench.connect();
    const order: string[] = [];
    const queue = keepBusy(session);
    const slow = queue.all.then(() => order.push("slow"));
    const fast = new Lun(session, 1);
    const commands = Array.from({ length: 64 }, async (_, index) => {
      expect(await fast.read(index * 4096, 4096)).toBe("good");
      order.push(`fast ${index}`);
    });
    await Promise.all(commands);
    expect(queue.ended()).toBe(0);
    release();
    await slow;
    expect(order).toEqual([...Array.from({ length: 64 }, (_, index) => `fast ${index}`), "slow"]);
  });

  it("takes writes up to the bound on staged data without holding up the other LUN", async () => {
    const session = await bench.connect();
    const disk = new Lun(session, 0);
    const fast = new Lun(session, 1);
    const count = STAGED_BYTES_MAX / WRITE_BYTES - 1;
    const writes = Array.from({ length: count }, (_, index) =>
      disk.write(index * WRITE_BYTES, WRITE_BYTES, index),
    );
    await eventually(() => held.length === count, "all of them run");
    expect(bench.target.server.statistics.lentBytes).toBeGreaterThanOrEqual(count * WRITE_BYTES);
    for (let index = 0; index < 50; index += 1) {
      expect(await fast.write(index * 4096, 4096, index)).toBe("good");
    }
    expect(held).toHaveLength(count);
    release();
    expect(new Set(await Promise.all(writes))).toEqual(new Set(["good"]));
    await disk.expectBytes((count - 1) * WRITE_BYTES, WRITE_BYTES, count - 1);
  });

  it("beyond that bound stops its own session alone, until it has taken some", async () => {
    const greedy = await bench.connect();
    const other = await bench.connect();
    const disk = new Lun(greedy, 0);
    const count = (2 * STAGED_BYTES_MAX) / WRITE_BYTES;
    const writes = Array.from({ length: count }, (_, index) =>
      disk.write((index % 64) * WRITE_BYTES, WRITE_BYTES, index),
    );
    await eventually(() => held.length >= STAGED_BYTES_MAX / WRITE_BYTES, "no more is received");
    const fast = new Lun(other, 1);
    for (let index = 0; index < 50; index += 1) {
      expect(await fast.write(index * 4096, 4096, index)).toBe("good");
      expect(await fast.read(index * 4096, 4096)).toBe("good");
    }
    expect(held.length).toBeLessThan(count);
    expect(bench.target.server.statistics.lentBytes).toBeLessThan(STAGED_BYTES_MAX + 4 * MIB);
    release();
    expect(new Set(await Promise.all(writes))).toEqual(new Set(["good"]));
  });
});
