import type { JournalRecord, VolumeAttributes } from "../format/records.ts";
import type { ThinVolume } from "../io/thin-volume.ts";
import { countOwned } from "../map/derive.ts";
import { extentsFor } from "../map/volume-state.ts";
import { PoolError } from "../pool-error.ts";
import {
  checkNewName,
  checkNewVolumes,
  checkOvercommit,
  checkPromises,
  checkReservable,
  checkSize,
} from "./checks.ts";
import { atInstant, commit } from "./commit.ts";
import type { AttributeChanges, VolumeSpec } from "./pool-options.ts";
import { checkLeafSlots, checkMapSpace } from "./map-space.ts";
import type { PoolParts } from "./pool-parts.ts";

/** Errors: invalid, exists, space, failed. */
export async function createVolume(parts: PoolParts, spec: VolumeSpec): Promise<ThinVolume> {
  const { state } = parts;
  const attributes: VolumeAttributes = {
    id: state.nextVolumeId,
    uuid: spec.uuid,
    name: spec.name,
    sizeBytes: spec.sizeBytes,
    readOnly: false,
    isSnapshot: false,
    originId: 0,
    createdAt: parts.nowSeconds(),
    reservedBytes: spec.reservedBytes ?? 0,
    quotaBytes: spec.quotaBytes ?? 0,
  };
  checkNewVolumes(state, [spec]);
  checkMapSpace(state);
  checkSize(spec.sizeBytes);
  checkLeafSlots(state, [spec.sizeBytes]);
  checkPromises(attributes);
  checkOvercommit(state, spec.sizeBytes);
  const reserved = extentsFor(state.geometry, attributes.reservedBytes);
  checkReservable(state, reserved, `the reservation of ${spec.name}`);
  await commit(parts, [{ kind: "create", attributes }]);
  const volume = parts.volumes.add(attributes.id);
  parts.listeners.emit({ kind: "volumes-changed" });
  return volume;
}

/** Of a volume that nobody uses, unless `whileUsed`. Errors: invalid, exists, busy, missing, failed. */
export async function rename(
  parts: PoolParts,
  volume: ThinVolume,
  name: string,
  whileUsed: boolean = false,
): Promise<void> {
  parts.volumes.mustHave(volume);
  if (name === volume.attributes.name) return;
  checkNewName(parts.state, name);
  const renamed = parts.volumes.beginRename(volume, whileUsed);
  try {
    await changeAttributes(parts, volume, { ...volume.attributes, name });
  } finally {
    renamed();
  }
}

/** Errors: invalid, missing, space, failed. */
export async function setAttributes(
  parts: PoolParts,
  volume: ThinVolume,
  changes: AttributeChanges,
): Promise<void> {
  parts.volumes.mustHave(volume);
  const { state } = parts;
  const before = volume.attributes;
  const after: VolumeAttributes = {
    ...before,
    readOnly: changes.readOnly ?? before.readOnly,
    reservedBytes: changes.reservedBytes ?? before.reservedBytes,
    quotaBytes: changes.quotaBytes ?? before.quotaBytes,
  };
  checkPromises(after);
  if (before.readOnly && !after.readOnly) checkOvercommit(state, after.sizeBytes);
  // Of a volume without a reservation nobody keeps it exactly: not over a replay, nor when copies of it go.
  if (before.reservedBytes === 0 && after.reservedBytes > 0) await countOwned(state, volume.state);
  const { ownedExtents } = volume.state;
  const outstanding = (bytes: number): number =>
    Math.max(0, extentsFor(state.geometry, bytes) - ownedExtents);
  const more = outstanding(after.reservedBytes) - outstanding(before.reservedBytes);
  checkReservable(state, more, `the reservation of ${before.name}`);
  // Whoever makes a volume read-only wants no write to come after.
  if (before.readOnly === after.readOnly) await changeAttributes(parts, volume, after);
  else await atInstant(parts, [volume], {}, () => changeAttributes(parts, volume, after));
}

async function changeAttributes(
  parts: PoolParts,
  volume: ThinVolume,
  attributes: VolumeAttributes,
): Promise<void> {
  const record: JournalRecord = { kind: "attributes", attributes };
  await commit(parts, [record]);
  parts.listeners.emit({ kind: "volumes-changed" });
  parts.log.info({ volume: volume.attributes.name }, "a volume was changed");
}

/**
 * Deletes a volume that nobody uses. It takes as long as a record, whatever the size: the space comes back in the background.
 * Errors: busy, missing, failed.
 */
export async function deleteVolume(parts: PoolParts, volume: ThinVolume): Promise<void> {
  parts.volumes.mustHave(volume);
  const { id, name } = volume.attributes;
  if (parts.volumes.uses(volume) > 0) {
    throw new PoolError("busy", `volume ${name} is in use: take it off its targets first`);
  }
  await atInstant(parts, [volume], { reads: true }, async () => {
    if (parts.volumes.uses(volume) > 0) {
      throw new PoolError("busy", `volume ${name} has just been taken into use`);
    }
    // Nobody finds it from now on, or it would be taken into use while its record becomes durable.
    parts.volumes.remove(volume);
    await commit(parts, [{ kind: "delete", volume: id }]);
    parts.ownership.changed(parts.journal.appliedSeq);
    volume.markGone();
  });
  parts.listeners.emit({ kind: "volumes-changed" });
}
