import type { Change } from "./change.ts";
import type { VolumeState } from "./volume-state.ts";

/** The changes that were on their way to a volume while it was copied or rolled back, in the order of their issue. */
export interface Recording {
  readonly before: VolumeState;
  readonly changes: Change[];
}

/** What the copy may hold: what was there before, and what came meanwhile. */
export function copyAllowedBy({ before, changes }: Recording): VolumeState {
  const state = before.copy();
  for (const change of changes) change.allow(state);
  return state;
}

/** A change that a copy has, or has not, and where that was seen. */
interface Sighting {
  readonly copy: string;
  readonly slot: number;
  readonly found: number;
  readonly change: Change;
}

/** The times between which the instant of a copy, or of a group of copies, lies. */
export class Interval {
  #has: Sighting | null = null;
  #lacks: Sighting | null = null;

  /** Issue of the last change that the copy has. */
  get from(): number {
    return this.#has?.change.issuedAt ?? 0;
  }

  /** Answer to the first change that it has not. */
  get to(): number {
    return this.#lacks?.change.answeredAt ?? Infinity;
  }

  has(sighting: Sighting): void {
    if (sighting.change.issuedAt > this.from) this.#has = sighting;
  }

  lacks(sighting: Sighting): void {
    if (sighting.change.answeredAt < this.to) this.#lacks = sighting;
  }

  /** What shows that there was no such instant, in words; null: there may have been one. */
  complaint(): string | null {
    const [has, lacks] = [this.#has, this.#lacks];
    if (has === null || lacks === null || this.from <= this.to) return null;
    return (
      `no instant: ${inWords(has)} has write #${has.change.serial}, issued at ${this.from}; ` +
      `${inWords(lacks)} lacks write #${lacks.change.serial}, answered at ${this.to}, and has #${lacks.found}`
    );
  }
}

function inWords({ copy, slot }: Sighting): string {
  return `slot ${slot} of volume ${copy}`;
}

/**
 * Narrows down the instant at which the copy was taken by what it holds: it has a change only if the change was issued before, and
 * lacks one only if that had not been answered. All copies of a group have one interval: it must not become empty. `copy` is the name
 * of this one.
 */
export function narrow(
  interval: Interval,
  { changes }: Recording,
  observed: Uint32Array,
  copy: string,
): void {
  const touched = new Map<number, Change[]>();
  for (const change of changes) {
    for (let slot = change.slot; slot < change.slot + change.count; slot += 1) {
      const list = touched.get(slot);
      if (list === undefined) touched.set(slot, [change]);
      else list.push(change);
    }
  }
  for (const [slot, list] of touched) {
    const serial = observed[slot] ?? 0;
    // Zeros are written more than once: they do not tell which of several changes it was, and
    // an unmap may have left some where it need not have.
    if (serial === 0 && list.some((change) => change.serial === 0)) continue;
    const last = list.findIndex((change) => change.serial === serial);
    for (const [index, change] of list.entries()) {
      if (change.serial === 0) continue;
      const sighting = { copy, slot, found: serial, change };
      if (index <= last) interval.has(sighting);
      // What a rollback took away again was not to be there, even where its answer came after the rollback's.
      else if (!change.isUncertain) interval.lacks(sighting);
    }
  }
}
