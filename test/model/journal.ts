import { apply } from "./apply.ts";
import { checkpoint } from "./checkpoint.ts";
import { JOURNAL_BLOCKS, JOURNAL_RESERVE } from "./geometry.ts";
import { appendBlock } from "./journal-block.ts";
import type { JournalRecord } from "./metadata.ts";
import { isSafe } from "./metadata.ts";
import type { Pool, Steps } from "./pool.ts";

/** Appends a record and carries it out, in one step: maps change in the order of the journal (rule O). */
export function* append(pool: Pool, record: JournalRecord): Steps<number> {
  while (pool.seq - keptSeq(pool) >= JOURNAL_BLOCKS - JOURNAL_RESERVE) {
    if (pool.isCheckpointing) yield () => !pool.isCheckpointing;
    else yield* checkpoint(pool);
  }
  const seq = appendBlock(pool, record);
  if (!isSafe(record) && record.kind !== "barrier") pool.unsafeSeq = seq;
  if (pool.mutation === "applyAfterAppend") yield undefined;
  apply(pool, record, seq);
  yield undefined;
  return seq;
}

/** The last block that is free to be written over: the fall back needs those after it (rule L). */
function keptSeq(pool: Pool): number {
  return pool.mutation === "journalOneInterval" ? pool.checkpointSeq : pool.retainedSeq;
}
