/** A write, or an unmap, as a sector may show it. */
export interface Change {
  /** What the sector shows; 0: zeros. */
  readonly value: number;
  startedAt: number;
  /** Infinity while it is under way. */
  endedAt: number;
}

const NEVER_WRITTEN: Change = { value: 0, startedAt: -1, endedAt: -1 };

interface Reading {
  readonly first: number;
  readonly allowed: Set<number>[];
}

/**
 * What each sector of a volume may show: the changes that nothing has overwritten for certain. A change does so with those that had
 * ended before it started.
 */
export class VolumeOracle {
  readonly #sectors: Change[][];
  readonly #readings = new Set<Reading>();

  constructor(sectors: number, from?: VolumeOracle) {
    this.#sectors = Array.from({ length: sectors }, (_, sector) =>
      // In a copy nothing is under way any more.
      from === undefined
        ? [NEVER_WRITTEN]
        : from.#sectors[sector]!.map((change) => ({ ...change, endedAt: now })),
    );
  }

  start(first: number, count: number, value: number): Change {
    now += 1;
    const change = { value, startedAt: now, endedAt: Number.POSITIVE_INFINITY };
    for (let sector = first; sector < first + count; sector += 1) {
      this.#sectors[sector]!.push(change);
    }
    for (const reading of this.#readings) {
      for (let sector = first; sector < first + count; sector += 1) {
        reading.allowed[sector - reading.first]?.add(value);
      }
    }
    return change;
  }

  /** `isDone` false: it failed, and may have had any effect. */
  end(first: number, count: number, change: Change, isDone: boolean): void {
    now += 1;
    change.endedAt = now;
    if (!isDone) return;
    for (let sector = first; sector < first + count; sector += 1) {
      this.#sectors[sector] = this.#sectors[sector]!.filter(
        (other) => other === change || other.endedAt > change.startedAt,
      );
    }
  }

  startReading(first: number, count: number): Reading {
    const allowed = Array.from(
      { length: count },
      (_, index) => new Set(this.#sectors[first + index]!.map(({ value }) => value)),
    );
    const reading = { first, allowed };
    this.#readings.add(reading);
    return reading;
  }

  /** Null, or what is wrong with the values that were read. */
  endReading(reading: Reading, values: readonly number[]): string | null {
    this.#readings.delete(reading);
    for (const [index, value] of values.entries()) {
      const allowed = reading.allowed[index]!;
      if (allowed.has(value)) continue;
      return `sector ${reading.first + index} shows ${value}, not one of ${[...allowed].join(", ")}`;
    }
    return null;
  }
}

let now = 0;
