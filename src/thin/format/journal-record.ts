import { assert, unreachable } from "../../util/assert.ts";
import {
  getUint16LE,
  getUint32LE,
  getUint64LE,
  setUint16LE,
  setUint32LE,
  setUint64LE,
} from "../../util/little-endian.ts";
import { DEVICES_MAX, EXTENTS_MAX, SEGMENTS_MAX, VOLUME_BYTES_MAX } from "../limits.ts";
import { ATTRIBUTES_BYTES, getAttributes, isVolumeSize, setAttributes } from "./attributes.ts";
import { DEVICE_ENTRY_BYTES, getDevice, setDevice } from "./device-table.ts";
import { FormatFault } from "./fault.ts";
import { EXTENT_BYTES_MIN, NO_EXTENT } from "./geometry.ts";
import { getName, nameBytes, setName } from "./identity.ts";
import { checkLayout, type Field, LEAF_ENTRIES } from "./layout.ts";
import type { JournalRecord, VolumeAttributes } from "./records.ts";
import { getSegment, SEGMENT_ENTRY_BYTES, setSegment } from "./segment-table.ts";
import { getSettings, setSettings, SETTINGS_BYTES } from "./settings.ts";

/** Before the body of each record: what it is, and how long with this header. */
const HeaderField = { kind: [0, 1], flags: [1, 1], lengthBytes: [2, 2] } as const;
const HEADER_BYTES = 4;
checkLayout("record header", HeaderField, HEADER_BYTES);

const RecordKind = {
  map: 1,
  partial: 2,
  unmap: 3,
  create: 4,
  snapshot: 5,
  rollback: 6,
  resize: 7,
  delete: 8,
  attributes: 9,
  "add-device": 10,
  "grow-device": 11,
  virgin: 12,
  settings: 13,
  barrier: 14,
} as const satisfies Record<JournalRecord["kind"], number>;

/** The only flag there is, of map records. */
const SAFE_FLAG = 1;

// Offsets are from the start of the record; what a name or table entry takes is added to the fixed part.
const MapField = {
  header: [0, 4],
  volume: [4, 4],
  lext: [8, 8],
  phys: [16, 4],
  run: [20, 4],
} as const;
const MAP_BYTES = fixed("map", MapField, 24);
const PartialField = {
  header: [0, 4],
  volume: [4, 4],
  lext: [8, 8],
  phys: [16, 4],
  mask: [20, 4],
  base: [24, 4],
} as const;
const PARTIAL_BYTES = fixed("partial", PartialField, 28);
const UnmapField = { header: [0, 4], volume: [4, 4], lext: [8, 8], run: [16, 8] } as const;
const UNMAP_BYTES = fixed("unmap", UnmapField, 24);
const ATTRIBUTES_AT = HEADER_BYTES;
const SnapshotField = { header: [0, 4], source: [4, 4] } as const;
const SNAPSHOT_ATTRIBUTES_AT = fixed("snapshot", SnapshotField, 8);
const RollbackField = { header: [0, 4], volume: [4, 4], source: [8, 4] } as const;
const ROLLBACK_BYTES = fixed("rollback", RollbackField, 12);
const ResizeField = { header: [0, 4], volume: [4, 4], sizeBytes: [8, 8] } as const;
const RESIZE_BYTES = fixed("resize", ResizeField, 16);
const DeleteField = { header: [0, 4], volume: [4, 4] } as const;
const DELETE_BYTES = fixed("delete", DeleteField, 8);
const AddDeviceField = {
  header: [0, 4],
  device: [4, DEVICE_ENTRY_BYTES],
  segment: [28, SEGMENT_ENTRY_BYTES],
} as const;
const ADD_DEVICE_BYTES = fixed("add-device", AddDeviceField, 60);
const GrowDeviceField = {
  header: [0, 4],
  device: [4, 4],
  sizeBytes: [8, 8],
  segment: [16, SEGMENT_ENTRY_BYTES],
} as const;
const GROW_DEVICE_BYTES = fixed("grow-device", GrowDeviceField, 48);
const VirginField = { header: [0, 4], segment: [4, 4], from: [8, 8] } as const;
const VIRGIN_BYTES = fixed("virgin", VirginField, 16);
const SETTINGS_AT = HEADER_BYTES;
const BarrierField = { header: [0, 4], upto: [4, 8] } as const;
const BARRIER_BYTES = fixed("barrier", BarrierField, 12);

function fixed(name: string, fields: Readonly<Record<string, Field>>, lengthBytes: number): number {
  checkLayout(`${name} record`, fields, lengthBytes);
  return lengthBytes;
}

/** Bytes that the record takes in a block. */
export function recordBytes(record: JournalRecord): number {
  switch (record.kind) {
    case "map":
      return MAP_BYTES;
    case "partial":
      return PARTIAL_BYTES;
    case "unmap":
      return UNMAP_BYTES;
    case "create":
    case "attributes":
      return ATTRIBUTES_AT + ATTRIBUTES_BYTES + nameBytes(record.attributes.name);
    case "snapshot":
      return SNAPSHOT_ATTRIBUTES_AT + ATTRIBUTES_BYTES + nameBytes(record.attributes.name);
    case "rollback":
      return ROLLBACK_BYTES;
    case "resize":
      return RESIZE_BYTES;
    case "delete":
      return DELETE_BYTES;
    case "add-device":
      return ADD_DEVICE_BYTES;
    case "grow-device":
      return GROW_DEVICE_BYTES;
    case "virgin":
      return VIRGIN_BYTES;
    case "settings":
      return SETTINGS_AT + SETTINGS_BYTES + nameBytes(record.settings.name);
    case "barrier":
      return BARRIER_BYTES;
    default:
      return unreachable(record);
  }
}

/** Writes the record; returns its end. It must fit. */
export function encodeRecord(record: JournalRecord, bytes: Uint8Array, offset: number): number {
  const lengthBytes = recordBytes(record);
  const end = offset + lengthBytes;
  assert(end <= bytes.length, "a record fits into its block");
  bytes[offset] = RecordKind[record.kind];
  bytes[offset + HeaderField.flags[0]] = record.kind === "map" && record.safe ? SAFE_FLAG : 0;
  setUint16LE(bytes, offset + HeaderField.lengthBytes[0], lengthBytes);
  encodeBody(record, bytes, offset);
  return end;
}

function encodeBody(record: JournalRecord, bytes: Uint8Array, at: number): void {
  switch (record.kind) {
    case "map":
      setUint32LE(bytes, at + MapField.volume[0], record.volume);
      setUint64LE(bytes, at + MapField.lext[0], record.lext);
      setUint32LE(bytes, at + MapField.phys[0], record.phys);
      setUint32LE(bytes, at + MapField.run[0], record.run);
      return;
    case "partial":
      setUint32LE(bytes, at + PartialField.volume[0], record.volume);
      setUint64LE(bytes, at + PartialField.lext[0], record.lext);
      setUint32LE(bytes, at + PartialField.phys[0], record.phys);
      setUint32LE(bytes, at + PartialField.mask[0], record.mask);
      setUint32LE(bytes, at + PartialField.base[0], record.base + 1);
      return;
    case "unmap":
      setUint32LE(bytes, at + UnmapField.volume[0], record.volume);
      setUint64LE(bytes, at + UnmapField.lext[0], record.lext);
      setUint64LE(bytes, at + UnmapField.run[0], record.run);
      return;
    case "create":
    case "attributes":
      encodeAttributes(record.attributes, bytes, at + ATTRIBUTES_AT);
      return;
    case "snapshot":
      setUint32LE(bytes, at + SnapshotField.source[0], record.source);
      encodeAttributes(record.attributes, bytes, at + SNAPSHOT_ATTRIBUTES_AT);
      return;
    case "rollback":
      setUint32LE(bytes, at + RollbackField.volume[0], record.volume);
      setUint32LE(bytes, at + RollbackField.source[0], record.source);
      return;
    case "resize":
      setUint32LE(bytes, at + ResizeField.volume[0], record.volume);
      setUint64LE(bytes, at + ResizeField.sizeBytes[0], record.sizeBytes);
      return;
    case "delete":
      setUint32LE(bytes, at + DeleteField.volume[0], record.volume);
      return;
    case "add-device":
    case "grow-device":
    case "virgin":
    case "settings":
    case "barrier":
      encodePoolBody(record, bytes, at);
      return;
    default:
      unreachable(record);
  }
}

type PoolRecord = Extract<
  JournalRecord,
  { kind: "add-device" | "grow-device" | "virgin" | "settings" | "barrier" }
>;

function encodePoolBody(record: PoolRecord, bytes: Uint8Array, at: number): void {
  switch (record.kind) {
    case "add-device":
      setDevice(bytes, at + AddDeviceField.device[0], record.device);
      setSegment(bytes, at + AddDeviceField.segment[0], record.segment);
      return;
    case "grow-device":
      setUint32LE(bytes, at + GrowDeviceField.device[0], record.device);
      setUint64LE(bytes, at + GrowDeviceField.sizeBytes[0], record.sizeBytes);
      setSegment(bytes, at + GrowDeviceField.segment[0], record.segment);
      return;
    case "virgin":
      setUint32LE(bytes, at + VirginField.segment[0], record.segment);
      setUint64LE(bytes, at + VirginField.from[0], record.from);
      return;
    case "settings":
      setSettings(bytes, at + SETTINGS_AT, record.settings);
      setName(bytes, at + SETTINGS_AT + SETTINGS_BYTES, record.settings.name);
      return;
    case "barrier":
      setUint64LE(bytes, at + BarrierField.upto[0], record.upto);
      return;
    default:
      unreachable(record);
  }
}

function encodeAttributes(attributes: VolumeAttributes, bytes: Uint8Array, at: number): void {
  setAttributes(bytes, at, attributes);
  setName(bytes, at + ATTRIBUTES_BYTES, attributes.name);
}

/** The record at `offset` and where the next one begins; the records of the block end at `end`. */
export function decodeRecord(
  bytes: Uint8Array,
  offset: number,
  end: number,
): { record: JournalRecord; next: number } | FormatFault {
  assert(end <= bytes.length, "records end in their block");
  if (offset + HEADER_BYTES > end) return new FormatFault("damaged", "a record is cut off");
  const kind = bytes[offset] ?? 0;
  const flags = bytes[offset + HeaderField.flags[0]] ?? 0;
  const lengthBytes = getUint16LE(bytes, offset + HeaderField.lengthBytes[0]);
  const next = offset + lengthBytes;
  if (lengthBytes < HEADER_BYTES || next > end) {
    return new FormatFault("damaged", "a record is longer than its block, or than nothing");
  }
  if (kind < RecordKind.map || kind > RecordKind.barrier) {
    return new FormatFault("unsupported", `a record of the unknown kind ${kind}`);
  }
  if ((flags & ~(kind === RecordKind.map ? SAFE_FLAG : 0)) !== 0) {
    return new FormatFault("unsupported", `a record of kind ${kind} with unknown flags ${flags}`);
  }
  // Fields of a record that claims to be too short lie in its neighbours: they are read, and refused for the length.
  if (lengthBytes < (LEAST_BYTES[kind] ?? 0)) {
    return new FormatFault("damaged", `a record of kind ${kind} is too short`);
  }
  const record =
    kind >= RecordKind["add-device"]
      ? decodePoolBody(bytes, offset, next)
      : decodeVolumeBody(bytes, offset, next);
  if (record === null || recordBytes(record) !== lengthBytes) {
    return new FormatFault("damaged", `a record of kind ${kind} with impossible values`);
  }
  return { record, next };
}

/** By kind; a record with a name has at least one byte of it. */
const LEAST_BYTES: readonly number[] = [
  0,
  MAP_BYTES,
  PARTIAL_BYTES,
  UNMAP_BYTES,
  ATTRIBUTES_AT + ATTRIBUTES_BYTES + 2,
  SNAPSHOT_ATTRIBUTES_AT + ATTRIBUTES_BYTES + 2,
  ROLLBACK_BYTES,
  RESIZE_BYTES,
  DELETE_BYTES,
  ATTRIBUTES_AT + ATTRIBUTES_BYTES + 2,
  ADD_DEVICE_BYTES,
  GROW_DEVICE_BYTES,
  VIRGIN_BYTES,
  SETTINGS_AT + SETTINGS_BYTES + 2,
  BARRIER_BYTES,
];
assert(LEAST_BYTES.length === RecordKind.barrier + 1, "each kind of record has a least length");

function decodeVolumeBody(bytes: Uint8Array, at: number, end: number): JournalRecord | null {
  const kind = bytes[at] ?? 0;
  const volume = getUint32LE(bytes, at + MapField.volume[0]);
  if (kind !== RecordKind.create && volume === 0) return null;
  switch (kind) {
    case RecordKind.map:
    case RecordKind.partial:
    case RecordKind.unmap:
      return decodeMapBody(bytes, at, volume);
    case RecordKind.create:
    case RecordKind.attributes: {
      const attributes = decodeAttributes(bytes, at + ATTRIBUTES_AT, end);
      if (attributes === null) return null;
      return { kind: kind === RecordKind.create ? "create" : "attributes", attributes };
    }
    case RecordKind.snapshot: {
      const attributes = decodeAttributes(bytes, at + SNAPSHOT_ATTRIBUTES_AT, end);
      return attributes === null ? null : { kind: "snapshot", source: volume, attributes };
    }
    case RecordKind.rollback: {
      const source = getUint32LE(bytes, at + RollbackField.source[0]);
      return source === 0 ? null : { kind: "rollback", volume, source };
    }
    case RecordKind.resize: {
      const sizeBytes = getUint64LE(bytes, at + ResizeField.sizeBytes[0]);
      return isVolumeSize(sizeBytes) ? { kind: "resize", volume, sizeBytes } : null;
    }
    default:
      return { kind: "delete", volume };
  }
}

const LEXT_MAX: number = VOLUME_BYTES_MAX / EXTENT_BYTES_MIN;

function decodeMapBody(bytes: Uint8Array, at: number, volume: number): JournalRecord | null {
  const lext = getUint64LE(bytes, at + MapField.lext[0]);
  if (lext >= LEXT_MAX) return null;
  if (bytes[at] === RecordKind.unmap) {
    const run = getUint64LE(bytes, at + UnmapField.run[0]);
    return run >= 1 && lext + run <= LEXT_MAX ? { kind: "unmap", volume, lext, run } : null;
  }
  const phys = getUint32LE(bytes, at + MapField.phys[0]);
  if (bytes[at] === RecordKind.map) {
    const run = getUint32LE(bytes, at + MapField.run[0]);
    const safe = bytes[at + HeaderField.flags[0]] === SAFE_FLAG;
    const isInLeaf = run >= 1 && (lext % LEAF_ENTRIES) + run <= LEAF_ENTRIES;
    if (!isInLeaf || phys + run > EXTENTS_MAX) return null;
    return { kind: "map", volume, lext, phys, run, safe };
  }
  const mask = getUint32LE(bytes, at + PartialField.mask[0]);
  const base = getUint32LE(bytes, at + PartialField.base[0]) - 1;
  if (mask === 0 || phys >= EXTENTS_MAX || base >= EXTENTS_MAX) return null;
  return { kind: "partial", volume, lext, phys, mask, base: base < 0 ? NO_EXTENT : base };
}

function decodePoolBody(bytes: Uint8Array, at: number, end: number): JournalRecord | null {
  switch (bytes[at] ?? 0) {
    case RecordKind["add-device"]: {
      const device = getDevice(bytes, at + AddDeviceField.device[0]);
      const segment = getSegment(bytes, at + AddDeviceField.segment[0]);
      if (device === null || segment === null) return null;
      return { kind: "add-device", device, segment };
    }
    case RecordKind["grow-device"]: {
      const device = getUint32LE(bytes, at + GrowDeviceField.device[0]);
      const sizeBytes = getUint64LE(bytes, at + GrowDeviceField.sizeBytes[0]);
      const segment = getSegment(bytes, at + GrowDeviceField.segment[0]);
      if (segment === null || device >= DEVICES_MAX || segment.device !== device) return null;
      return Number.isSafeInteger(sizeBytes)
        ? { kind: "grow-device", device, sizeBytes, segment }
        : null;
    }
    case RecordKind.virgin: {
      const segment = getUint32LE(bytes, at + VirginField.segment[0]);
      const from = getUint64LE(bytes, at + VirginField.from[0]);
      if (segment >= SEGMENTS_MAX || from > EXTENTS_MAX) return null;
      return { kind: "virgin", segment, from };
    }
    case RecordKind.settings: {
      const name = getName(bytes, at + SETTINGS_AT + SETTINGS_BYTES, end);
      const settings = name === null ? null : getSettings(bytes, at + SETTINGS_AT, name);
      return settings === null ? null : { kind: "settings", settings };
    }
    default: {
      const upto = getUint64LE(bytes, at + BarrierField.upto[0]);
      return Number.isSafeInteger(upto) ? { kind: "barrier", upto } : null;
    }
  }
}

function decodeAttributes(bytes: Uint8Array, at: number, end: number): VolumeAttributes | null {
  const name = getName(bytes, at + ATTRIBUTES_BYTES, end);
  return name === null ? null : getAttributes(bytes, at, name);
}
