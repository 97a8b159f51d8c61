import { apply } from "./apply.ts";
import { checkpoint } from "./checkpoint.ts";
import { JOURNAL_BLOCKS, JOURNAL_RESERVE, journalCell } from "./geometry.ts";
import type { JournalRecord } from "./metadata.ts";
import { isSafe } from "./metadata.ts";
import type { Pool, Steps } from "./pool.ts";

const TAIL_RECORDS_MAX = 4;

/** Appends a record and carries it out, in one step: maps change in the order of the journal (rule O). */
export function* append(pool: Pool, record: JournalRecord): Steps<number> {
  while (pool.seq - pool.checkpointSeq >= JOURNAL_BLOCKS - JOURNAL_RESERVE) {
    if (pool.isCheckpointing) yield () => !pool.isCheckpointing;
    else yield* checkpoint(pool);
  }
  const seq = writeBlock(pool, record);
  if (!isSafe(record) && record.kind !== "barrier") pool.unsafeSeq = seq;
  if (pool.mutation === "applyAfterAppend") yield undefined;
  apply(pool, record, seq);
  yield undefined;
  return seq;
}

/** A block is written once: a torn rewrite would take records with it that are durable already (rule J). */
function writeBlock(pool: Pool, record: JournalRecord): number {
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
