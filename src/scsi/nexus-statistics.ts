import { UnitStatistics } from "./unit-statistics.ts";

/** What came over one I_T nexus, by logical unit. */
export class NexusStatistics {
  /** By LUN, as far as the highest that was used, so that the hot path finds its own by an index. */
  readonly #byLun: (UnitStatistics | null)[] = [];

  /** Those of a LUN, from its first command on. */
  of(lun: number): UnitStatistics {
    return (lun < this.#byLun.length ? this.#byLun[lun] : null) ?? this.#begin(lun);
  }

  #begin(lun: number): UnitStatistics {
    while (this.#byLun.length <= lun) this.#byLun.push(null);
    const begun = new UnitStatistics();
    this.#byLun[lun] = begun;
    return begun;
  }

  /** Those of a LUN that has had commands; null: none came. */
  peek(lun: number): UnitStatistics | null {
    return this.#byLun[lun] ?? null;
  }

  /** All LUNs that have had commands, in their order. */
  entries(): [lun: number, statistics: UnitStatistics][] {
    return [...this.#byLun.entries()].filter(
      (entry): entry is [number, UnitStatistics] => entry[1] !== null,
    );
  }

  /** Another unit may come under the LUN, and begins at zero. */
  drop(lun: number): void {
    if (lun < this.#byLun.length) this.#byLun[lun] = null;
  }
}
