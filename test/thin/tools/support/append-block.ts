import type { MemoryDevice } from "../../../../src/device/memory-device.ts";
import type { Recovered } from "../../../../src/thin/checkpoint/recovery.ts";
import {
  JOURNAL_HEADER_BYTES,
  sealJournalBlock,
} from "../../../../src/thin/format/journal-block.ts";
import { encodeRecord } from "../../../../src/thin/format/journal-record.ts";
import type { JournalRecord } from "../../../../src/thin/format/records.ts";
import { copyOf, POOL_UUID } from "../../checkpoint/fixture.ts";

const BLOCK = 4096;

/** A copy of a pool's device 0 with one more block in its journal, which the pool itself would not append. */
export function withBlock(
  device: MemoryDevice,
  { superblocks, journal }: Recovered,
  records: readonly JournalRecord[],
): MemoryDevice {
  const copy = copyOf(device);
  const { epoch, journal: ring } = superblocks.last;
  const seq = journal.appliedSeq + 1;
  const offsetOf = (each: number): number => ring.offsetBytes + (each % ring.blocks) * BLOCK;
  const last = Buffer.alloc(BLOCK);
  copy.tryRead(last, 0, BLOCK, offsetOf(seq - 1));
  const block = new Uint8Array(BLOCK);
  let end = JOURNAL_HEADER_BYTES;
  for (const record of records) end = encodeRecord(record, block, end);
  sealJournalBlock(block, {
    poolUuid: POOL_UUID,
    epoch,
    seq,
    prevCrc: last.readUInt32LE(60),
    records: records.length,
    bytes: end - JOURNAL_HEADER_BYTES,
  });
  copy.tryWrite(block, 0, BLOCK, offsetOf(seq));
  return copy;
}
