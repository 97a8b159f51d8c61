import { describe, expect, it } from "vitest";
import type { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { Recovered } from "../../../src/thin/checkpoint/recovery.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { syncBarrier } from "../../../src/thin/log/promises.ts";
import {
  copyOf,
  type CrashRecorder,
  dump,
  formatted,
  opened,
  RecordMaker,
  recorded,
} from "./fixture.ts";

const seed = chooseSeed(process.env);
const RECORDS = 120;
/** Of all the moments between two writes, how many are tried. */
const CRASHES = 25;

/** What the pool was after each block of the journal, and what had been promised when so many events had happened. */
interface History {
  readonly start: MemoryDevice;
  readonly recorder: CrashRecorder;
  readonly states: Map<number, string>;
  readonly promises: { readonly event: number; readonly acked: number; readonly durable: number }[];
}

async function live(random: SeededRandom): Promise<History> {
  const [device] = await formatted();
  const start = copyOf(device!);
  const recorder = recorded(device!);
  const pool = await opened([recorder], 1);
  const maker = new RecordMaker(pool.state, random);
  const states = new Map([[pool.journal.appliedSeq, await dump(pool.state)]]);
  const promises: History["promises"] = [];
  let acked = pool.journal.appliedSeq;
  const note = (): void => {
    const durable = pool.barrier.durableSeq;
    promises.push({ event: recorder.events.length, acked, durable });
  };
  const background: Promise<void>[] = [];
  for (let index = 0; index < RECORDS; index += 1) {
    if (random.chance(0.06)) background.push(pool.checkpointer.run("asked"));
    if (random.chance(0.1)) await syncBarrier(pool.barrier);
    await appendAndNote(pool, maker.next(), states);
    acked = pool.journal.appliedSeq;
    note();
  }
  await Promise.all(background);
  note();
  return { start, recorder, states, promises };
}

/** The dump is taken in the turn in which the record takes effect, so that it is that of the one block. */
async function appendAndNote(
  pool: Recovered,
  record: JournalRecord,
  states: Map<number, string>,
): Promise<void> {
  const taken = await new Promise<{ seq: number; state: Promise<string> }>((resolve, reject) => {
    pool.journal.append(record, {
      appended: (seq) => resolve({ seq, state: dump(pool.state) }),
      appendFailed: reject,
    });
  });
  // No append is under way: what a barrier's block changes is nothing.
  const state = await taken.state;
  states.set(taken.seq, state);
}

/** The device as of the first `count` events. After a power loss, `random` says what is on it of the writes behind the last flush. */
function imageAt(history: History, count: number, random: SeededRandom | null): MemoryDevice {
  const image = copyOf(history.start);
  const events = history.recorder.events.slice(0, count);
  // A flush covers what was written before it was asked for; it is complete when anything is written that waits for it.
  const flushed = events.lastIndexOf("flush", count - 2);
  for (const [index, event] of events.entries()) {
    if (event === "flush") continue;
    const { bytes, offsetBytes } = event;
    if (index <= flushed) image.tryWrite(bytes, 0, bytes.length, offsetBytes);
    else writeSome(image, bytes, offsetBytes, random);
  }
  return image;
}

/** A disk writes sectors in any order; most often all of a page arrives or nothing. */
function writeSome(
  image: MemoryDevice,
  bytes: Buffer,
  offsetBytes: number,
  random: SeededRandom | null,
): void {
  const pieceBytes = random?.chance(0.2) === true ? 512 : 4096;
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (random === null || random.chance(0.5)) {
      image.tryWrite(bytes, at, pieceBytes, offsetBytes + at);
    }
  }
}

/**
 * The promise that held when the first `count` events had happened. What was promised behind a flush is not, where the flush was the last of
 * them: it has been asked for, and is not complete.
 */
function promiseAt(history: History, count: number): { acked: number; durable: number } {
  const { promises, recorder } = history;
  const last = recorder.events[count - 1] === "flush" ? count - 1 : count;
  return promises.findLast(({ event }) => event <= last) ?? { acked: 0, durable: 0 };
}

function statesFrom({ states }: History, seq: number): Set<string> {
  const first = Math.max(seq, Math.min(...states.keys()));
  const last = [...states.keys()].filter((key) => key <= first).at(-1) ?? first;
  return new Set([...states].filter(([key]) => key >= last).map(([, state]) => state));
}

describe(`a crash at any write (seed ${seed})`, () => {
  it("loses no acknowledged record when the process is killed", async () => {
    const random = new SeededRandom(seed);
    const history = await live(random);
    for (let crash = 0; crash < CRASHES; crash += 1) {
      const count = random.below(history.recorder.events.length + 1);
      const image = imageAt(history, count, null);
      const recovered = await opened([image], 1);
      const { acked } = promiseAt(history, count);
      const state = await dump(recovered.state);
      expect(statesFrom(history, acked), `seed ${seed}, event ${count}`).toContain(state);
      if (crash % 5 > 0) continue;
      await recovered.checkpointer.close();
      expect(await dump((await opened([image], 9)).state)).toBe(state);
    }
  }, 60_000);

  it("loses nothing durable when the power goes, whatever of the rest is on the disk", async () => {
    const random = new SeededRandom(seed);
    const history = await live(random);
    for (let crash = 0; crash < CRASHES; crash += 1) {
      const count = random.below(history.recorder.events.length + 1);
      const image = imageAt(history, count, random);
      const recovered = await opened([image], 2);
      const { durable } = promiseAt(history, count);
      const state = await dump(recovered.state);
      expect(statesFrom(history, durable), `seed ${seed}, event ${count}`).toContain(state);
    }
  }, 60_000);
});
