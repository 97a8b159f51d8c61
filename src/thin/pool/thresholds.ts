import { THRESHOLD_HYSTERESIS } from "./limits.ts";

/** How much of a pool is in use, in bytes. */
export interface SpaceInUse {
  readonly usedBytes: number;
  readonly capacityBytes: number;
}

/**
 * The shares of physical space at which a pool warns. Each warns once when it is crossed upwards, and again only after the use has
 * been well below it: a pool that breathes around a threshold does not fill the log.
 */
export class Thresholds {
  #shares: readonly number[];
  /** The thresholds that have warned and not been left since. */
  readonly #crossed: Set<number> = new Set();

  /** Shares of 1. */
  constructor(shares: readonly number[]) {
    this.#shares = sorted(shares);
  }

  replace(shares: readonly number[]): void {
    this.#shares = sorted(shares);
    for (const share of this.#crossed) if (!shares.includes(share)) this.#crossed.delete(share);
  }

  /** The highest threshold that has been crossed upwards since the last call; null where none was. */
  check({ usedBytes, capacityBytes }: SpaceInUse): number | null {
    if (capacityBytes === 0) return null;
    const used = usedBytes / capacityBytes;
    let crossed: number | null = null;
    for (const share of this.#shares) {
      if (used >= share && !this.#crossed.has(share)) {
        this.#crossed.add(share);
        crossed = share;
      } else if (used < share - THRESHOLD_HYSTERESIS) {
        this.#crossed.delete(share);
      }
    }
    return crossed;
  }
}

function sorted(shares: readonly number[]): number[] {
  return [...new Set(shares)].toSorted((left, right) => left - right);
}
