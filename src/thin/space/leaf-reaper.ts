import type { PagePointer } from "../format/pointer.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import type { LeafStore } from "../map/leaf-store.ts";
import { physOf } from "../map/entry.ts";

/** Leaves that are read at the same time, to be taken apart. */
const READS_MAX = 16;

export interface ReaperTarget {
  /** An entry of a dead leaf referred to the extent. */
  drop(phys: number): void;
  /** The same for all entries from `start` on for which that is simple; returns the index of the first that is not, or how many there are. */
  dropAll(entries: Uint32Array, start: number): number;
  /** A dead leaf was stored there. */
  retire(pointer: PagePointer): void;
  /** A read has ended: there may be work. */
  changed(): void;
}

/** Takes leaves apart that no volume refers to any more: their extents lose a reference each. Those that are not in memory are read. */
export class LeafReaper {
  readonly #leaves: LeafStore;
  readonly #target: ReaperTarget;
  #dead: number[] = [];
  #absent: number[] = [];
  #reads = 0;
  #isStopped = false;

  constructor(leaves: LeafStore, target: ReaperTarget) {
    this.#leaves = leaves;
    this.#target = target;
  }

  /** Whether a call of {@link work} would do something. */
  get hasWork(): boolean {
    return this.#dead.length > 0;
  }

  get isIdle(): boolean {
    return this.#dead.length === 0 && this.#absent.length === 0 && this.#reads === 0;
  }

  add(leaf: number): void {
    if (this.#leaves.isResident(leaf)) {
      this.#leaves.pin(leaf);
      this.#dead.push(leaf);
    } else {
      this.#absent.push(leaf);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#dead = [];
    this.#absent = [];
  }

  /** Takes leaves apart until so many entries are done; returns how many were. */
  work(entriesMax: number): number {
    let entries = 0;
    while (entries < entriesMax && this.#dead.length > 0) {
      this.#takeApart(this.#dead.pop()!);
      entries += LEAF_ENTRIES;
    }
    while (this.#reads < READS_MAX && this.#absent.length > 0) void this.#read(this.#absent.pop()!);
    return entries;
  }

  async #read(leaf: number): Promise<void> {
    this.#reads += 1;
    this.#leaves.pin(leaf);
    try {
      await this.#leaves.load(leaf);
      if (!this.#isStopped) this.#dead.push(leaf);
    } catch {
      // It cannot be read: its extents stay in use, which harms nobody, until the next open of the pool counts anew.
      this.#leaves.unpin(leaf);
    }
    this.#reads -= 1;
    if (!this.#isStopped) this.#target.changed();
  }

  #takeApart(leaf: number): void {
    const entries = this.#leaves.entries(leaf);
    let slot = this.#target.dropAll(entries, 0);
    while (slot < entries.length) {
      const entry = entries[slot]!;
      if (entry !== 0) this.#target.drop(physOf(entry));
      const base = this.#leaves.base(leaf, slot);
      if (base !== NO_EXTENT) this.#target.drop(base);
      slot = this.#target.dropAll(entries, slot + 1);
    }
    this.#leaves.unpin(leaf);
    const places = this.#leaves.destroy(leaf);
    if (places === null) return;
    this.#target.retire(places.leaf);
    if (places.bases !== null) this.#target.retire(places.bases);
    if (places.masks !== null) this.#target.retire(places.masks);
  }
}
