import { assert } from "../../util/assert.ts";
import { getUint32LE, getUint64LE, setUint32LE, setUint64LE } from "../../util/little-endian.ts";
import { DEVICES_MAX, SEGMENTS_MAX, VOLUMES_MAX } from "../limits.ts";
import { decodeDevices, DEVICE_ENTRY_BYTES, encodeDevices } from "./device-table.ts";
import { FormatFault } from "./fault.ts";
import { BLOCK_BYTES } from "./geometry.ts";
import { getName, isZero, NAME_FIELD_BYTES, setName } from "./identity.ts";
import { checkLayout, DIRECTORIES_MAX, PAGE_HEADER_BYTES, POINTER_BYTES } from "./layout.ts";
import { getPointer, NO_POINTER, type PagePointer, setPointer } from "./pointer.ts";
import type { PoolDevice, PoolSettings, Segment } from "./records.ts";
import { decodeSegments, encodeSegments, SEGMENT_ENTRY_BYTES } from "./segment-table.ts";
import { getSettings, setSettings, SETTINGS_BYTES } from "./settings.ts";

/** A checkpoint's top page: all that is not a volume's. */
export interface Root {
  /** The checkpoint includes the journal up to this block. */
  readonly checkpointSeq: number;
  /** The id that the next new volume gets. */
  readonly nextVolumeId: number;
  readonly volumeCount: number;
  readonly devices: readonly PoolDevice[];
  readonly segments: readonly Segment[];
  readonly settings: PoolSettings;
  /** Pages of up to 252 pointers to volumes pages. */
  readonly directories: readonly PagePointer[];
}

const RootField = {
  header: [0, PAGE_HEADER_BYTES],
  checkpointSeq: [64, 8],
  nextVolumeId: [72, 4],
  volumeCount: [76, 4],
  deviceCount: [80, 4],
  segmentCount: [84, 4],
  directoryCount: [88, 4],
  reserved92: [92, 4],
  settings: [96, SETTINGS_BYTES],
  poolName: [176, NAME_FIELD_BYTES],
  reserved304: [304, 16],
  directories: [320, DIRECTORIES_MAX * POINTER_BYTES],
  devices: [576, DEVICES_MAX * DEVICE_ENTRY_BYTES],
  segments: [1344, SEGMENTS_MAX * SEGMENT_ENTRY_BYTES],
  reserved3392: [3392, 704],
} as const;
checkLayout("root", RootField, BLOCK_BYTES);

/** Writes the body of a root page; header and checksum are added by `sealPage`. */
export function encodeRoot(page: Uint8Array, root: Root): void {
  assert(page.length === BLOCK_BYTES, "a page is a block");
  assert(root.directories.length <= DIRECTORIES_MAX, "a root has 16 directory pages");
  const field = RootField;
  page.fill(0, PAGE_HEADER_BYTES);
  setUint64LE(page, field.checkpointSeq[0], root.checkpointSeq);
  setUint32LE(page, field.nextVolumeId[0], root.nextVolumeId);
  setUint32LE(page, field.volumeCount[0], root.volumeCount);
  setUint32LE(page, field.deviceCount[0], root.devices.length);
  setUint32LE(page, field.segmentCount[0], root.segments.length);
  setUint32LE(page, field.directoryCount[0], root.directories.length);
  setSettings(page, field.settings[0], root.settings);
  setName(page, field.poolName[0], root.settings.name);
  for (const [index, pointer] of root.directories.entries()) {
    setPointer(page, field.directories[0] + index * POINTER_BYTES, pointer);
  }
  encodeDevices(page, field.devices[0], root.devices);
  encodeSegments(page, field.segments[0], root.segments);
}

export function decodeRoot(page: Uint8Array): Root | FormatFault {
  const field = RootField;
  const nameAt = field.poolName[0];
  const name = getName(page, nameAt, nameAt + NAME_FIELD_BYTES);
  const settings = name === null ? null : getSettings(page, field.settings[0], name);
  const deviceCount = getUint32LE(page, field.deviceCount[0]);
  const segmentCount = getUint32LE(page, field.segmentCount[0]);
  const devices = decodeDevices(page, field.devices[0], deviceCount);
  const segments = decodeSegments(page, field.segments[0], segmentCount);
  const directories = decodeDirectories(page);
  if (settings === null) return damaged("settings");
  if (devices === null) return damaged("devices");
  if (segments?.every(({ device }) => device < deviceCount) !== true) return damaged("segments");
  if (directories === null) return damaged("directory");
  const root: Root = {
    checkpointSeq: getUint64LE(page, field.checkpointSeq[0]),
    nextVolumeId: getUint32LE(page, field.nextVolumeId[0]),
    volumeCount: getUint32LE(page, field.volumeCount[0]),
    devices,
    segments,
    settings,
    directories,
  };
  const isPossible =
    Number.isSafeInteger(root.checkpointSeq) &&
    root.nextVolumeId >= 1 &&
    root.volumeCount <= VOLUMES_MAX;
  if (!isPossible) return damaged("numbers");
  return arePaddingsZero(page, root) ? root : damaged("padding");
}

function decodeDirectories(page: Uint8Array): PagePointer[] | null {
  const count = getUint32LE(page, RootField.directoryCount[0]);
  if (count > DIRECTORIES_MAX) return null;
  const directories: PagePointer[] = [];
  for (let index = 0; index < count; index += 1) {
    const pointer = getPointer(page, RootField.directories[0] + index * POINTER_BYTES);
    if (pointer === null || pointer === NO_POINTER) return null;
    directories.push(pointer);
  }
  return directories;
}

function arePaddingsZero(page: Uint8Array, root: Root): boolean {
  const field = RootField;
  const nameEnd = field.poolName[0] + 1 + (page[field.poolName[0]] ?? 0);
  return (
    isZero(page, field.reserved92[0], field.settings[0]) &&
    isZero(page, nameEnd, field.directories[0]) &&
    isZero(
      page,
      field.directories[0] + root.directories.length * POINTER_BYTES,
      field.devices[0],
    ) &&
    isZero(page, field.devices[0] + root.devices.length * DEVICE_ENTRY_BYTES, field.segments[0]) &&
    isZero(page, field.segments[0] + root.segments.length * SEGMENT_ENTRY_BYTES, BLOCK_BYTES)
  );
}

function damaged(what: string): FormatFault {
  return new FormatFault("damaged", `a root page with impossible ${what}`);
}
