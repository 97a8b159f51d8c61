import type { BlockDevice } from "../../device/block-device.ts";
import { applyRecord, leavesNeeded } from "../map/apply.ts";
import { sortByPlace } from "../map/derive.ts";
import type { PoolState } from "../map/pool-state.ts";
import { PoolError } from "../pool-error.ts";
import type { Replayable } from "./journal-scan.ts";

/** Records of which the leaves are read together: 1 MiB where each changes another and they lie together. */
const BATCH_RECORDS = 256;

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
  for (let first = 0; first < records.length; first += BATCH_RECORDS) {
    const batch = records.slice(first, first + BATCH_RECORDS);
    await readAhead(state, batch);
    for (const { record, seq } of batch) {
      if (record.kind === "add-device") offerDevice(state, record.device.uuid, members);
      const needed = leavesNeeded(state, record);
      const isReady = needed.every((leaf) => state.leaves.isResident(leaf));
      for (const leaf of needed) state.leaves.pin(leaf);
      try {
        if (!isReady) await state.leaves.loadAll(Uint32Array.from(needed));
        applyRecord(state, record, seq);
      } finally {
        unpin(state, needed);
      }
    }
  }
}

function unpin({ leaves }: PoolState, pinned: readonly number[]): void {
  for (const leaf of pinned) if (leaves.exists(leaf)) leaves.unpin(leaf);
}

/**
 * Reads in long reads what records will need as far as that can be told before they are carried out. Nothing is pinned, since one of them
 * may take another's leaf away; what is not there when it is needed is read then, and only then is it an error that it cannot be.
 */
async function readAhead(state: PoolState, batch: Replayable["records"]): Promise<void> {
  const wanted = new Set<number>();
  for (const { record } of batch) for (const leaf of leavesNeeded(state, record)) wanted.add(leaf);
  await state.leaves.loadAll(sortByPlace(state, Uint32Array.from(wanted))).catch(() => undefined);
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
