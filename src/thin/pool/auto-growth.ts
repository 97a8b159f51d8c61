import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import { GROWTH_BACKOFF_MS_MAX, GROWTH_BACKOFF_MS_MIN } from "./limits.ts";

/** A device that may join the pool: open, claimed, and with nothing on it. */
export interface NewMember {
  readonly device: BlockDevice;
  /** Lower-case UUID for its label. */
  readonly uuid: string;
  /** All of it reads as zeros on stable media. */
  readonly isZero: boolean;
  /** Called once, when it is known whether the pool has taken it; whoever opened it closes it where not. */
  settled(isMember: boolean): Promise<void>;
}

/** What a grower has made of the need: a device of the pool is larger, or there is another one. */
export type Growth =
  | {
      readonly kind: "grown";
      /** Index of the device. */
      readonly device: number;
      /** What it gained reads as zeros on stable media: a hole of a file that the pool's host made. */
      readonly isZero: boolean;
    }
  | ({ readonly kind: "device" } & NewMember);

export interface GrowthNeed {
  readonly bytesWanted: number;
  /** What is free now. */
  readonly freeBytes: number;
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** Makes space: grows an image file, brings a spare device, runs an operator's command. Empty: it can do nothing. Rejects where it fails. */
export type Grower = (need: GrowthNeed) => Promise<readonly Growth[]>;

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
  /** Makes what a grower brought part of the pool. */
  readonly apply: (growth: Growth) => Promise<void>;
}

/** Grows the pool by itself when it runs low, one step at a time; after a failure it waits, twice as long after each. */
export class AutoGrowth {
  readonly #options: AutoGrowthOptions;
  #running: Promise<void> | null = null;
  #backoffMs = 0;
  #notBeforeMs = 0;
  readonly #stopping = new AbortController();

  constructor(options: AutoGrowthOptions) {
    assert(options.stepBytes > 0, "growth comes in steps");
    this.#options = options;
  }

  get lowWaterBytes(): number {
    return this.#options.lowWaterBytes;
  }

  /** Starts a step where one is due. Cheap enough for every write that finds no space. */
  check(): void {
    const { clock, freeBytes, lowWaterBytes } = this.#options;
    const { signal } = this.#stopping;
    if (signal.aborted || this.#running !== null || clock.nowMs() < this.#notBeforeMs) return;
    if (freeBytes() >= lowWaterBytes) return;
    this.#running = this.#step().finally(() => {
      this.#running = null;
    });
  }

  /** No further step, and none of what was begun that takes long; `settled` tells when it has ended. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Resolves when no step is under way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #step(): Promise<void> {
    const { grower, stepBytes, freeBytes, log } = this.#options;
    try {
      const growths = await grower({
        bytesWanted: stepBytes,
        freeBytes: freeBytes(),
        signal: this.#stopping.signal,
      });
      if (growths.length === 0) {
        this.#wait();
        log.warn({ waitMs: this.#backoffMs }, "the pool is low on space and cannot grow further");
        return;
      }
      await this.#applyAll(growths);
      this.#backoffMs = 0;
      log.info({ stepBytes, freeBytes: freeBytes() }, "the pool has grown by itself");
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#wait();
      log.error({ error, waitMs: this.#backoffMs }, "the pool could not be grown");
    }
  }

  /** What is of use is used, also where something else is not. */
  async #applyAll(growths: readonly Growth[]): Promise<void> {
    const failures: unknown[] = [];
    for (const growth of growths) {
      try {
        await this.#options.apply(growth);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #wait(): void {
    const doubled = Math.max(GROWTH_BACKOFF_MS_MIN, this.#backoffMs * 2);
    this.#backoffMs = Math.min(doubled, GROWTH_BACKOFF_MS_MAX);
    this.#notBeforeMs = this.#options.clock.nowMs() + this.#backoffMs;
  }
}
