import { formatSize } from "../../util/units.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import type { JournalRecord } from "../format/records.ts";
import type { ThinVolume } from "../io/thin-volume.ts";
import { leavesNeeded } from "../map/apply.ts";
import type { PoolState } from "../map/pool-state.ts";
import { extentsFor } from "../map/volume-state.ts";
import { PoolError } from "../pool-error.ts";
import { checkOvercommit, checkPromises, checkSize } from "./checks.ts";
import { asPoolError, atInstant, commit } from "./commit.ts";
import type { PoolParts } from "./pool-parts.ts";
import { checkLeafSlots } from "./map-space.ts";
import { clearPastEnd } from "./past-end.ts";

/**
 * Changes the size of a volume, which can be in use. What lies past a new end is lost, and reads as zeros if the volume grows again
 * (rule R). Errors: invalid, missing, space, failed.
 */
export async function resize(
  parts: PoolParts,
  volume: ThinVolume,
  sizeBytes: number,
  consentToShrink: boolean,
): Promise<void> {
  parts.volumes.mustHave(volume);
  checkSize(sizeBytes);
  const before = volume.attributes;
  if (sizeBytes === before.sizeBytes) return;
  const isShrink = sizeBytes < before.sizeBytes;
  if (before.readOnly) {
    throw new PoolError("invalid", `${before.name} is read-only: its size stays`);
  }
  if (isShrink && !consentToShrink) {
    const lost = formatSize(before.sizeBytes - sizeBytes);
    throw new PoolError(
      "invalid",
      `${before.name} would lose its last ${lost}: to make it smaller takes consent (--shrink)`,
    );
  }
  checkPromises({ ...before, sizeBytes });
  checkOvercommit(parts.state, sizeBytes - before.sizeBytes);
  if (!isShrink) checkLeafSlots(parts.state, [sizeBytes - before.sizeBytes]);
  const record: JournalRecord = { kind: "resize", volume: before.id, sizeBytes };
  await atInstant(parts, [volume], { reads: isShrink }, async () => {
    if (!isShrink) await clearPastEnd(parts, volume);
    await withLeaves(parts.state, volume, record, () => commit(parts, [record]));
    volume.emit("capacity-changed");
  });
  parts.listeners.emit({ kind: "volumes-changed" });
}

/** Does the work while the leaves that the record changes are in memory: it takes effect in one step. */
async function withLeaves(
  state: PoolState,
  volume: ThinVolume,
  record: JournalRecord,
  work: () => Promise<void>,
): Promise<void> {
  const { map } = volume.state;
  // What a shrink may cut through. The last leaf is the last one only until then.
  const kept = volume.attributes.sizeBytes;
  const slots = new Set([
    leafSlotOf(state, Math.min(kept, sizeOf(record))),
    leafSlotOf(state, kept),
  ]);
  for (const slot of slots) map.pinSlot(slot);
  try {
    for (const leaf of leavesNeeded(state, record)) await state.leaves.load(leaf);
    await work();
  } catch (error) {
    throw asPoolError(error);
  } finally {
    for (const slot of slots) map.unpinSlot(slot);
  }
}

function sizeOf(record: JournalRecord): number {
  return record.kind === "resize" ? record.sizeBytes : 0;
}

/** Where the leaf is that maps the last byte of so many. */
function leafSlotOf(state: PoolState, sizeBytes: number): number {
  const extents = extentsFor(state.geometry, sizeBytes);
  return Math.floor(Math.max(0, extents - 1) / LEAF_ENTRIES);
}
