import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { EXTENT_BYTES } from "./pool-harness.ts";

export interface NaiveEntry {
  readonly phys: number;
  readonly mask: number;
  readonly base: number;
}

type Entries = Map<number, NaiveEntry>;

/** What the maps must be: plain objects, every reference counted entry by entry. */
export class NaivePool {
  readonly volumes = new Map<number, { entries: Entries; extents: number }>();
  /** References that were taken away: they count until their record is durable and nobody uses the extent. */
  freeing: { phys: number; seq: number }[] = [];
  readonly pins = new Map<number, number>();
  durableSeq = 0;

  apply(record: JournalRecord, seq: number): void {
    switch (record.kind) {
      case "create":
        this.volumes.set(record.attributes.id, {
          entries: new Map(),
          extents: record.attributes.sizeBytes / EXTENT_BYTES,
        });
        break;
      case "map":
        for (let index = 0; index < record.run; index += 1) {
          const entry = { phys: record.phys + index, mask: 0, base: -1 };
          this.#set(record.volume, record.lext + index, entry, seq);
        }
        break;
      case "partial":
        this.#set(record.volume, record.lext, record, seq);
        break;
      case "unmap":
        this.#cut(record.volume, record.lext, record.lext + record.run, seq);
        break;
      case "snapshot": {
        const { entries, extents } = this.volume(record.source);
        this.volumes.set(record.attributes.id, { entries: new Map(entries), extents });
        break;
      }
      case "rollback": {
        const volume = this.volume(record.volume);
        const { entries, extents } = this.volume(record.source);
        this.#cut(record.volume, 0, volume.extents, seq);
        volume.entries = new Map(entries);
        volume.extents = extents;
        break;
      }
      case "resize": {
        const volume = this.volume(record.volume);
        const extents = record.sizeBytes / EXTENT_BYTES;
        this.#cut(record.volume, extents, volume.extents, seq);
        volume.extents = extents;
        break;
      }
      case "delete":
        this.#cut(record.volume, 0, this.volume(record.volume).extents, seq);
        this.volumes.delete(record.volume);
        break;
      case "add-device":
      case "attributes":
      case "barrier":
      case "grow-device":
      case "settings":
      case "virgin":
        break;
    }
  }

  volume(id: number): { entries: Entries; extents: number } {
    const volume = this.volumes.get(id);
    if (volume === undefined) throw new RangeError(`no volume ${id}`);
    return volume;
  }

  #cut(id: number, from: number, end: number, seq: number): void {
    for (const lext of this.volume(id).entries.keys()) {
      if (lext >= from && lext < end) this.#set(id, lext, undefined, seq);
    }
  }

  #set(id: number, lext: number, after: NaiveEntry | undefined, seq: number): void {
    const { entries } = this.volume(id);
    const kept = new Set(partsOf(after));
    for (const phys of partsOf(entries.get(lext))) {
      if (!kept.has(phys)) this.freeing.push({ phys, seq });
    }
    if (after === undefined) entries.delete(lext);
    else entries.set(lext, { phys: after.phys, mask: after.mask, base: after.base });
  }

  release(durableSeq: number): void {
    this.durableSeq = Math.max(this.durableSeq, durableSeq);
    this.freeing = this.freeing.filter(
      ({ phys, seq }) => seq > this.durableSeq || (this.pins.get(phys) ?? 0) > 0,
    );
  }

  /** References to each extent that has any, those in quarantine included. */
  references(): Map<number, number> {
    const counts = new Map<number, number>();
    const add = (phys: number): void => {
      counts.set(phys, (counts.get(phys) ?? 0) + 1);
    };
    for (const { entries } of this.volumes.values()) {
      for (const entry of entries.values()) partsOf(entry).forEach(add);
    }
    for (const { phys } of this.freeing) add(phys);
    return counts;
  }
}

export function partsOf(entry: NaiveEntry | undefined): number[] {
  if (entry === undefined) return [];
  return entry.base < 0 ? [entry.phys] : [entry.phys, entry.base];
}
