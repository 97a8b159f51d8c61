import { expect, it } from "vitest";
import type { Recovered } from "../../../src/thin/checkpoint/recovery.ts";
import { NO_EXTENT } from "../../../src/thin/format/geometry.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { appendRecord, syncBarrier } from "../../../src/thin/log/promises.ts";
import { auditState } from "../../../src/thin/map/audit.ts";
import { attributesOf, copyOf, dump, formatted, HoldingPages, MIB, opened } from "./fixture.ts";

function mapOf(lext: number, phys: number): JournalRecord {
  return { kind: "map", volume: 1, lext, phys, run: 1, safe: false };
}

function unmapOf(lext: number): JournalRecord {
  return { kind: "unmap", volume: 1, lext, run: 1 };
}

/** What may happen to an extent: before a checkpoint is captured, and while it is written; at the end nothing refers to it. */
const STORIES: readonly {
  readonly story: string;
  readonly before?: (extent: number) => JournalRecord;
  readonly meanwhile: (extent: number, other: number) => JournalRecord[];
}[] = [
  {
    story: "was mapped and unmapped",
    meanwhile: (extent) => [mapOf(5, extent), unmapOf(5)],
  },
  {
    story: "was mapped before, and unmapped",
    before: (extent) => mapOf(5, extent),
    meanwhile: () => [unmapOf(5)],
  },
  {
    story: "was the base of a PARTIAL that became full",
    before: (extent) => mapOf(5, extent),
    meanwhile: (extent, other) => [
      { kind: "partial", volume: 1, lext: 5, phys: other, mask: 1, base: extent },
      mapOf(5, other),
    ],
  },
];

/** A checkpoint that finds no place for its nodes but an extent that comes free while its leaf is written. */
async function round(
  pool: Recovered,
  holding: HoldingPages,
  { before, meanwhile }: (typeof STORIES)[number],
): Promise<void> {
  const { journal, state } = pool;
  const { space } = state;
  await space.idle();
  space.metadataReserveExtents = 0;
  await appendRecord(journal, mapOf(3, space.allocate(null, 1)));
  const extent = space.allocate(null, 1);
  const other = space.allocate(null, 1);
  if (before !== undefined) await appendRecord(journal, before(extent));
  await syncBarrier(pool.barrier);
  await space.idle();
  while (space.metadata.freeBlocks < 2) space.takeMetadataBlock();
  const taken: [number, number][] = [];
  let first = space.allocate(null, 64);
  while (first !== NO_EXTENT) {
    taken.push([first, space.lastRun]);
    first = space.allocate(null, 64);
  }
  while (space.metadata.freeBlocks > 1) space.takeMetadataBlock();
  holding.hold();
  const running = pool.checkpointer.run("asked");
  for (const record of meanwhile(extent, other)) await appendRecord(journal, record);
  await syncBarrier(pool.barrier);
  await space.idle();
  expect(space.isAllocatable(extent)).toBe(true);
  holding.letGo();
  await running;
  expect(space.metadata.isMetadata(extent)).toBe(true);
  for (const run of taken) space.giveBack(...run);
}

const CASES = STORIES.flatMap((story) =>
  [1, 2].map((count) => [story.story, count, story] as const),
);

it.each(CASES)(
  "opens a checkpoint with pages in an extent that %s while it was written: %d in a row",
  async (_story, count, story) => {
    const [device] = await formatted([64 * MIB]);
    const holding = new HoldingPages(device!);
    const pool = await opened([holding], 1);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
    for (let index = 0; index < count; index += 1) await round(pool, holding, story);
    const { generation } = pool.checkpointer;
    const expected = await dump(pool.state);
    for (const boot of [1, 2]) {
      const back = await opened([copyOf(device!)], boot);
      expect(back.report).toMatchObject({ generation, fellBack: false });
      expect(await dump(back.state)).toBe(expected);
      expect(await auditState(back.state)).toEqual([]);
    }
  },
);
