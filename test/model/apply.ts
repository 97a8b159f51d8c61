import { deviceOfExtent } from "./geometry.ts";
import type { Entry, JournalRecord } from "./metadata.ts";
import type { Pool, Volume } from "./pool.ts";
import { newVolume } from "./pool.ts";
import { moveReferences } from "./space.ts";
import { Violation } from "./violation.ts";

/**
 * Carries out a record on the maps, live and at replay alike. What it does to the counts is quarantined under `seq`;
 * a replay derives them afterwards.
 */
export function apply(pool: Pool, record: JournalRecord, seq: number): void {
  switch (record.kind) {
    case "map":
      if (deviceOfExtent(record.entry.extent) >= pool.devices) {
        throw new Violation(`extent ${record.entry.extent} is mapped beyond the pool's capacity`);
      }
      setEntry(
        pool,
        { volume: volumeOf(pool, record.volume), lext: record.lext, seq },
        record.entry,
      );
      break;
    case "unmap":
      setEntry(pool, { volume: volumeOf(pool, record.volume), lext: record.lext, seq }, undefined);
      break;
    case "snap":
      for (const [source, copy] of record.pairs) clone(pool, source, copy, seq);
      break;
    case "delete":
      replaceAll(pool, volumeOf(pool, record.volume), [], seq);
      pool.volumes.delete(record.volume);
      break;
    case "rollback":
      replaceAll(pool, volumeOf(pool, record.volume), volumeOf(pool, record.source).entries, seq);
      break;
    case "resize":
      resize(pool, volumeOf(pool, record.volume), record.extents, seq);
      break;
    case "grow":
      if (record.device !== pool.devices) throw new Violation("a device is added twice");
      pool.devices += 1;
      break;
    case "virgin":
      pool.virginFrom = record.from;
      pool.virginSeq = seq;
      break;
    case "barrier":
      break;
  }
}

function volumeOf(pool: Pool, id: number): Volume {
  const volume = pool.volumes.get(id);
  if (volume === undefined) throw new Violation(`a record names volume ${id}, which is not there`);
  return volume;
}

interface Place {
  readonly volume: Volume;
  readonly lext: number;
  readonly seq: number;
}

function setEntry(pool: Pool, { volume, lext, seq }: Place, entry: Entry | undefined): void {
  if (lext >= volume.entries.length) throw new Violation("a record lies past the volume's end");
  moveReferences(pool, volume.entries[lext], entry, seq);
  volume.entries[lext] = entry;
  volume.leaf = undefined;
}

function clone(pool: Pool, source: number, copy: number, seq: number): void {
  const { entries } = volumeOf(pool, source);
  for (const entry of entries) moveReferences(pool, undefined, entry, seq);
  pool.volumes.set(copy, newVolume(copy, entries));
}

/** The map becomes a copy of `entries`, and as long. */
function replaceAll(
  pool: Pool,
  volume: Volume,
  entries: readonly (Entry | undefined)[],
  seq: number,
): void {
  const before = volume.entries;
  volume.entries = [...entries];
  volume.leaf = undefined;
  for (let lext = 0; lext < Math.max(before.length, entries.length); lext += 1) {
    moveReferences(pool, before[lext], entries[lext], seq);
  }
}

function resize(pool: Pool, volume: Volume, extents: number, seq: number): void {
  const entries = Array.from({ length: extents }, (_, lext) => volume.entries[lext]);
  if (pool.mutation === "shrinkKeepsEntries") {
    // What a map does that is cut by a length beside it.
    const hidden = hiddenEntries.get(volume) ?? [];
    const kept = [...volume.entries, ...hidden.slice(volume.entries.length)];
    hiddenEntries.set(volume, kept);
    volume.entries = Array.from({ length: extents }, (_, lext) => kept[lext]);
    volume.leaf = undefined;
    return;
  }
  replaceAll(pool, volume, entries, seq);
}

const hiddenEntries = new WeakMap<Volume, readonly (Entry | undefined)[]>();
