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
const VolumeField = { header: [0, 4], volume: [4, 4] } as const;
const ExtentField = { ...VolumeField, lext: [8, 8] } as const;
const MapField = { ...ExtentField, phys: [16, 4], run: [20, 4] } as const;
const PartialField = { ...ExtentField, phys: [16, 4], mask: [20, 4], base: [24, 4] } as const;
const UnmapField = { ...ExtentField, run: [16, 8] } as const;
const NewVolumeField = { header: [0, 4], attributes: [4, ATTRIBUTES_BYTES] } as const;
const SnapshotField = {
  header: [0, 4],
  source: [4, 4],
  attributes: [8, ATTRIBUTES_BYTES],
} as const;
const RollbackField = { ...VolumeField, source: [8, 4] } as const;
const ResizeField = { ...VolumeField, sizeBytes: [8, 8] } as const;
const AddDeviceField = {
  header: [0, 4],
  device: [4, DEVICE_ENTRY_BYTES],
  segment: [28, SEGMENT_ENTRY_BYTES],
} as const;
const GrowDeviceField = {
  header: [0, 4],
  device: [4, 4],
  sizeBytes: [8, 8],
  segment: [16, SEGMENT_ENTRY_BYTES],
} as const;
const VirginField = { header: [0, 4], segment: [4, 4], from: [8, 8] } as const;
const SettingsField = { header: [0, 4], settings: [4, SETTINGS_BYTES] } as const;
const BarrierField = { header: [0, 4], upto: [4, 8] } as const;

/** What a record takes without the name that ends some of them. */
const FIXED_BYTES = {
  map: fixed("map", MapField, 24),
  partial: fixed("partial", PartialField, 28),
  unmap: fixed("unmap", UnmapField, 24),
  create: fixed("create", NewVolumeField, 68),
  snapshot: fixed("snapshot", SnapshotField, 72),
  rollback: fixed("rollback", RollbackField, 12),
  resize: fixed("resize", ResizeField, 16),
  delete: fixed("delete", VolumeField, 8),
  attributes: fixed("attributes", NewVolumeField, 68),
  "add-device": fixed("add-device", AddDeviceField, 60),
  "grow-device": fixed("grow-device", GrowDeviceField, 48),
  virgin: fixed("virgin", VirginField, 16),
  settings: fixed("settings", SettingsField, HEADER_BYTES + SETTINGS_BYTES),
  barrier: fixed("barrier", BarrierField, 12),
} as const satisfies Record<JournalRecord["kind"], number>;

function fixed(name: string, fields: Readonly<Record<string, Field>>, lengthBytes: number): number {
  checkLayout(`${name} record`, fields, lengthBytes);
  return lengthBytes;
}

/** {@link FIXED_BYTES} by the number of the kind. */
const LEAST_BYTES: number[] = [];
for (const kind of Object.keys(RecordKind) as JournalRecord["kind"][]) {
  LEAST_BYTES[RecordKind[kind]] = FIXED_BYTES[kind];
}

/** Bytes that the record takes in a block. */
export function recordBytes(record: JournalRecord): number {
  // The kinds of the write path first: a look into a table costs more than the comparisons.
  if (record.kind === "map") return FIXED_BYTES.map;
  if (record.kind === "partial") return FIXED_BYTES.partial;
  const fixedBytes = FIXED_BYTES[record.kind];
  if ("attributes" in record) return fixedBytes + nameBytes(record.attributes.name);
  return record.kind === "settings" ? fixedBytes + nameBytes(record.settings.name) : fixedBytes;
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
    case "partial":
    case "unmap":
      encodeMapBody(record, bytes, at);
      return;
    case "create":
    case "attributes":
      encodeAttributes(record.attributes, bytes, at + NewVolumeField.attributes[0]);
      return;
    case "snapshot":
      setUint32LE(bytes, at + SnapshotField.source[0], record.source);
      encodeAttributes(record.attributes, bytes, at + SnapshotField.attributes[0]);
      return;
    case "rollback":
      setUint32LE(bytes, at + VolumeField.volume[0], record.volume);
      setUint32LE(bytes, at + RollbackField.source[0], record.source);
      return;
    case "resize":
      setUint32LE(bytes, at + VolumeField.volume[0], record.volume);
      setUint64LE(bytes, at + ResizeField.sizeBytes[0], record.sizeBytes);
      return;
    case "delete":
      setUint32LE(bytes, at + VolumeField.volume[0], record.volume);
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

type MapRecord = Extract<JournalRecord, { kind: "map" | "partial" | "unmap" }>;

function encodeMapBody(record: MapRecord, bytes: Uint8Array, at: number): void {
  setUint32LE(bytes, at + ExtentField.volume[0], record.volume);
  setUint64LE(bytes, at + ExtentField.lext[0], record.lext);
  if (record.kind === "unmap") {
    setUint64LE(bytes, at + UnmapField.run[0], record.run);
    return;
  }
  setUint32LE(bytes, at + MapField.phys[0], record.phys);
  if (record.kind === "map") {
    setUint32LE(bytes, at + MapField.run[0], record.run);
    return;
  }
  setUint32LE(bytes, at + PartialField.mask[0], record.mask);
  setUint32LE(bytes, at + PartialField.base[0], record.base + 1);
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
      setSettings(bytes, at + SettingsField.settings[0], record.settings);
      setName(bytes, at + FIXED_BYTES.settings, record.settings.name);
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

function decodeVolumeBody(bytes: Uint8Array, at: number, end: number): JournalRecord | null {
  const kind = bytes[at] ?? 0;
  const volume = getUint32LE(bytes, at + VolumeField.volume[0]);
  if (kind !== RecordKind.create && volume === 0) return null;
  switch (kind) {
    case RecordKind.map:
    case RecordKind.partial:
    case RecordKind.unmap:
      return decodeMapBody(bytes, at, volume);
    case RecordKind.create:
    case RecordKind.attributes: {
      const attributes = decodeAttributes(bytes, at + NewVolumeField.attributes[0], end);
      if (attributes === null) return null;
      return { kind: kind === RecordKind.create ? "create" : "attributes", attributes };
    }
    case RecordKind.snapshot: {
      const attributes = decodeAttributes(bytes, at + SnapshotField.attributes[0], end);
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
  const lext = getUint64LE(bytes, at + ExtentField.lext[0]);
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
      const name = getName(bytes, at + FIXED_BYTES.settings, end);
      const settings =
        name === null ? null : getSettings(bytes, at + SettingsField.settings[0], name);
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
