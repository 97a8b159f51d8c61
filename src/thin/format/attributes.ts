import { assert } from "../../util/assert.ts";
import { getUint32LE, getUint64LE, setUint32LE, setUint64LE } from "../../util/little-endian.ts";
import { VOLUME_BYTES_MAX, VOLUME_ID_MAX } from "../limits.ts";
import { getUuid, isUuid, setUuid } from "./identity.ts";
import { checkLayout } from "./layout.ts";
import type { VolumeAttributes } from "./records.ts";

/** A volume's attributes, apart from the name, which follows in a place of its own. */
const AttributesField = {
  id: [0, 4],
  flags: [4, 4],
  uuid: [8, 16],
  sizeBytes: [24, 8],
  createdAt: [32, 8],
  originId: [40, 4],
  zero: [44, 4],
  reservedBytes: [48, 8],
  quotaBytes: [56, 8],
} as const;
export const ATTRIBUTES_BYTES = 64;
checkLayout("attributes", AttributesField, ATTRIBUTES_BYTES);

const Flag = { readOnly: 1, isSnapshot: 2 } as const;
const FLAGS_KNOWN = 3;

/** A volume's size: whole sectors, within the limit. Zero is one that was never given a size. */
export function isVolumeSize(bytes: number): boolean {
  return Number.isInteger(bytes) && bytes >= 0 && bytes <= VOLUME_BYTES_MAX && bytes % 512 === 0;
}

/** Writes all but the name. */
export function setAttributes(
  bytes: Uint8Array,
  offset: number,
  attributes: VolumeAttributes,
): void {
  assert(attributes.id >= 1 && attributes.id <= VOLUME_ID_MAX, "a volume has an id of 32 bits");
  assert(isUuid(attributes.uuid), "a volume has a UUID");
  assert(isVolumeSize(attributes.sizeBytes), "a volume has a possible size");
  const field = AttributesField;
  const flags =
    (attributes.readOnly ? Flag.readOnly : 0) | (attributes.isSnapshot ? Flag.isSnapshot : 0);
  setUint32LE(bytes, offset + field.id[0], attributes.id);
  setUint32LE(bytes, offset + field.flags[0], flags);
  setUuid(bytes, offset + field.uuid[0], attributes.uuid);
  setUint64LE(bytes, offset + field.sizeBytes[0], attributes.sizeBytes);
  setUint64LE(bytes, offset + field.createdAt[0], attributes.createdAt);
  setUint32LE(bytes, offset + field.originId[0], attributes.originId);
  setUint32LE(bytes, offset + field.zero[0], 0);
  setUint64LE(bytes, offset + field.reservedBytes[0], attributes.reservedBytes);
  setUint64LE(bytes, offset + field.quotaBytes[0], attributes.quotaBytes);
}

/** The attributes at `offset` with this name, which was read from elsewhere; null where none can be. */
export function getAttributes(
  bytes: Uint8Array,
  offset: number,
  name: string,
): VolumeAttributes | null {
  const field = AttributesField;
  const flags = getUint32LE(bytes, offset + field.flags[0]);
  if ((flags & ~FLAGS_KNOWN) !== 0 || getUint32LE(bytes, offset + field.zero[0]) !== 0) return null;
  const attributes: VolumeAttributes = {
    id: getUint32LE(bytes, offset + field.id[0]),
    uuid: getUuid(bytes, offset + field.uuid[0]),
    name,
    sizeBytes: getUint64LE(bytes, offset + field.sizeBytes[0]),
    readOnly: (flags & Flag.readOnly) !== 0,
    isSnapshot: (flags & Flag.isSnapshot) !== 0,
    originId: getUint32LE(bytes, offset + field.originId[0]),
    createdAt: getUint64LE(bytes, offset + field.createdAt[0]),
    reservedBytes: getUint64LE(bytes, offset + field.reservedBytes[0]),
    quotaBytes: getUint64LE(bytes, offset + field.quotaBytes[0]),
  };
  const isPossible =
    attributes.id >= 1 &&
    attributes.id <= VOLUME_ID_MAX &&
    isUuid(attributes.uuid) &&
    isVolumeSize(attributes.sizeBytes) &&
    Number.isSafeInteger(attributes.createdAt) &&
    Number.isSafeInteger(attributes.reservedBytes) &&
    Number.isSafeInteger(attributes.quotaBytes);
  return isPossible ? attributes : null;
}
