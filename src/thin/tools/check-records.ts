import { Geometry } from "../format/geometry.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import type { JournalRecord, PoolDevice, Segment, VolumeAttributes } from "../format/records.ts";
import { haveRoom } from "../format/segment-table.ts";
import { VOLUME_BYTES_MAX } from "../limits.ts";
import type { PoolTree } from "./pool-tree.ts";

/**
 * Judges the records behind a checkpoint one after the other: what cannot be (FORMAT.md, "Records") no opening would carry out. Written
 * apart from the engine's own replay, and looks at no maps.
 */
export class RecordJudge {
  readonly #geometry: Geometry;
  readonly #volumes = new Map<number, VolumeAttributes>();
  readonly #idByName = new Map<string, number>();
  readonly #uuids = new Set<string>();
  #nextVolumeId: number;
  #segments: Segment[];
  #devices: PoolDevice[];

  constructor({ superblock, root, volumes }: Pick<PoolTree, "superblock" | "root" | "volumes">) {
    this.#geometry = new Geometry(superblock.extentBytes);
    this.#nextVolumeId = root.nextVolumeId;
    this.#segments = [...root.segments];
    this.#devices = [...root.devices];
    for (const { attributes } of volumes) this.#add(attributes);
  }

  /** In words why the record cannot be; null: it can, and is carried out as far as what follows is judged by it. */
  judge(record: JournalRecord): string | null {
    switch (record.kind) {
      case "map":
      case "partial":
      case "unmap":
        return this.#judgeMap(record);
      case "create":
      case "snapshot":
        return this.#judgeNew(record);
      case "rollback":
      case "resize":
      case "delete":
        return this.#judgeChange(record);
      case "attributes":
        return this.#rename(record.attributes);
      case "add-device":
      case "grow-device":
        return this.#grow(record);
      case "virgin":
        return this.#moveMark(record.segment, record.from);
      case "settings":
      case "barrier":
        return null;
      default:
        return record satisfies never;
    }
  }

  #add(attributes: VolumeAttributes): void {
    const { id, name, uuid } = attributes;
    this.#volumes.set(id, attributes);
    this.#idByName.set(name, id);
    this.#uuids.add(uuid);
    this.#nextVolumeId = Math.max(this.#nextVolumeId, id + 1);
  }

  #remove({ id, name, uuid }: VolumeAttributes): void {
    this.#volumes.delete(id);
    this.#idByName.delete(name);
    this.#uuids.delete(uuid);
  }

  #judgeMap(record: Extract<JournalRecord, { kind: "map" | "partial" | "unmap" }>): string | null {
    const volume = this.#volumes.get(record.volume);
    if (volume === undefined) return noVolume(record.volume);
    const run = record.kind === "partial" ? 1 : record.run;
    if (run < 1 || record.lext + run > this.#extentsOf(volume)) {
      return `entries past the end of volume "${volume.name}"`;
    }
    if (record.kind === "unmap") return null;
    if ((record.lext % LEAF_ENTRIES) + run > LEAF_ENTRIES) return "a run that crosses a leaf";
    const complaint = this.#judgeTarget(record.phys, run);
    if (complaint !== null || record.kind === "map") return complaint;
    if (record.mask <= 0 || record.mask >= this.#geometry.fullMask) return `mask ${record.mask}`;
    if (record.base === record.phys) return `extent ${record.phys} is its own base`;
    return record.base < 0 ? null : this.#judgeTarget(record.base, 1);
  }

  #judgeTarget(phys: number, run: number): string | null {
    let first = 0;
    for (const { extents, virginFrom } of this.#segments) {
      if (phys >= first && phys < first + extents) {
        const isMappable = phys + run <= first + virginFrom;
        return isMappable ? null : `extent ${phys + run - 1} was never handed out`;
      }
      first += extents;
    }
    return `there is no extent ${phys} of ${first}`;
  }

  #judgeNew(record: Extract<JournalRecord, { kind: "create" | "snapshot" }>): string | null {
    const { id, name, uuid, sizeBytes } = record.attributes;
    if (id < this.#nextVolumeId) return `the id ${id} is given twice`;
    if (this.#idByName.has(name)) return `there is a volume "${name}"`;
    if (this.#uuids.has(uuid)) return `there is a volume ${uuid}`;
    if (!isSize(sizeBytes)) return `volume "${name}" has ${sizeBytes} bytes`;
    if (record.kind === "snapshot") {
      const source = this.#volumes.get(record.source);
      if (source === undefined) return noVolume(record.source);
      if (this.#extentsOf(source) !== this.#extentsOf(record.attributes)) {
        return `copy "${name}" is not as long as its source`;
      }
    }
    this.#add(record.attributes);
    return null;
  }

  #judgeChange(
    record: Extract<JournalRecord, { kind: "rollback" | "resize" | "delete" }>,
  ): string | null {
    const volume = this.#volumes.get(record.volume);
    if (volume === undefined) return noVolume(record.volume);
    if (record.kind === "delete") {
      this.#remove(volume);
      return null;
    }
    let sizeBytes: number;
    if (record.kind === "rollback") {
      const source = this.#volumes.get(record.source);
      if (source === undefined) return noVolume(record.source);
      if (source === volume) return `volume "${volume.name}" is rolled back to itself`;
      ({ sizeBytes } = source);
    } else {
      ({ sizeBytes } = record);
      if (!isSize(sizeBytes)) return `volume "${volume.name}" gets ${sizeBytes} bytes`;
    }
    this.#volumes.set(volume.id, { ...volume, sizeBytes });
    return null;
  }

  #rename(attributes: VolumeAttributes): string | null {
    const { id, name } = attributes;
    const volume = this.#volumes.get(id);
    if (volume === undefined) return noVolume(id);
    if ((this.#idByName.get(name) ?? id) !== id) return `there is another volume "${name}"`;
    this.#remove(volume);
    const { uuid, sizeBytes, originId } = volume;
    this.#add({ ...attributes, uuid, sizeBytes, originId });
    return null;
  }

  #grow(record: Extract<JournalRecord, { kind: "add-device" | "grow-device" }>): string | null {
    const { segment } = record;
    const before = this.#devices[segment.device];
    let devices: PoolDevice[];
    if (record.kind === "add-device") {
      if (segment.device !== this.#devices.length) return "a device is added out of its turn";
      devices = [...this.#devices, record.device];
    } else {
      if (before === undefined || record.device !== segment.device) {
        return "a device grows that is not there";
      }
      devices = this.#devices.with(segment.device, { ...before, sizeBytes: record.sizeBytes });
    }
    const segments = [...this.#segments, segment];
    if (!haveRoom(segments, devices, this.#geometry.extentBytes))
      return "a segment lies where it cannot be";
    this.#devices = devices;
    this.#segments = segments;
    return null;
  }

  #moveMark(index: number, from: number): string | null {
    const segment = this.#segments[index];
    if (segment === undefined || from < segment.virginFrom || from > segment.extents) {
      return `the mark of segment ${index} moves to ${from}`;
    }
    this.#segments = this.#segments.with(index, { ...segment, virginFrom: from });
    return null;
  }

  #extentsOf({ sizeBytes }: VolumeAttributes): number {
    return Math.ceil(sizeBytes / this.#geometry.extentBytes);
  }
}

function noVolume(id: number): string {
  return `there is no volume ${id}`;
}

function isSize(sizeBytes: number): boolean {
  return Number.isSafeInteger(sizeBytes) && sizeBytes >= 0 && sizeBytes <= VOLUME_BYTES_MAX;
}
