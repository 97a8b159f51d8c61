import { expect } from "vitest";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { auditState } from "../../../src/thin/map/audit.ts";
import { deriveSpace } from "../../../src/thin/map/derive.ts";
import { isPartial, physOf } from "../../../src/thin/map/entry.ts";
import { NO_LEAF } from "../../../src/thin/map/leaf-store.ts";
import type { PoolState } from "../../../src/thin/map/pool-state.ts";
import type { SeededRandom } from "../../../src/util/random.ts";
import type { NaiveEntry } from "./naive-pool.ts";
import { NaivePool } from "./naive-pool.ts";
import type { Stored } from "./pool-harness.ts";
import {
  EXTENT_BYTES,
  Media,
  attributesOf,
  carryOut,
  openState,
  restore,
  startCheckpoint,
} from "./pool-harness.ts";

/** Room for six leaves: everything is paged in and out all the time. */
const LEAF_MEMORY_BYTES_MAX = 6 * 4096;
const LEXTS = [0, 1, 2, 3, 500, 1006, 1007, 1008, 1009, 1010, 2015, 2016, 2017, 2400];
const SIZES = [1, 3, 700, 1008, 1009, 2016, 2300, 2500];
const VOLUMES_MAX = 6;
const FULL_MASK = 15;

/** The engine's maps and space beside the naive ones, under the same random records. */
export class RandomPool {
  readonly naive = new NaivePool();
  readonly media = new Media();
  readonly random: SeededRandom;
  state!: PoolState;
  #seq = 0;
  #journal: { record: JournalRecord; seq: number }[] = [];
  #stored!: Stored;
  #running: { end: () => Stored; seq: number } | null = null;
  readonly #pinned: number[] = [];
  readonly #pinnedLeaves: number[] = [];
  readonly #discards: { first: number; count: number }[] = [];
  readonly counts = new Map<string, number>();

  constructor(random: SeededRandom) {
    this.random = random;
  }

  async start(): Promise<void> {
    this.state = await openState({
      media: this.media,
      leafMemoryBytesMax: LEAF_MEMORY_BYTES_MAX,
    });
    this.state.space.metadataReserveExtents = 40;
    this.#stored = startCheckpoint(this.state, this.media)();
    await this.append({ kind: "create", attributes: attributesOf(1, 2500) });
  }

  async append(record: JournalRecord): Promise<void> {
    this.#seq += 1;
    this.#journal.push({ record, seq: this.#seq });
    this.counts.set(record.kind, (this.counts.get(record.kind) ?? 0) + 1);
    await carryOut(this.state, record, this.#seq);
    this.naive.apply(record, this.#seq);
  }

  async step(): Promise<void> {
    const { random } = this;
    const choice = random.below(100);
    if (choice < 30) await this.#map();
    else if (choice < 45) await this.#partial();
    else if (choice < 55) await this.#unmap();
    else if (choice < 67) await this.#manage();
    else if (choice < 77) await this.#release();
    else if (choice < 87) this.#pin();
    else if (choice < 91) this.#checkpoint();
    else if (choice < 95) this.#discard();
    else if (choice < 96) await this.#reopen();
    else await this.#virginOrGrow();
  }

  #volume(): number {
    return this.random.pick([...this.naive.volumes.keys()]);
  }

  #lext(volume: number): number {
    const { extents } = this.naive.volume(volume);
    const lext = this.random.pick(LEXTS);
    return lext < extents ? lext : this.random.below(extents);
  }

  async #map(): Promise<void> {
    const volume = this.#volume();
    const lext = this.#lext(volume);
    const { extents } = this.naive.volume(volume);
    const room = Math.min(extents - lext, 1008 - (lext % 1008), 1 + this.random.below(4));
    const phys = this.#allocate(volume, room);
    if (phys < 0) return;
    const { lastRun, lastIsZero } = this.state.space;
    const run = 1 + this.random.below(lastRun);
    if (run < lastRun) this.state.space.giveBack(phys + run, lastRun - run);
    await this.append({ kind: "map", volume, lext, phys, run, safe: lastIsZero });
  }

  #allocate(volume: number, runMax: number): number {
    const { space } = this.state;
    const phys = space.allocate(this.state.volumes.get(volume) ?? null, runMax);
    const references = this.naive.references();
    for (let index = 0; phys >= 0 && index < space.lastRun; index += 1) {
      expect(references.get(phys + index) ?? 0).toBe(0);
      expect(space.metadata.isMetadata(phys + index)).toBe(false);
      expect(this.#discards.some((run) => isIn(phys + index, run))).toBe(false);
    }
    return phys;
  }

  async #partial(): Promise<void> {
    const volume = this.#volume();
    const lext = this.#lext(volume);
    const old = this.naive.volume(volume).entries.get(lext);
    if (old !== undefined && old.mask !== 0) {
      if (this.naive.references().get(old.phys) !== 1) return;
      const mask = old.mask | (1 << this.random.below(4));
      const { phys, base } = old;
      if (mask !== FULL_MASK)
        await this.append({ kind: "partial", volume, lext, phys, mask, base });
      else await this.append({ kind: "map", volume, lext, phys, run: 1, safe: false });
      return;
    }
    const phys = this.#allocate(volume, 1);
    if (phys < 0) return;
    const mask = 1 << this.random.below(4);
    await this.append({ kind: "partial", volume, lext, phys, mask, base: old?.phys ?? -1 });
  }

  async #unmap(): Promise<void> {
    const volume = this.#volume();
    const lext = this.#lext(volume);
    const { extents } = this.naive.volume(volume);
    const run = this.random.chance(0.2)
      ? extents - lext
      : Math.min(extents - lext, 1 + this.random.below(4));
    await this.append({ kind: "unmap", volume, lext, run });
  }

  async #manage(): Promise<void> {
    const { random, naive } = this;
    const volume = this.#volume();
    const source = this.#volume();
    const id = this.state.nextVolumeId;
    const { extents } = naive.volume(source);
    const kind = random.pick(["create", "snapshot", "snapshot", "rollback", "resize", "delete"]);
    const hasRoom = naive.volumes.size < VOLUMES_MAX;
    if (kind === "create" && hasRoom) {
      await this.append({ kind, attributes: attributesOf(id, random.pick(SIZES)) });
    } else if (kind === "snapshot" && hasRoom) {
      await this.append({ kind, source, attributes: attributesOf(id, extents) });
    } else if (kind === "rollback" && volume !== source) {
      await this.append({ kind, volume, source });
    } else if (kind === "resize") {
      await this.append({ kind, volume, sizeBytes: random.pick(SIZES) * EXTENT_BYTES });
    } else if (kind === "delete" && naive.volumes.size > 1) {
      await this.append({ kind, volume });
    }
  }

  async #release(): Promise<void> {
    const durable = this.naive.durableSeq;
    const seq = durable + this.random.below(this.#seq - durable + 1);
    this.naive.release(seq);
    this.state.space.release(seq);
    if (this.random.chance(0.5)) await this.state.space.idle();
  }

  #pin(): void {
    const { random } = this;
    const { space, leaves, volumes } = this.state;
    if (this.random.chance(0.5)) {
      this.#unpin();
      return;
    }
    const id = this.#volume();
    const mapped = [...this.naive.volume(id).entries];
    if (mapped.length === 0) return;
    const [lext, { phys }] = random.pick(mapped);
    // As a reader does: without the pin of the leaf, the other owner of a shared leaf may become the only one meanwhile.
    const leaf = volumes.get(id)!.map.leafAt(lext);
    leaves.pin(leaf);
    this.#pinnedLeaves.push(leaf);
    space.pin(phys);
    this.#pinned.push(phys);
    this.naive.pins.set(phys, (this.naive.pins.get(phys) ?? 0) + 1);
  }

  #unpin(): void {
    const phys = this.#pinned.shift();
    if (phys !== undefined) {
      this.naive.pins.set(phys, (this.naive.pins.get(phys) ?? 0) - 1);
      this.naive.release(0);
      this.state.space.unpin(phys);
    }
    const leaf = this.#pinnedLeaves.shift();
    if (leaf !== undefined) this.state.leaves.unpin(leaf);
  }

  async unpinAll(): Promise<void> {
    while (this.#pinned.length + this.#pinnedLeaves.length > 0) this.#unpin();
    await this.state.space.idle();
  }

  /** Captures, or ends the checkpoint that was captured before: the maps change between the two. */
  #checkpoint(): void {
    if (this.#running === null) {
      this.#running = { end: startCheckpoint(this.state, this.media), seq: this.#seq };
      return;
    }
    const { end, seq } = this.#running;
    this.#running = null;
    this.#stored = end();
    this.#journal = this.#journal.filter((entry) => entry.seq > seq);
    this.naive.release(seq);
    this.state.space.release(seq);
  }

  #discard(): void {
    const { space } = this.state;
    const run = this.#discards.shift();
    if (run !== undefined) space.discarded(run.first, run.count, this.random.chance(0.7));
    const taken = this.random.chance(0.6) ? space.takeForDiscard(5) : null;
    if (taken !== null) this.#discards.push(taken);
  }

  async #virginOrGrow(): Promise<void> {
    const { space, addresses } = this.state;
    const next = space.nextVirgin();
    if (next !== null) await this.append({ kind: "virgin", ...next });
    else if (addresses.segments.length < 4 && this.state.devices.length === 2) {
      await this.append({
        kind: "add-device",
        device: { uuid: "device-2", sizeBytes: 1 << 30 },
        segment: { device: 2, offsetBytes: 1 << 20, extents: 70, virginFrom: 20 },
      });
    }
  }

  /** A kill: from the last checkpoint, all of the journal is replayed. */
  async #reopen(): Promise<void> {
    await this.unpinAll();
    this.state.space.stop();
    this.#discards.length = 0;
    this.#running = null;
    this.state = restore(this.#stored, this.media, { leafMemoryBytesMax: LEAF_MEMORY_BYTES_MAX });
    for (const { record, seq } of this.#journal) await carryOut(this.state, record, seq);
    await deriveSpace(this.state);
    this.state.space.metadataReserveExtents = 40;
    this.naive.release(this.#seq);
    this.counts.set("reopen", (this.counts.get("reopen") ?? 0) + 1);
    this.#checkpoint();
    this.#checkpoint();
  }

  /** Everything that can be seen is what it must be. */
  async check(): Promise<void> {
    await this.state.space.idle();
    expect(await auditState(this.state)).toEqual([]);
    for (const [id, { entries, extents }] of this.naive.volumes) {
      const volume = this.state.volumes.get(id);
      expect(volume?.map.extentCount).toBe(extents);
      expect(volume?.mappedExtents).toBe(entries.size);
      await this.#checkEntries(id, entries);
    }
    expect(new Set(this.state.volumes.keys())).toEqual(new Set(this.naive.volumes.keys()));
    if (this.#pinnedLeaves.length === 0) this.#checkFree();
  }

  async #checkEntries(id: number, entries: Map<number, NaiveEntry>): Promise<void> {
    const { leaves, volumes, space } = this.state;
    const references = this.naive.references();
    const map = volumes.get(id)!.map;
    for (let leafIndex = 0; leafIndex < map.leafCount; leafIndex += 1) {
      map.pinSlot(leafIndex);
      const leaf = map.leaf(leafIndex);
      if (leaf !== NO_LEAF) await leaves.load(leaf);
      const end = Math.min(map.extentCount, (leafIndex + 1) * 1008);
      for (let lext = leafIndex * 1008; lext < end; lext += 1) {
        const slot = lext % 1008;
        const word = leaf === NO_LEAF ? 0 : leaves.entry(leaf, slot);
        const expected = entries.get(lext);
        if (word === 0 && expected === undefined) continue;
        const found = {
          phys: physOf(word),
          mask: leaves.mask(leaf, slot),
          base: leaves.base(leaf, slot),
        };
        expect({ id, lext, ...found }).toEqual({ id, lext, ...expected });
        expect(isPartial(word)).toBe(found.mask !== 0);
        const isExclusive = leaves.references(leaf) === 1 && space.references(found.phys) === 1;
        if (isExclusive) expect(references.get(found.phys)).toBe(1);
      }
      map.unpinSlot(leafIndex);
    }
  }

  #checkFree(): void {
    const { space, addresses } = this.state;
    const references = this.naive.references();
    for (let phys = 0; phys < addresses.extentCount; phys += 1) {
      expect({ phys, isUsed: space.references(phys) > 0 }).toEqual({
        phys,
        isUsed: (references.get(phys) ?? 0) > 0,
      });
    }
  }
}

function isIn(phys: number, { first, count }: { first: number; count: number }): boolean {
  return phys >= first && phys < first + count;
}
