import type { BlockDevice } from "../../device/block-device.ts";
import type { JournalRecord } from "../format/records.ts";
import { applyRecord, leavesNeeded } from "../map/apply.ts";
import type { PoolState } from "../map/pool-state.ts";
import { PoolError } from "../pool-error.ts";
import type { Replayable } from "./journal-scan.ts";

/**
 * Carries out what a recovery has chosen. `members` are the devices by UUID, those that a record may add among them.
 *
 * @throws {PoolError} corrupt: a record cannot be; missing: a device that was added
 * @throws {IoError} medium: a leaf that a record changes is broken
 */
export async function replay(
  state: PoolState,
  { records }: Replayable,
  members: ReadonlyMap<string, BlockDevice>,
): Promise<void> {
  for (const { record, seq } of records) {
    if (record.kind === "add-device") offerDevice(state, record.device.uuid, members);
    const needed = leavesNeeded(state, record);
    if (needed.length === 0) applyRecord(state, record, seq);
    else await applyWith(state, record, seq, needed);
  }
}

async function applyWith(
  state: PoolState,
  record: JournalRecord,
  seq: number,
  needed: readonly number[],
): Promise<void> {
  const { leaves } = state;
  for (const leaf of needed) leaves.pin(leaf);
  try {
    for (const leaf of needed) await leaves.load(leaf);
    applyRecord(state, record, seq);
  } finally {
    for (const leaf of needed) if (leaves.exists(leaf)) leaves.unpin(leaf);
  }
}

function offerDevice(
  state: PoolState,
  uuid: string,
  members: ReadonlyMap<string, BlockDevice>,
): void {
  const device = members.get(uuid);
  if (device !== undefined) {
    state.addresses.addDevice(device);
    return;
  }
  const { name } = state.settings;
  throw new PoolError("missing", `device ${uuid}, which was added to pool "${name}", is missing`);
}
