import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import { GROWTH_BACKOFF_MS_MAX, GROWTH_BACKOFF_MS_MIN } from "./limits.ts";

/** What a grower did: made a device of the pool larger, brought a new one, or could do nothing. */
export type GrowerResult =
  | {
      readonly kind: "grown";
      /** Index of the device. */
      readonly device: number;
      /** What it gained reads as zeros on stable media: a hole of a file that the pool's host made. */
      readonly isZero: boolean;
    }
  | {
      readonly kind: "device";
      readonly device: BlockDevice;
      /** Lower-case UUID for its label. */
      readonly uuid: string;
      readonly isZero: boolean;
    }
  | { readonly kind: "exhausted" };

/** Makes space: grows an image file, brings a spare device, runs an operator's command. Rejects where that fails. */
export type Grower = (bytesWanted: number) => Promise<GrowerResult>;

export interface AutoGrowthSettings {
  /** Grow when less than this is free, in bytes. */
  readonly lowWaterBytes: number;
  /** How much to ask for, in bytes. */
  readonly stepBytes: number;
  readonly grower: Grower;
}

export interface AutoGrowthOptions extends AutoGrowthSettings {
  readonly clock: Clock;
  readonly log: Log;
  readonly freeBytes: () => number;
  /** Makes the grower's result part of the pool. */
  readonly apply: (result: GrowerResult) => Promise<void>;
}

/** Grows the pool by itself when it runs low, one step at a time; after a failure it waits, twice as long after each. */
export class AutoGrowth {
  readonly #options: AutoGrowthOptions;
  #running: Promise<void> | null = null;
  #backoffMs = 0;
  #notBeforeMs = 0;

  constructor(options: AutoGrowthOptions) {
    assert(options.stepBytes > 0, "growth comes in steps");
    this.#options = options;
  }

  /** Starts a step where one is due. Cheap enough for every write that finds no space. */
  check(): void {
    const { clock, freeBytes, lowWaterBytes } = this.#options;
    if (this.#running !== null || clock.nowMs() < this.#notBeforeMs) return;
    if (freeBytes() >= lowWaterBytes) return;
    this.#running = this.#step().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when no step is under way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #step(): Promise<void> {
    const { grower, stepBytes, apply, log } = this.#options;
    try {
      const result = await grower(stepBytes);
      if (result.kind === "exhausted") {
        this.#wait();
        log.warn({ waitMs: this.#backoffMs }, "the pool is low on space and cannot grow further");
        return;
      }
      await apply(result);
      this.#backoffMs = 0;
      log.info({ stepBytes, freeBytes: this.#options.freeBytes() }, "the pool has grown by itself");
    } catch (error) {
      this.#wait();
      log.error({ error, waitMs: this.#backoffMs }, "the pool could not be grown");
    }
  }

  #wait(): void {
    const doubled = Math.max(GROWTH_BACKOFF_MS_MIN, this.#backoffMs * 2);
    this.#backoffMs = Math.min(doubled, GROWTH_BACKOFF_MS_MAX);
    this.#notBeforeMs = this.#options.clock.nowMs() + this.#backoffMs;
  }
}
