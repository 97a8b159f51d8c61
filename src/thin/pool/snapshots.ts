import { assert } from "../../util/assert.ts";
import { JOURNAL_BLOCK_ROOM } from "../format/journal-block.ts";
import { recordBytes } from "../format/journal-record.ts";
import type { JournalRecord, VolumeAttributes } from "../format/records.ts";
import type { ThinVolume } from "../io/thin-volume.ts";
import type { PoolState } from "../map/pool-state.ts";
import { extentsFor } from "../map/volume-state.ts";
import { PoolError } from "../pool-error.ts";
import { checkNewVolumes, checkOvercommit, checkReservable } from "./checks.ts";
import { commitAtInstant } from "./commit.ts";
import type { CopySpec } from "./pool-options.ts";
import { checkLeafSlots, checkMapSpace } from "./map-space.ts";
import type { PoolParts } from "./pool-parts.ts";

type Copy = CopySpec<ThinVolume>;

/**
 * Copies volumes at one instant: their gates close in one step, and one block of the journal says it of all (rule N). A copy
 * keeps no space and has no quota; a read-only one counts against no limit. Errors: invalid, exists, missing, space, failed.
 */
export async function snapshot(parts: PoolParts, copies: readonly Copy[]): Promise<ThinVolume[]> {
  const { state } = parts;
  if (copies.length === 0) return [];
  for (const { source } of copies) parts.volumes.mustHave(source);
  checkNewVolumes(state, copies);
  checkMapSpace(state);
  checkLeafSlots(
    state,
    copies.map(({ source }) => source.attributes.sizeBytes),
  );
  const writable = copies.filter(({ readOnly }) => readOnly === false);
  const promised = writable.reduce((sum, { source }) => sum + source.attributes.sizeBytes, 0);
  checkOvercommit(state, promised);
  const createdAt = parts.nowSeconds();
  const records = copies.map((copy, index) =>
    recordOf(copy, state.nextVolumeId + index, createdAt),
  );
  checkFitsBlock(records);
  const sources = [...new Set(copies.map(({ source }) => source))];
  await commitAtInstant(
    parts,
    sources,
    {},
    {
      records,
      // Only now does nothing more go into the sources that would be theirs alone.
      check: () => checkReservationsKept(state, sources),
    },
  );
  const made = records.map(({ attributes }) => parts.volumes.add(attributes.id));
  parts.listeners.emit({ kind: "volumes-changed" });
  return made;
}

type SnapshotRecord = Extract<JournalRecord, { kind: "snapshot" }>;

function recordOf(copy: Copy, id: number, createdAt: number): SnapshotRecord {
  const { source } = copy;
  const readOnly = copy.readOnly ?? true;
  const attributes: VolumeAttributes = {
    id,
    uuid: copy.uuid,
    name: copy.name,
    sizeBytes: source.attributes.sizeBytes,
    readOnly,
    isSnapshot: readOnly,
    originId: source.attributes.id,
    createdAt,
    reservedBytes: 0,
    quotaBytes: 0,
  };
  return { kind: "snapshot", source: source.attributes.id, attributes };
}

/** A group is one block of the journal, or it is not one instant. */
function checkFitsBlock(records: readonly JournalRecord[]): void {
  const bytes = records.reduce((sum, record) => sum + recordBytes(record), 0);
  if (bytes <= JOURNAL_BLOCK_ROOM) return;
  assert(records.length > 1, "one record fits into a block");
  const fitting = Math.floor((records.length * JOURNAL_BLOCK_ROOM) / bytes);
  throw new PoolError(
    "invalid",
    `${records.length} volumes cannot be copied at one instant: about ${fitting} with names of this length can`,
  );
}

/**
 * What a volume has mapped is shared from now on, and what it was promised must be there once more: all that it can write again.
 * Errors: space.
 */
export function checkReservationsKept(state: PoolState, sources: readonly ThinVolume[]): void {
  let extents = 0;
  for (const source of sources) {
    const reserved = extentsFor(state.geometry, source.attributes.reservedBytes);
    extents += Math.min(reserved, source.state.ownedExtents);
  }
  const names = sources.map(({ attributes }) => attributes.name).join(", ");
  checkReservable(state, extents, `to keep what is reserved, a copy of ${names}`);
}
