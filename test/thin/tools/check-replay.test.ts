import { describe, expect, it } from "vitest";
import type { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { Recovered } from "../../../src/thin/checkpoint/recovery.ts";
import { NO_EXTENT } from "../../../src/thin/format/geometry.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { appendRecord, syncBarrier } from "../../../src/thin/log/promises.ts";
import { checkPool } from "../../../src/thin/tools/check.ts";
import {
  attributesOf,
  copyOf,
  EXTENT_BYTES,
  formatted,
  HoldingPages,
  MIB,
  opened,
} from "../checkpoint/fixture.ts";
import { withBlock } from "./support/append-block.ts";

const VOLUME = 1;
const LEXT = 5;

interface Overtaken {
  readonly device: MemoryDevice;
  readonly pool: Recovered;
  /** Of which a page of the newest checkpoint lies in the extent. */
  readonly phys: number;
}

function map(lext: number, phys: number): JournalRecord {
  return { kind: "map", volume: VOLUME, lext, phys, run: 1, safe: false };
}

/**
 * A pool that is full but for one block for pages: while its checkpoint is written, with a map that names an extent, `between` gives that extent
 * up, and the checkpoint puts a page there.
 */
async function overtaken(
  before: (phys: number) => readonly JournalRecord[],
  between: (phys: number, spare: number) => readonly JournalRecord[],
): Promise<Overtaken> {
  const [device] = await formatted([64 * MIB]);
  const holding = new HoldingPages(device!);
  const pool = await opened([holding], 1);
  const { journal, state } = pool;
  const { space } = state;
  await appendRecord(journal, { kind: "create", attributes: attributesOf(VOLUME) });
  const phys = space.allocate(null, 1);
  const spare = space.allocate(null, 1);
  await appendRecord(journal, map(LEXT + 1, space.allocate(null, 1)));
  for (const record of before(phys)) await appendRecord(journal, record);
  space.metadataReserveExtents = 0;
  space.takeMetadataBlock();
  while (space.allocate(null, 64) !== NO_EXTENT);
  while (space.metadata.freeBlocks > 1) space.takeMetadataBlock();
  holding.hold();
  const running = pool.checkpointer.run("asked");
  for (const record of between(phys, spare)) await appendRecord(journal, record);
  await syncBarrier(pool.barrier);
  await space.idle();
  expect(space.isAllocatable(phys)).toBe(true);
  holding.letGo();
  await running;
  expect(space.stateOf(phys)).toBe("metadata");
  return { device: device!, pool, phys };
}

const unmap: JournalRecord = { kind: "unmap", volume: VOLUME, lext: LEXT, run: 1 };

describe("the check of devices that only the journal knows", () => {
  it("finds one that is missing, or that is smaller than it became", async () => {
    const [device] = await formatted([16 * MIB]);
    const pool = await opened([device!], 1);
    const [first] = pool.state.devices;
    const { addresses } = pool.state;
    const end = addresses.offsetOf(0) + addresses.extentCount * EXTENT_BYTES;
    const uuid = "0b0b0b0b-1c1c-4d1d-8e1e-0f0f0f0f0f0f";
    const added = { device: 1, offsetBytes: 8 * MIB, extents: 4, virginFrom: 4 };
    const member = { ...first!, uuid, sizeBytes: 16 * MIB };
    const upto = pool.journal.appliedSeq + 1;
    const adding = withBlock(device!, pool, [
      { kind: "add-device", device: member, segment: added },
      { kind: "barrier", upto },
    ]);
    await expect(opened([copyOf(adding)], 1)).rejects.toMatchObject({ kind: "missing" });
    expect((await checkPool([adding])).findings).toEqual([
      { severity: "error", message: `device ${uuid}, which was added, is missing` },
    ]);
    const grown = { device: 0, offsetBytes: end, extents: 4, virginFrom: 4 };
    const growing = withBlock(device!, pool, [
      { kind: "grow-device", device: 0, sizeBytes: 20 * MIB, segment: grown },
      { kind: "barrier", upto },
    ]);
    expect((await checkPool([growing])).findings[0]?.message).toContain("has shrunk to");
    growing.resize(20 * MIB);
    expect(await checkPool([growing])).toMatchObject({ errors: 0, isSound: true });
  });
});

describe("the check of a checkpoint with pages where a later record gave an extent up", () => {
  it("counts the extent as what it is after the journal", async () => {
    const one = await overtaken(
      (phys) => [map(LEXT, phys)],
      () => [unmap],
    );
    for (const boot of [1, 2]) {
      const back = await opened([copyOf(one.device)], boot);
      expect(back.report.fellBack).toBe(false);
    }
    const report = await checkPool([one.device]);
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ isSound: true, journal: { blocks: 2 } });
  });

  it("follows bases, copies and volumes that are gone", async () => {
    const copy = attributesOf(2);
    const one = await overtaken(
      (phys) => [map(LEXT, phys), { kind: "snapshot", source: VOLUME, attributes: copy }],
      (phys, spare) => [
        { kind: "partial", volume: 2, lext: LEXT, phys: spare, mask: 1, base: phys },
        { kind: "rollback", volume: VOLUME, source: 2 },
        { kind: "delete", volume: 2 },
        unmap,
      ],
    );
    expect((await checkPool([one.device])).findings).toEqual([]);
  });

  it("finds it where no record gives it up, or one takes it again", async () => {
    const one = await overtaken(
      (phys) => [map(LEXT, phys)],
      () => [unmap],
    );
    const both = `extent ${one.phys} holds metadata, and a map names it as data`;
    const again = withBlock(one.device, one.pool, [map(LEXT + 2, one.phys)]);
    for (const boot of [1, 2]) {
      // The block is not covered: a power loss leaves the checkpoint sound, a kill does not.
      expect((await opened([copyOf(again)], boot)).report.fellBack).toBe(boot === 1);
    }
    expect((await checkPool([again])).findings.map(({ message }) => message)).toEqual([both]);
    const upTo = one.pool.journal.appliedSeq + 1;
    const based = withBlock(one.device, one.pool, [
      { kind: "partial", volume: VOLUME, lext: LEXT, phys: one.phys + 1, mask: 1, base: one.phys },
      { kind: "barrier", upto: upTo },
    ]);
    expect((await checkPool([based])).findings.map(({ message }) => message)).toEqual([both]);
  });
});
