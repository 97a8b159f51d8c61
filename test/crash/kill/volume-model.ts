import { assert } from "../../../src/util/assert.ts";
import type { Change } from "./change.ts";
import { copyAllowedBy, type Interval, type Recording } from "./instant.ts";
import { type VolumeState, ZEROS } from "./volume-state.ts";

/** What a volume may be besides its state, while an operation on it has not been acknowledged. */
export type Alternative = VolumeState | "absent";

/** A copy that has not been read yet: how it came about, and what all copies of its group share. */
export interface Origin {
  readonly recording: Recording;
  readonly interval: Interval;
}

export interface SlotRange {
  readonly slot: number;
  readonly count: number;
}

function overlap(left: SlotRange, right: SlotRange): boolean {
  return left.slot < right.slot + right.count && right.slot < left.slot + left.count;
}

/** What the supervisor knows of a volume. */
export class VolumeModel {
  readonly name: string;
  readonly uuid: string;
  /** In the tags of what is written to it. */
  readonly tag: number;
  readonly isReadOnly: boolean;
  lun: number;
  state: VolumeState;
  /** Not null after a kill in the middle of an operation on it. */
  alternative: Alternative | null = null;
  /** Volumes of one name here have their alternative together, or none of them. */
  group = 0;
  origin: Origin | null = null;
  /** Changes on their way, and where somebody reads. */
  readonly changes: Set<Change> = new Set();
  readonly reads: Set<SlotRange> = new Set();
  /** Commands on their way, of all kinds. */
  commands = 0;
  /** Its content or size may be replaced at any moment. */
  isInOperation = false;
  readonly #recordings: Set<Recording> = new Set();
  /** Slots from here on are left alone, as the volume is about to become smaller. */
  slotsInUse: number;
  /** No initiator uses it any more. */
  isRetired = false;
  /** It has not been read since it was made, so it cannot be copied in its turn. */
  isUnread = false;

  constructor(options: {
    readonly name: string;
    readonly uuid: string;
    readonly tag: number;
    readonly isReadOnly: boolean;
    readonly state: VolumeState;
  }) {
    this.name = options.name;
    this.uuid = options.uuid;
    this.tag = options.tag;
    this.isReadOnly = options.isReadOnly;
    this.state = options.state;
    this.lun = -1;
    this.slotsInUse = options.state.values.length;
  }

  /** Whether somebody writes there, or reads, and so nobody else does. */
  isBusy(slot: number, count: number): boolean {
    const wanted = { slot, count };
    for (const change of this.changes) if (overlap(change, wanted)) return true;
    for (const range of this.reads) if (overlap(range, wanted)) return true;
    return false;
  }

  begin(change: Change): void {
    assert(!this.isBusy(change.slot, change.count), "changes on their way do not overlap");
    this.changes.add(change);
    for (const recording of this.#recordings) recording.changes.push(change);
  }

  acknowledged(change: Change): void {
    this.changes.delete(change);
    change.apply(this.state);
  }

  /** It was refused, or its answer did not come. */
  unanswered(change: Change): void {
    this.changes.delete(change);
    change.allow(this.state);
  }

  startRecording(before: VolumeState = this.state): Recording {
    const recording = { before: before.copy(), changes: [...this.changes] };
    this.#recordings.add(recording);
    return recording;
  }

  stopRecording(recording: Recording): void {
    this.#recordings.delete(recording);
  }

  /** It has become what was recorded. */
  replaceBy(recording: Recording): void {
    this.state = copyAllowedBy(recording);
    for (const change of this.changes) change.isUncertain = true;
  }

  /** The state with another size: what lies past it is zeros from now on. */
  resized(capacitySectors: number, slotsWithin: number): VolumeState {
    const state = this.state.copy();
    state.capacitySectors = capacitySectors;
    for (let slot = slotsWithin; slot < state.values.length; slot += 1) state.set(slot, ZEROS);
    return state;
  }
}
