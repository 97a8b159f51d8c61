import type { AutoGrowth } from "./auto-growth.ts";
import type { PoolParts } from "./pool-parts.ts";
import { Thresholds } from "./thresholds.ts";
import { spaceInUse } from "./usage.ts";

/** Looks at a pool's space now and then: warns at its thresholds, and has it grown. */
export class SpaceWatch {
  readonly #parts: Pick<PoolParts, "state" | "log" | "listeners" | "volumes">;
  readonly #ownThresholds: readonly number[];
  readonly #growth: AutoGrowth | null;
  readonly #thresholds: Thresholds;
  #settings: readonly number[];

  /** `ownThresholds` are this run's; those of the pool's settings come to them. */
  constructor(
    parts: Pick<PoolParts, "state" | "log" | "listeners" | "volumes">,
    ownThresholds: readonly number[],
    growth: AutoGrowth | null,
  ) {
    this.#parts = parts;
    this.#ownThresholds = ownThresholds;
    this.#growth = growth;
    this.#settings = parts.state.settings.thresholds;
    this.#thresholds = new Thresholds([...this.#settings, ...ownThresholds]);
  }

  /** All thresholds that it warns at, ascending: shares of 1. */
  get thresholds(): readonly number[] {
    const all = new Set([...this.#parts.state.settings.thresholds, ...this.#ownThresholds]);
    return [...all].toSorted((one, other) => one - other);
  }

  /** What has to be usable if the pool is not to grow by itself, in bytes; null: it does not. */
  get lowWaterBytes(): number | null {
    return this.#growth?.lowWaterBytes ?? null;
  }

  check(): void {
    const { state, log, listeners, volumes } = this.#parts;
    if (state.settings.thresholds !== this.#settings) {
      this.#settings = state.settings.thresholds;
      this.#thresholds.replace([...this.#settings, ...this.#ownThresholds]);
    }
    const inUse = spaceInUse(state);
    const share = this.#thresholds.check(inUse);
    if (share !== null) {
      log.warn({ pool: state.settings.name, share, ...inUse }, "the pool runs low on space");
      listeners.emit({ kind: "threshold", share, ...inUse });
      for (const volume of volumes.all()) volume.emit("space-low");
    }
    this.#growth?.check();
  }

  /** Resolves when no growth is under way. */
  async settled(): Promise<void> {
    await this.#growth?.settled();
  }
}
