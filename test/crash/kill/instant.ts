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

/** The times between which the instant of a copy lies. */
export interface Interval {
  /** Issue of the last change that the copy has. */
  from: number;
  /** Answer to the first change that it has not. */
  to: number;
}

/**
 * Narrows down the instant at which the copy was taken by what it holds: it has a change only if the change was issued before, and
 * lacks one only if that had not been answered. All copies of a group have one interval: it must not become empty.
 */
export function narrow(interval: Interval, { changes }: Recording, observed: Uint32Array): void {
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
      if (index <= last) interval.from = Math.max(interval.from, change.issuedAt);
      // What a rollback took away again was not to be there, even where its answer came after the rollback's.
      else if (!change.isUncertain) interval.to = Math.min(interval.to, change.answeredAt);
    }
  }
}
