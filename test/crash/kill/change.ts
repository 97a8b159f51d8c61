import type { VolumeState } from "./volume-state.ts";

/** A write or unmap on its way from an initiator. Times are those of a counter that every event moves on. */
export class Change {
  readonly serial: number;
  readonly slot: number;
  readonly count: number;
  readonly issuedAt: number;
  /** Infinity: never acknowledged. */
  answeredAt = Infinity;
  /** Sectors of an unmap that need not become zeros, because their extent is not covered as a whole. */
  readonly isOptional: (slot: number) => boolean;
  /** The volume was rolled back while this was on its way: it came before or after. */
  isUncertain = false;

  constructor(
    serial: number,
    range: { readonly slot: number; readonly count: number },
    issuedAt: number,
    isOptional: (slot: number) => boolean = () => false,
  ) {
    this.serial = serial;
    this.slot = range.slot;
    this.count = range.count;
    this.issuedAt = issuedAt;
    this.isOptional = isOptional;
  }

  /** It was acknowledged. */
  apply(state: VolumeState): void {
    for (let slot = this.slot; slot < this.slot + this.count; slot += 1) {
      if (this.isUncertain || this.isOptional(slot)) state.allow(slot, this.serial);
      else state.set(slot, this.serial);
    }
  }

  /** It may have happened, sector by sector. */
  allow(state: VolumeState): void {
    for (let slot = this.slot; slot < this.slot + this.count; slot += 1) {
      state.allow(slot, this.serial);
    }
  }
}
