import { assert } from "../../util/assert.ts";
import { getUint64LE, setUint64LE } from "../../util/little-endian.ts";
import { DEVICE_BYTES_MAX, DEVICE_BYTES_MIN, DEVICES_MAX } from "../limits.ts";
import { getUuid, isUuid, setUuid } from "./identity.ts";
import { checkLayout } from "./layout.ts";
import type { PoolDevice } from "./records.ts";

/** A device in the tables of superblock and root, and in a record. */
const DeviceField = { uuid: [0, 16], sizeBytes: [16, 8] } as const;
export const DEVICE_ENTRY_BYTES = 24;
checkLayout("device", DeviceField, DEVICE_ENTRY_BYTES);

export function setDevice(bytes: Uint8Array, offset: number, device: PoolDevice): void {
  assert(isUuid(device.uuid), "a device has a UUID");
  setUuid(bytes, offset + DeviceField.uuid[0], device.uuid);
  setUint64LE(bytes, offset + DeviceField.sizeBytes[0], device.sizeBytes);
}

/** The device at `offset`, null where none can be. */
export function getDevice(bytes: Uint8Array, offset: number): PoolDevice | null {
  const uuid = getUuid(bytes, offset + DeviceField.uuid[0]);
  const sizeBytes = getUint64LE(bytes, offset + DeviceField.sizeBytes[0]);
  const isPossible = isUuid(uuid) && sizeBytes >= DEVICE_BYTES_MIN && sizeBytes <= DEVICE_BYTES_MAX;
  return isPossible ? { uuid, sizeBytes } : null;
}

export function encodeDevices(
  bytes: Uint8Array,
  offset: number,
  devices: readonly PoolDevice[],
): void {
  assert(devices.length >= 1 && devices.length <= DEVICES_MAX, "a pool has 1 to 32 devices");
  for (const [index, device] of devices.entries()) {
    setDevice(bytes, offset + index * DEVICE_ENTRY_BYTES, device);
  }
}

/** A table of `count` devices, which comes from the disk; null where it cannot be one. */
export function decodeDevices(
  bytes: Uint8Array,
  offset: number,
  count: number,
): PoolDevice[] | null {
  if (count < 1 || count > DEVICES_MAX) return null;
  const devices: PoolDevice[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    const device = getDevice(bytes, offset + index * DEVICE_ENTRY_BYTES);
    if (device === null || seen.has(device.uuid)) return null;
    seen.add(device.uuid);
    devices.push(device);
  }
  return devices;
}
