import { randomUUID } from "node:crypto";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { BLOCK_BYTES } from "../../src/thin/format/geometry.ts";
import type { JournalRecord } from "../../src/thin/format/records.ts";
import { JOURNAL_BYTES_DEFAULT } from "../../src/thin/limits.ts";
import { Health } from "../../src/thin/log/health.ts";
import { type AppendWaiter, Journal } from "../../src/thin/log/journal.ts";
import type { IoError } from "../../src/util/io-error.ts";
import type { MicroBench, MicroCase } from "./runner.ts";

const RING_BLOCKS: number = JOURNAL_BYTES_DEFAULT / BLOCK_BYTES;
const EXTENTS = 1_000_000;

interface Shape {
  readonly name: string;
  /** Appended in one turn. */
  readonly records: number;
  readonly recordAt: (index: number) => JournalRecord;
}

function mapAt(index: number): JournalRecord {
  const lext = index % EXTENTS;
  return { kind: "map", volume: 1, lext, phys: lext, run: 1, safe: false };
}

/** A first write of 4 KiB into an extent that a snapshot shares. */
function partialAt(index: number): JournalRecord {
  const lext = index % EXTENTS;
  return { kind: "partial", volume: 1, lext, phys: lext, mask: 1, base: lext + EXTENTS };
}

const SHAPES: readonly Shape[] = [
  { name: "a map record in a turn", records: 1, recordAt: mapAt },
  { name: "32 map records in a turn", records: 32, recordAt: mapAt },
  { name: "128 map records in a turn", records: 128, recordAt: mapAt },
  { name: "32 PARTIAL records in a turn", records: 32, recordAt: partialAt },
];

/** Tells when the last of a turn is in effect. One object for all of them, as in the data path. */
class TurnWaiter implements AppendWaiter {
  left = 0;
  done: (value: number) => void = () => undefined;
  failed: (error: Error) => void = () => undefined;
  readonly #ended: () => number;

  constructor(ended: () => number) {
    this.#ended = ended;
  }

  appended(): void {
    this.left -= 1;
    if (this.left === 0) this.done(this.#ended());
  }

  appendFailed(error: IoError): void {
    this.failed(error);
  }
}

function caseOf({ name, records, recordAt }: Shape): MicroCase {
  let applied = 0;
  const journal = new Journal({
    device: new MemoryDevice(JOURNAL_BYTES_DEFAULT),
    // What records do to maps is another bench's.
    target: { apply: () => void (applied += 1), dirtyPages: 0 },
    health: new Health("tank"),
    poolUuid: randomUUID(),
    offsetBytes: 0,
    blocks: RING_BLOCKS,
    epoch: 1,
    seq: 0,
    prevCrc: 0,
    dirtyPagesMax: RING_BLOCKS,
    // The ring is cut off in time.
    checkpoint: { wanted: () => waiter.failed(new Error("the journal is full")) },
  });
  const waiter = new TurnWaiter(() => {
    if (journal.blocksInUse > RING_BLOCKS / 2) journal.checkpointed(journal.appliedSeq);
    const count = applied;
    applied = 0;
    return count;
  });
  let next = 0;
  return {
    name,
    operations: records,
    expected: records,
    start: (done, failed) => {
      waiter.left = records;
      waiter.done = done;
      waiter.failed = failed;
      for (let index = 0; index < records; index += 1) {
        journal.append(recordAt(next), waiter);
        next += 1;
      }
    },
  };
}

export const journalBench: MicroBench = {
  name: "journal",
  about: "appending records until they are in effect, on a device in memory",
  prepare: () => ({ cases: SHAPES.map(caseOf) }),
};
