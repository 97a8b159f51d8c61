import { assert } from "../../util/assert.ts";
import { getUint32LE, getUint64LE, setUint32LE, setUint64LE } from "../../util/little-endian.ts";
import { ATTRIBUTES_BYTES, getAttributes, setAttributes } from "./attributes.ts";
import { FormatFault } from "./fault.ts";
import { BLOCK_BYTES } from "./geometry.ts";
import { getName, isZero, NAME_FIELD_BYTES, setName } from "./identity.ts";
import {
  checkLayout,
  DEPTH_MAX,
  PAGE_HEADER_BYTES,
  VOLUME_RECORD_BYTES,
  VOLUME_RECORDS_OFFSET,
  VOLUMES_PER_PAGE,
} from "./layout.ts";
import { getPointer, NO_POINTER, type PagePointer, setPointer } from "./pointer.ts";
import type { VolumeAttributes } from "./records.ts";

/** A volume in a checkpoint. */
export interface VolumeRecord {
  readonly attributes: VolumeAttributes;
  readonly mappedExtents: number;
  /** Of those, mapped by itself since it was copied last. */
  readonly ownedExtents: number;
  /** Levels of nodes over the leaves, as `depthFor` says; 0: it has never been written. */
  readonly depth: number;
  /** The node of that level; NO_POINTER where nothing is mapped. */
  readonly root: PagePointer;
}

const VolumeField = {
  attributes: [0, ATTRIBUTES_BYTES],
  mappedExtents: [64, 8],
  ownedExtents: [72, 8],
  root: [80, 16],
  depth: [96, 4],
  reserved100: [100, 28],
  name: [128, NAME_FIELD_BYTES],
} as const;
checkLayout("volume record", VolumeField, VOLUME_RECORD_BYTES);

/** A page of volume records behind the header. */
const VolumesPageField = {
  header: [0, PAGE_HEADER_BYTES],
  count: [64, 4],
  reserved68: [68, 60],
  records: [VOLUME_RECORDS_OFFSET, VOLUMES_PER_PAGE * VOLUME_RECORD_BYTES],
  reserved3968: [3968, 128],
} as const;
checkLayout("volumes page", VolumesPageField, BLOCK_BYTES);

/** Writes the body of a page of at most 15 volumes; header and checksum are added by `sealPage`. */
export function encodeVolumesPage(page: Uint8Array, volumes: readonly VolumeRecord[]): void {
  assert(
    page.length === BLOCK_BYTES && volumes.length <= VOLUMES_PER_PAGE,
    "a page holds 15 volumes",
  );
  page.fill(0, PAGE_HEADER_BYTES);
  setUint32LE(page, VolumesPageField.count[0], volumes.length);
  for (const [index, volume] of volumes.entries()) {
    const at = VOLUME_RECORDS_OFFSET + index * VOLUME_RECORD_BYTES;
    setAttributes(page, at, volume.attributes);
    setUint64LE(page, at + VolumeField.mappedExtents[0], volume.mappedExtents);
    setUint64LE(page, at + VolumeField.ownedExtents[0], volume.ownedExtents);
    setPointer(page, at + VolumeField.root[0], volume.root);
    setUint32LE(page, at + VolumeField.depth[0], volume.depth);
    setName(page, at + VolumeField.name[0], volume.attributes.name);
  }
}

export function decodeVolumesPage(page: Uint8Array): VolumeRecord[] | FormatFault {
  const count = getUint32LE(page, VolumesPageField.count[0]);
  if (count > VOLUMES_PER_PAGE) {
    return new FormatFault("damaged", `a page of ${count} volumes`);
  }
  const end = VOLUME_RECORDS_OFFSET + count * VOLUME_RECORD_BYTES;
  if (!isZero(page, VolumesPageField.reserved68[0], VOLUME_RECORDS_OFFSET)) return impossible(0);
  if (!isZero(page, end, BLOCK_BYTES)) return impossible(count);
  const volumes: VolumeRecord[] = [];
  for (let index = 0; index < count; index += 1) {
    const volume = decodeVolume(page, VOLUME_RECORDS_OFFSET + index * VOLUME_RECORD_BYTES);
    if (volume === null) return impossible(index);
    volumes.push(volume);
  }
  return volumes;
}

function decodeVolume(page: Uint8Array, at: number): VolumeRecord | null {
  const nameAt = at + VolumeField.name[0];
  const name = getName(page, nameAt, nameAt + NAME_FIELD_BYTES);
  const root = getPointer(page, at + VolumeField.root[0]);
  const depth = getUint32LE(page, at + VolumeField.depth[0]);
  const mappedExtents = getUint64LE(page, at + VolumeField.mappedExtents[0]);
  const ownedExtents = getUint64LE(page, at + VolumeField.ownedExtents[0]);
  if (name === null || root === null || depth > DEPTH_MAX) return null;
  if (depth === 0 && root !== NO_POINTER) return null;
  if (!Number.isSafeInteger(mappedExtents) || !Number.isSafeInteger(ownedExtents)) return null;
  if (!isZero(page, at + VolumeField.reserved100[0], nameAt)) return null;
  const nameEnd = nameAt + 1 + (page[nameAt] ?? 0);
  if (!isZero(page, nameEnd, nameAt + NAME_FIELD_BYTES)) return null;
  const attributes = getAttributes(page, at, name);
  return attributes === null ? null : { attributes, mappedExtents, ownedExtents, depth, root };
}

function impossible(index: number): FormatFault {
  return new FormatFault("damaged", `impossible values in volume record ${index}`);
}
