import { assert, unreachable } from "../../util/assert.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import type { JournalRecord, VolumeAttributes } from "../format/records.ts";
import { haveRoom } from "../format/segment-table.ts";
import { VOLUME_BYTES_MAX } from "../limits.ts";
import { PoolError } from "../pool-error.ts";
import { clearRange, dropAll, leavesToClear, mapRun, setPartial } from "./apply-entries.ts";
import { NO_LEAF } from "./leaf-store.ts";
import type { PoolState } from "./pool-state.ts";
import type { VolumeState } from "./volume-state.ts";
import { extentsFor } from "./volume-state.ts";

type RecordOf<Kind extends JournalRecord["kind"]> = Extract<JournalRecord, { kind: Kind }>;

/**
 * Carries out a record, live and at replay alike: synchronous, and all or nothing. The leaves that it changes have to be in memory,
 * see {@link leavesNeeded}. Throws {@link PoolError} "corrupt" in a replay where the record cannot be; live that is a defect.
 */
export function applyRecord(state: PoolState, record: JournalRecord, seq: number): void {
  switch (record.kind) {
    case "map":
      mapRun(state, checkMap(state, record), record, seq);
      break;
    case "partial":
      setPartial(state, checkPartial(state, record), record, seq);
      break;
    case "unmap":
      clearRange(state, checkRange(state, record.volume, record.lext, record.run), record, seq);
      break;
    case "create":
      checkNew(state, record.attributes);
      addVolume(state, record.attributes);
      break;
    case "snapshot":
      snapshot(state, record);
      break;
    case "rollback":
      rollback(state, record, seq);
      break;
    case "resize":
      resize(state, record, seq);
      break;
    case "delete":
      remove(state, record.volume, seq);
      break;
    case "attributes":
      setAttributes(state, record.attributes);
      break;
    case "add-device":
    case "grow-device":
    case "virgin":
    case "settings":
      applyToPool(state, record, seq);
      break;
    case "barrier":
      break;
    default:
      unreachable(record);
  }
}

/**
 * The leaves that have to be in memory when the record is carried out. Pin all of them, load those that are not resident, apply in the
 * turn in which the last one has come, and unpin: otherwise one load may push another's leaf out again.
 */
export function leavesNeeded(state: PoolState, record: JournalRecord): number[] {
  return leavesTouched(state, record).filter((leaf) => leaf !== NO_LEAF);
}

function leavesTouched(state: PoolState, record: JournalRecord): number[] {
  const { kind } = record;
  if (kind !== "map" && kind !== "partial" && kind !== "unmap" && kind !== "resize") return [];
  const volume = state.volumes.get(record.volume);
  // A record that cannot be is refused when it is carried out.
  if (volume === undefined) return [];
  const { map } = volume;
  if (kind === "resize") {
    const extents = extentsFor(state.geometry, record.sizeBytes);
    if (extents >= map.extentCount) return [];
    return leavesToClear(map, extents, map.extentCount - extents);
  }
  if (record.lext >= map.extentCount) return [];
  if (kind === "unmap") {
    return leavesToClear(map, record.lext, Math.min(record.run, map.extentCount - record.lext));
  }
  return [map.leafAt(record.lext)];
}

type PoolRecord = RecordOf<"add-device" | "grow-device" | "virgin" | "settings">;

function applyToPool(state: PoolState, record: PoolRecord, seq: number): void {
  switch (record.kind) {
    case "add-device": {
      const isNext = record.segment.device === state.devices.length;
      check(state, isNext, "a device is added out of its turn");
      addSegment(state, record.segment, [...state.devices, record.device], seq);
      break;
    }
    case "grow-device": {
      const before = state.devices[record.device];
      const isThere = before !== undefined && record.segment.device === record.device;
      check(state, isThere, "a device grows that is not there");
      const grown = { ...before!, sizeBytes: record.sizeBytes };
      addSegment(state, record.segment, state.devices.with(record.device, grown), seq);
      break;
    }
    case "virgin":
      moveVirginMark(state, record, seq);
      break;
    case "settings":
      state.settings = record.settings;
      break;
    default:
      unreachable(record);
  }
}

function addSegment(
  state: PoolState,
  segment: RecordOf<"add-device">["segment"],
  devices: PoolState["devices"],
  seq: number,
): void {
  const { extentBytes } = state.geometry;
  const segments = [...state.addresses.segments, segment];
  check(state, haveRoom(segments, devices, extentBytes), "a segment lies where it cannot be");
  state.addresses.addSegment(segment);
  state.devices = devices;
  state.space.segmentAdded(state.addresses.segments.length - 1, seq);
}

function moveVirginMark(
  state: PoolState,
  { segment, from }: RecordOf<"virgin">,
  seq: number,
): void {
  const before = state.addresses.segments[segment];
  const isForward = before !== undefined && from >= before.virginFrom && from <= before.extents;
  check(state, isForward, "a virgin mark moves to where it cannot be");
  state.addresses.setVirginFrom(segment, from);
  if (!state.space.isDeriving) state.space.virginAppended(segment, from, seq);
}

function addVolume(state: PoolState, attributes: VolumeAttributes): VolumeState {
  state.nextVolumeId = Math.max(state.nextVolumeId, attributes.id + 1);
  return state.addVolume(attributes);
}

function snapshot(state: PoolState, record: RecordOf<"snapshot">): void {
  checkNew(state, record.attributes);
  const source = checkVolume(state, record.source);
  const isAsLong =
    extentsFor(state.geometry, record.attributes.sizeBytes) === source.map.extentCount;
  check(state, isAsLong, "a copy is not as long as its source");
  const copy = addVolume(state, record.attributes);
  becomeCopy(copy, source);
}

function rollback(state: PoolState, record: RecordOf<"rollback">, seq: number): void {
  const volume = checkVolume(state, record.volume);
  const source = checkVolume(state, record.source);
  check(state, volume !== source, "a volume is rolled back to itself");
  const before = volume.map.leafIds;
  becomeCopy(volume, source);
  volume.attributes = { ...volume.attributes, sizeBytes: source.attributes.sizeBytes };
  dropAll(state, before, seq);
}

/** Neither has extents of its own from then on: a write to either takes a new one. */
function becomeCopy(copy: VolumeState, source: VolumeState): void {
  copy.map.copyFrom(source.map);
  copy.mappedExtents = source.mappedExtents;
  copy.ownedExtents = 0;
  source.ownedExtents = 0;
}

function resize(
  state: PoolState,
  { volume: id, sizeBytes }: RecordOf<"resize">,
  seq: number,
): void {
  const volume = checkVolume(state, id);
  check(state, isVolumeSize(sizeBytes), "a volume gets a size that it cannot have");
  const extents = extentsFor(state.geometry, sizeBytes);
  const { extentCount } = volume.map;
  if (extents < extentCount) {
    const range = { lext: extents, run: extentCount - extents };
    clearRange(state, volume, range, seq);
  }
  volume.map.resize(extents);
  volume.attributes = { ...volume.attributes, sizeBytes };
}

function remove(state: PoolState, id: number, seq: number): void {
  const volume = checkVolume(state, id);
  const before = volume.map.leafIds.slice();
  volume.map.clear();
  volume.forgetReservation();
  volume.mappedExtents = 0;
  volume.ownedExtents = 0;
  state.volumes.delete(id);
  dropAll(state, before, seq);
}

function setAttributes(state: PoolState, attributes: VolumeAttributes): void {
  const volume = checkVolume(state, attributes.id);
  const namesake = state.volumeByName(attributes.name);
  check(state, namesake === undefined || namesake === volume, "two volumes have one name");
  const { uuid, sizeBytes, originId } = volume.attributes;
  volume.attributes = { ...attributes, uuid, sizeBytes, originId };
}

/** In a replay the journal is at fault, live this program. */
function check(state: PoolState, condition: boolean, message: string): void {
  if (condition) return;
  if (state.space.isDeriving)
    throw new PoolError("corrupt", `the journal cannot be right: ${message}`);
  assert(false, message);
}

function checkVolume(state: PoolState, id: number): VolumeState {
  const volume = state.volumes.get(id);
  check(state, volume !== undefined, "a record names a volume that is not there");
  return volume!;
}

function isVolumeSize(sizeBytes: number): boolean {
  return Number.isSafeInteger(sizeBytes) && sizeBytes >= 0 && sizeBytes <= VOLUME_BYTES_MAX;
}

function checkNew(state: PoolState, { id, uuid, name, sizeBytes }: VolumeAttributes): void {
  check(state, id >= state.nextVolumeId, "an id is given twice");
  check(state, state.volumeByName(name) === undefined, "a name is given twice");
  check(state, state.volumeByUuid(uuid) === undefined, "a UUID is given twice");
  check(state, isVolumeSize(sizeBytes), "a volume has a size that it cannot have");
}

function checkRange(state: PoolState, id: number, lext: number, run: number): VolumeState {
  const volume = checkVolume(state, id);
  const isInside = run >= 1 && lext >= 0 && lext + run <= volume.map.extentCount;
  check(state, isInside, "a record lies outside its volume");
  return volume;
}

function checkTarget(state: PoolState, phys: number, run: number): void {
  const isMappable = state.addresses.isMappable(phys, run);
  check(state, isMappable, "a record maps extents that the pool does not have");
  // A later record may have freed the extent, and the checkpoint that was being written taken it: what is mapped in the end is looked at
  // when all is counted.
  if (state.space.isDeriving) return;
  for (let index = 0; index < run; index += 1) {
    const isData = state.space.stateOf(phys + index) !== "metadata";
    assert(isData, "a record maps no extent of metadata");
  }
}

function checkMap(state: PoolState, record: RecordOf<"map">): VolumeState {
  const { lext, run } = record;
  const volume = checkRange(state, record.volume, lext, run);
  check(state, (lext % LEAF_ENTRIES) + run <= LEAF_ENTRIES, "a map record crosses a leaf");
  checkTarget(state, record.phys, run);
  return volume;
}

function checkPartial(state: PoolState, record: RecordOf<"partial">): VolumeState {
  const { phys, mask, base } = record;
  const volume = checkRange(state, record.volume, record.lext, 1);
  checkTarget(state, phys, 1);
  if (base >= 0) checkTarget(state, base, 1);
  check(state, base !== phys && base >= -1, "a PARTIAL entry has a base that it cannot have");
  const isSome = mask > 0 && mask < state.geometry.fullMask;
  check(state, isSome, "a PARTIAL entry has a mask that it cannot have");
  return volume;
}
