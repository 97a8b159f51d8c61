import { expect, it } from "vitest";
import type { MemoryDevice } from "../../../src/device/memory-device.ts";
import { BLOCK_BYTES } from "../../../src/thin/format/geometry.ts";
import { JOURNAL_HEADER_BYTES, sealJournalBlock } from "../../../src/thin/format/journal-block.ts";
import { encodeRecord } from "../../../src/thin/format/journal-record.ts";
import {
  JOURNAL_OFFSET_BYTES,
  SUPERBLOCK_OFFSETS,
  tailOffsets,
} from "../../../src/thin/format/layout.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { appendRecord } from "../../../src/thin/log/promises.ts";
import type { Recovered } from "../../../src/thin/checkpoint/recovery.ts";
import { attributesOf, copyOf, formatted, MIB, opened, POOL_UUID, recorded } from "./fixture.ts";

const SIZE_BYTES: number = 64 * MIB;
const NOTHING: JournalRecord = { kind: "unmap", volume: 1, lext: 7, run: 1 };

/** A third of the ring and a little, then a checkpoint. */
async function interval({ journal, checkpointer }: Recovered): Promise<void> {
  const count = Math.ceil(journal.blocks * 0.36);
  for (let index = 0; index < count; index += 1) await appendRecord(journal, NOTHING);
  await checkpointer.run("asked");
}

function slotCopies(generation: number): [number, number] {
  const slot = generation % SUPERBLOCK_OFFSETS.length;
  return [SUPERBLOCK_OFFSETS[slot]!, tailOffsets(SIZE_BYTES)[slot]!];
}

/**
 * A pool that was killed after a record that no barrier covers. Of the checkpoint before the last nothing is left but, at the device's end, the
 * superblock from three before: one write there was lost.
 */
async function killed(device: MemoryDevice): Promise<Recovered> {
  const pool = await opened([device], 1);
  await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
  await interval(pool);
  const [head, tail] = slotCopies(pool.checkpointer.generation);
  const stale = Buffer.alloc(BLOCK_BYTES);
  device.tryRead(stale, 0, BLOCK_BYTES, tail);
  for (let count = 0; count < 3; count += 1) await interval(pool);
  expect(slotCopies(pool.checkpointer.generation - 1)).toEqual([head, tail]);
  device.tryWrite(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, head);
  device.tryWrite(stale, 0, BLOCK_BYTES, tail);
  await appendRecord(pool.journal, { kind: "delete", volume: 1 });
  return pool;
}

it("covers the journal also where what is left of an older checkpoint asks for more than the ring (rule K)", async () => {
  const [device] = await formatted([SIZE_BYTES]);
  await killed(device!);
  const recorder = recorded(copyOf(device!));
  const back = await opened([recorder], 1);
  expect(back.state.volumes.size).toBe(0);
  // The power goes when its pages are written, and its superblock is not.
  const image = copyOf(device!);
  for (const event of recorder.events) {
    if (event === "flush") continue;
    if (event.offsetBytes < JOURNAL_OFFSET_BYTES) break;
    image.tryWrite(event.bytes, 0, event.bytes.length, event.offsetBytes);
  }
  const cut = await opened([image], 2);
  expect(cut.report.discarded).toBe(0);
  expect(cut.state.volumes.size).toBe(0);
});

it("refuses to write to a pool of which the journal has no room for that, and changes nothing", async () => {
  const [device] = await formatted([SIZE_BYTES]);
  const { journal, checkpointer } = await killed(device!);
  // No journal of ours goes so far.
  let { appliedSeq: seq, prevCrc } = journal;
  while (seq < checkpointer.checkpointSeq + journal.blocks) {
    seq += 1;
    const block = new Uint8Array(BLOCK_BYTES);
    const end = encodeRecord({ kind: "barrier", upto: 0 }, block, JOURNAL_HEADER_BYTES);
    const bytes = end - JOURNAL_HEADER_BYTES;
    const { epoch } = journal;
    const header = { poolUuid: POOL_UUID, epoch, seq, prevCrc, records: 1, bytes };
    prevCrc = sealJournalBlock(block, header);
    const offsetBytes = JOURNAL_OFFSET_BYTES + (seq % journal.blocks) * BLOCK_BYTES;
    device!.tryWrite(block, 0, BLOCK_BYTES, offsetBytes);
  }
  const recorder = recorded(copyOf(device!));
  await expect(opened([recorder], 1)).rejects.toMatchObject({
    kind: "corrupt",
    message: expect.stringMatching(/no room/) as string,
  });
  expect(recorder.events).toEqual(["flush"]);
  const view = await opened([recorder], 1, { readOnly: true });
  expect(view.state.volumes.size).toBe(0);
  expect((await opened([recorder], 2)).state.volumes.size).toBe(1);
});
