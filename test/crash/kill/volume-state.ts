/** Serial of a sector of zeros. */
export const ZEROS = 0;

/**
 * What a volume has to hold: for each slot the serial of the write that put it there. Where a write was under way when the process was
 * killed, each of several is right until the volume has been read.
 */
export class VolumeState {
  capacitySectors: number;
  readonly values: Uint32Array;
  /** By slot: what is right besides the value. */
  readonly others: Map<number, Set<number>> = new Map();

  constructor(capacitySectors: number, values: Uint32Array) {
    this.capacitySectors = capacitySectors;
    this.values = values;
  }

  copy(): VolumeState {
    const copy = new VolumeState(this.capacitySectors, this.values.slice());
    for (const [slot, serials] of this.others) copy.others.set(slot, new Set(serials));
    return copy;
  }

  set(slot: number, serial: number): void {
    this.values[slot] = serial;
    this.others.delete(slot);
  }

  allow(slot: number, serial: number): void {
    if (this.values[slot] === serial) return;
    const serials = this.others.get(slot);
    if (serials === undefined) this.others.set(slot, new Set([serial]));
    else serials.add(serial);
  }

  allows(slot: number, serial: number): boolean {
    return this.values[slot] === serial || this.others.get(slot)?.has(serial) === true;
  }

  /** What is right for a slot, in words that name writes. */
  wanted(slot: number): number[] {
    return [this.values[slot] ?? ZEROS, ...(this.others.get(slot) ?? [])];
  }
}
