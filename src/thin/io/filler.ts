import type { BlockDevice } from "../../device/block-device.ts";
import { zeroBuffer } from "../../device/zero-buffer.ts";
import { readBytes, writeBytes } from "../../util/io-request.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import type { JournalRecord } from "../format/records.ts";
import { isPartial, physOf } from "../map/entry.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import { hasBlockAt, runEnd } from "./block-mask.ts";
import type { OldEntry } from "./change-piece.ts";
import type { ExtentLock } from "./extent-locks.ts";
import type { VolumeCore } from "./volume-core.ts";

/**
 * Completes a PARTIAL extent that nobody shares from its base, in the background, and makes it plain: its base comes free. It holds the
 * extent's lock like a write that changes the map (rule S), for it copies old blocks into an extent that is in use.
 */
export async function fillExtent(core: VolumeCore, lext: number): Promise<boolean> {
  if (core.isGone || core.locks.isLocked(lext) || !core.gate.tryEnterChange()) return false;
  const leafIndex = Math.floor(lext / LEAF_ENTRIES);
  const lock: ExtentLock = { lockFirst: lext, lockEnd: lext + 1, lockIndex: -1, lockNext: null };
  core.locks.lock(lock, lext, lext + 1);
  core.state.map.pinSlot(leafIndex);
  try {
    return await fillLocked(core, lext);
  } finally {
    core.state.map.unpinSlot(leafIndex);
    core.locks.unlock(lock);
    core.gate.leaveChange();
  }
}

async function fillLocked(core: VolumeCore, lext: number): Promise<boolean> {
  const { leaves, space } = core.engine.state;
  if (lext * core.engine.geometry.extentBytes >= core.state.attributes.sizeBytes) return false;
  const stored = core.state.map.leafAt(lext);
  if (stored === NO_LEAF) return false;
  if (!leaves.isResident(stored)) await leaves.load(stored);
  const leaf = core.state.map.leafAt(lext);
  if (leaf === NO_LEAF || !leaves.isResident(leaf)) return false;
  const slot = lext % LEAF_ENTRIES;
  const word = leaves.entry(leaf, slot);
  if (!isPartial(word)) return false;
  const phys = physOf(word);
  if (!core.isExclusive(leaf, phys)) return false;
  const old = { phys, mask: leaves.mask(leaf, slot), base: leaves.base(leaf, slot) };
  space.pin(old.phys);
  if (old.base !== NO_EXTENT) space.pin(old.base);
  try {
    await copyMissing(core, old);
    const volume = core.state.attributes.id;
    await append(core, { kind: "map", volume, lext, phys, run: 1, safe: false });
    return true;
  } finally {
    space.unpin(old.phys);
    if (old.base !== NO_EXTENT) space.unpin(old.base);
  }
}

async function copyMissing(core: VolumeCore, old: OldEntry): Promise<void> {
  const { geometry, state } = core.engine;
  const { extentBytes } = geometry;
  const { addresses } = state;
  const device: BlockDevice = addresses.deviceOf(old.phys);
  for (let at = 0; at < extentBytes;) {
    const end = runEnd(geometry, old.mask, at, extentBytes);
    if (!hasBlockAt(geometry, old.mask, at)) {
      const bytes =
        old.base === NO_EXTENT
          ? zeroBuffer(end - at)
          : await readBytes(
              addresses.deviceOf(old.base),
              addresses.offsetOf(old.base) + at,
              end - at,
            );
      // A pool that has stopped meanwhile may be another host's.
      if (core.engine.health.failure !== null) throw core.engine.health.failure;
      await writeBytes(device, addresses.offsetOf(old.phys) + at, bytes);
    }
    at = end;
  }
}

function append(core: VolumeCore, record: JournalRecord): Promise<number> {
  return new Promise((resolve, reject) => {
    core.engine.journal.append(record, { appended: resolve, appendFailed: reject });
  });
}
