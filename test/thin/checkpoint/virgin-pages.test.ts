import { expect, it } from "vitest";
import { NO_EXTENT } from "../../../src/thin/format/geometry.ts";
import { appendRecord, syncBarrier } from "../../../src/thin/log/promises.ts";
import { auditState } from "../../../src/thin/map/audit.ts";
import { attributesOf, copyOf, dump, formatted, HoldingPages, MIB, opened } from "./fixture.ts";

it("opens a checkpoint of which pages lie where a mark came to while they were written (rule V)", async () => {
  const [device] = await formatted([64 * MIB], true);
  const holding = new HoldingPages(device!);
  const pool = await opened([holding], 1);
  const { journal, state } = pool;
  const { space } = state;
  await appendRecord(journal, { kind: "create", attributes: attributesOf(1) });
  const phys = space.allocate(null, 1);
  await appendRecord(journal, { kind: "map", volume: 1, lext: 3, phys, run: 1, safe: true });
  // One place is left for the leaf, and nothing below the mark for the pages above it.
  space.metadataReserveExtents = 0;
  space.takeMetadataBlock();
  while (space.allocate(null, 64) !== NO_EXTENT);
  while (space.metadata.freeBlocks > 1) space.takeMetadataBlock();
  holding.hold();
  const running = pool.checkpointer.run("asked");
  const from = state.addresses.segments[0]!.virginFrom + 100;
  await appendRecord(journal, { kind: "virgin", segment: 0, from });
  await syncBarrier(pool.barrier);
  expect(space.allocatableExtents).toBe(100);
  holding.letGo();
  await running;
  const expected = await dump(state);
  for (const boot of [1, 2]) {
    const back = await opened([copyOf(device!)], boot);
    expect(back.report.fellBack).toBe(false);
    expect(await dump(back.state)).toBe(expected);
    expect(await auditState(back.state)).toEqual([]);
    expect(back.state.addresses.segments[0]!.virginFrom).toBe(from);
  }
});
