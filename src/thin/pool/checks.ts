import { isNewName, isUuid } from "../format/identity.ts";
import type { VolumeAttributes } from "../format/records.ts";
import { VOLUME_BYTES_MAX, VOLUME_ID_MAX, VOLUMES_MAX } from "../limits.ts";
import { PoolError } from "../pool-error.ts";
import type { PoolState } from "../map/pool-state.ts";
import { formatSize } from "../../util/units.ts";
import { VOLUME_SIZE_UNIT_BYTES } from "./limits.ts";

/** What is refused before anything is changed. All throw PoolError. */

/** A name and a UUID for a volume to be made; `taken`: others that will be made with it. Errors: invalid, exists, space. */
export function checkNewVolumes(
  state: PoolState,
  volumes: readonly { readonly name: string; readonly uuid: string }[],
): void {
  if (state.volumes.size + volumes.length > VOLUMES_MAX) {
    throw new PoolError("space", `a pool has no more than ${VOLUMES_MAX} volumes`);
  }
  if (state.nextVolumeId + volumes.length > VOLUME_ID_MAX + 1) {
    throw new PoolError("space", "the pool has given all ids of volumes that there are");
  }
  const taken = new Set<string>();
  for (const { name, uuid } of volumes) {
    checkNewName(state, name);
    if (!isUuid(uuid)) throw new PoolError("invalid", `${uuid} is not a UUID in lower case`);
    if (state.volumeByUuid(uuid) !== undefined) {
      throw new PoolError("exists", `a volume of UUID ${uuid} is there already`);
    }
    if (taken.has(name) || taken.has(uuid)) {
      throw new PoolError("invalid", `${name} is asked for twice: names and UUIDs are unique`);
    }
    taken.add(name).add(uuid);
  }
}

/** Errors: invalid, exists. */
export function checkNewName(state: PoolState, name: string): void {
  if (!isNewName(name)) {
    const what =
      "1 to 127 bytes without slashes and characters that cannot be seen, not beginning with -";
    throw new PoolError("invalid", `${JSON.stringify(name)} is no name for a volume: ${what}`);
  }
  // A name that is a UUID would make a look-up by name or UUID ambiguous.
  if (isUuid(name)) throw new PoolError("invalid", "a volume's name is not a UUID");
  if (state.volumeByName(name) !== undefined) {
    throw new PoolError("exists", `a volume of the name ${name} is there already`);
  }
}

/** Errors: invalid. */
export function checkSize(sizeBytes: number): void {
  const isSize = Number.isSafeInteger(sizeBytes) && sizeBytes > 0;
  const rest = sizeBytes % VOLUME_SIZE_UNIT_BYTES;
  if (!isSize || rest !== 0 || sizeBytes > VOLUME_BYTES_MAX) {
    const above = sizeBytes - rest + VOLUME_SIZE_UNIT_BYTES;
    const next = isSize && above <= VOLUME_BYTES_MAX ? `; the next one is ${above}` : "";
    throw new PoolError(
      "invalid",
      `${sizeBytes} bytes is no size for a volume: a multiple of ${VOLUME_SIZE_UNIT_BYTES}, up to ${VOLUME_BYTES_MAX}${next}`,
    );
  }
}

/** Whether a size, reservation and quota go together. Errors: invalid. */
export function checkPromises(
  attributes: Pick<VolumeAttributes, "name" | "sizeBytes" | "reservedBytes" | "quotaBytes">,
): void {
  const { name, sizeBytes, reservedBytes, quotaBytes } = attributes;
  for (const bytes of [reservedBytes, quotaBytes]) {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new PoolError("invalid", `${name}: ${bytes} is not a number of bytes`);
    }
  }
  if (reservedBytes > sizeBytes) {
    throw new PoolError("invalid", `${name}: more would be reserved than the volume is large`);
  }
  if (quotaBytes > 0 && quotaBytes < reservedBytes) {
    throw new PoolError("invalid", `${name}: more would be reserved than its quota allows`);
  }
}

/** Bytes of all volumes that can be written: what could be asked of the pool. */
export function virtualBytes(state: PoolState): number {
  let bytes = 0;
  for (const { attributes } of state.volumes.values()) {
    if (!attributes.readOnly) bytes += attributes.sizeBytes;
  }
  return bytes;
}

/** Whether the pool may promise `moreBytes` of virtual size. Errors: space. */
export function checkOvercommit(state: PoolState, moreBytes: number): void {
  const { overcommitMax } = state.settings;
  if (overcommitMax === 0 || moreBytes <= 0) return;
  const capacityBytes = state.addresses.extentCount * state.geometry.extentBytes;
  const promisedBytes = virtualBytes(state) + moreBytes;
  if (promisedBytes > overcommitMax * capacityBytes) {
    throw new PoolError(
      "space",
      `volumes would have ${formatSize(promisedBytes)} in all, of a pool of ${formatSize(capacityBytes)}: its limit is ` +
        `${overcommitMax} times what it has; give it another device, or raise the limit (overcommit)`,
    );
  }
}

/** Whether the pool can keep `extents` more free for somebody. Errors: space. */
export function checkReservable(state: PoolState, extents: number, what: string): void {
  const { usableExtents } = state.space;
  if (extents <= 0 || extents <= usableExtents) return;
  const { extentBytes } = state.geometry;
  throw new PoolError(
    "space",
    `${what} needs ${extents * extentBytes} bytes, and ${Math.max(0, usableExtents) * extentBytes} are free`,
  );
}
