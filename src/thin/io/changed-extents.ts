import { LEAF_ENTRIES } from "../format/layout.ts";
import { isPartial } from "../map/entry.ts";
import type { LeafStore } from "../map/leaf-store.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import type { VolumeMap } from "../map/volume-map.ts";
import type { ThinExtent } from "./extent-report.ts";
import { REPORT_LEAVES_PER_TURN } from "./limits.ts";
import type { ThinVolume } from "./thin-volume.ts";

/** One page of the runs in which a volume may differ from another. */
export interface ChangedExtents {
  readonly extents: readonly ThinExtent[];
  /** Where to go on; null: that was all. */
  readonly nextOffsetBytes: number | null;
}

/**
 * The runs of `to`, in whole extents from `offsetBytes` on, that do not share their place with `from`; what is in none of them is
 * equal. A run may be equal all the same, as after the same bytes were written again. Past the end of a `from` that is shorter,
 * what is mapped has changed. Leaves that both share are not looked at: the costs are those of the difference.
 *
 * @throws {IoError} medium: a leaf cannot be read
 */
export async function changedExtents(
  from: ThinVolume,
  to: ThinVolume,
  offsetBytes: number,
  countMax: number,
): Promise<ChangedExtents> {
  const { geometry, state, clock } = to.engine;
  const { extentBytes } = geometry;
  const comparison = new Comparison(from.state.map, to.state.map, state.leaves);
  const extents: ThinExtent[] = [];
  let run: { first: number; end: number; mapped: boolean } | null = null;
  const sizeBytes = to.capacityBytes;
  const end = Math.ceil(sizeBytes / extentBytes);
  const close = (): void => {
    if (run === null) return;
    const start = run.first * extentBytes;
    const lengthBytes = Math.min(run.end * extentBytes, sizeBytes) - start;
    extents.push({ offsetBytes: start, lengthBytes, mapped: run.mapped });
    run = null;
  };
  let lext = Math.floor(offsetBytes / extentBytes);
  for (let leaves = 1; lext < end; leaves += 1) {
    const leafEnd = Math.min((Math.floor(lext / LEAF_ENTRIES) + 1) * LEAF_ENTRIES, end);
    for (const changed of await comparison.leaf(lext, leafEnd)) {
      const at: { first: number; end: number; mapped: boolean } | null = run;
      if (at !== null && at.end === changed.lext && at.mapped === changed.mapped) {
        at.end += 1;
        continue;
      }
      close();
      if (extents.length >= countMax) {
        return { extents, nextOffsetBytes: changed.lext * extentBytes };
      }
      run = { first: changed.lext, end: changed.lext + 1, mapped: changed.mapped };
    }
    lext = leafEnd;
    if (leaves % REPORT_LEAVES_PER_TURN === 0) {
      await new Promise<void>((resolve) => void clock.after(0, resolve));
    }
  }
  close();
  return { extents, nextOffsetBytes: null };
}

interface Changed {
  readonly lext: number;
  readonly mapped: boolean;
}

/** Two maps of one pool. */
class Comparison {
  readonly #from: VolumeMap;
  readonly #to: VolumeMap;
  readonly #leaves: LeafStore;

  constructor(from: VolumeMap, to: VolumeMap, leaves: LeafStore) {
    this.#from = from;
    this.#to = to;
    this.#leaves = leaves;
  }

  /** What has changed of the extents from `first` to `end`, which one leaf maps. */
  async leaf(first: number, end: number): Promise<Changed[]> {
    const place = Math.floor(first / LEAF_ENTRIES);
    const isInFrom = place < this.#from.leafCount;
    this.#to.pinSlot(place);
    if (isInFrom) this.#from.pinSlot(place);
    try {
      // While one is read, the other may be replaced.
      for (;;) {
        const [old, now] = [this.#leafOf(this.#from, place), this.#leafOf(this.#to, place)];
        if (old === now) return [];
        const absent = [old, now].filter(
          (leaf) => leaf !== NO_LEAF && !this.#leaves.isResident(leaf),
        );
        if (absent.length === 0) return this.#compare(old, now, first, end);
        for (const leaf of absent) if (this.#leaves.exists(leaf)) await this.#leaves.load(leaf);
      }
    } finally {
      this.#to.unpinSlot(place);
      if (isInFrom) this.#from.unpinSlot(place);
    }
  }

  #leafOf(map: VolumeMap, place: number): number {
    return place < map.leafCount ? map.leaf(place) : NO_LEAF;
  }

  #compare(old: number, now: number, first: number, end: number): Changed[] {
    const changed: Changed[] = [];
    for (let lext = first; lext < end; lext += 1) {
      const slot = lext % LEAF_ENTRIES;
      const before = old === NO_LEAF ? 0 : this.#leaves.entry(old, slot);
      const after = now === NO_LEAF ? 0 : this.#leaves.entry(now, slot);
      if (before === after && !this.#isOtherPartial(old, now, slot, after)) continue;
      changed.push({ lext, mapped: after !== 0 });
    }
    return changed;
  }

  /** Whether two equal entries are PARTIAL, and have other blocks or another base. */
  #isOtherPartial(old: number, now: number, slot: number, entry: number): boolean {
    if (!isPartial(entry)) return false;
    const leaves = this.#leaves;
    return (
      leaves.mask(old, slot) !== leaves.mask(now, slot) ||
      leaves.base(old, slot) !== leaves.base(now, slot)
    );
  }
}
