import { journalCell } from "./geometry.ts";
import type { JournalRecord } from "./metadata.ts";
import type { Pool } from "./pool.ts";

const TAIL_RECORDS_MAX = 4;

/** A block is written once: a torn rewrite would take records with it that are durable already (rule J). */
export function appendBlock(pool: Pool, record: JournalRecord): number {
  const { epoch, tail } = pool;
  if (
    pool.mutation === "journalTailRewrite" &&
    tail !== undefined &&
    tail.records.length < TAIL_RECORDS_MAX &&
    record.kind !== "barrier"
  ) {
    pool.tail = { ...tail, records: [...tail.records, record] };
  } else {
    pool.seq += 1;
    pool.tail = { kind: "journal", epoch, seq: pool.seq, records: [record] };
  }
  pool.disk.write(journalCell(pool.seq), pool.tail);
  return pool.seq;
}
