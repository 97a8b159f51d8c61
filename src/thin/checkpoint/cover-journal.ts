import type { BlockDevice } from "../../device/block-device.ts";
import { writeBytes } from "../../util/io-request.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { JOURNAL_HEADER_BYTES, sealJournalBlock } from "../format/journal-block.ts";
import { encodeRecord } from "../format/journal-record.ts";
import { flushDevices } from "./flush-devices.ts";
import { type Storage, withRoom } from "../log/storage.ts";
import type { JournalRing } from "./journal-scan.ts";

/** The end of a journal that was found. */
export interface JournalEnd {
  readonly epoch: number;
  /** The number of its last block, and that one's checksum. */
  readonly seq: number;
  readonly crc: number;
}

/**
 * Makes all of a journal durable that no barrier covers: flushes all devices, then appends a barrier in the journal's own epoch. After a kill
 * everything is replayed, also what a power loss would discard. What those records have freed is free to the checkpoint that follows, and
 * must not be needed any more if the power goes before that is durable. `refuse` is asked right before the block is written, and throws where
 * the pool has stopped. Returns the number of the barrier's block.
 *
 * @throws {IoError} a device failed, or what `refuse` throws
 */
export async function coverJournal(
  ring: JournalRing,
  { epoch, seq, crc }: JournalEnd,
  devices: readonly BlockDevice[],
  refuse: () => void,
  storage?: Storage,
): Promise<number> {
  await flushDevices(devices);
  const block = new Uint8Array(BLOCK_BYTES);
  const end = encodeRecord({ kind: "barrier", upto: seq }, block, JOURNAL_HEADER_BYTES);
  const next = seq + 1;
  sealJournalBlock(block, {
    poolUuid: ring.poolUuid,
    epoch,
    seq: next,
    prevCrc: crc,
    records: 1,
    bytes: end - JOURNAL_HEADER_BYTES,
  });
  await withRoom(storage, () => {
    refuse();
    return writeBytes(ring.device, ring.offsetBytes + (next % ring.blocks) * BLOCK_BYTES, block);
  });
  await flushDevices([ring.device]);
  return next;
}
