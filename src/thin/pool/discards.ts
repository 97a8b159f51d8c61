import type { BlockDevice } from "../../device/block-device.ts";
import type { Clock } from "../../util/clock.ts";
import { discard } from "../../util/io-request.ts";
import type { Log } from "../../util/log.ts";
import type { Health } from "../log/health.ts";
import { syncBarrier } from "../log/promises.ts";
import {
  DISCARD_BACKOFF_MS_MAX,
  DISCARD_BACKOFF_MS_MIN,
  DISCARD_BYTES_MAX,
  DISCARD_RUNS_MAX,
} from "./limits.ts";
import type { PoolParts } from "./pool-parts.ts";
import type { RateLimit } from "./rate-limit.ts";

interface Run {
  readonly first: number;
  readonly count: number;
  isZero: boolean;
}

type DiscardParts = Pick<PoolParts, "state" | "barrier"> & {
  readonly health: Pick<Health, "failure">;
  readonly log: Log;
};

/**
 * Passes free extents down to the devices, in the background. What was not passed down when the pool was closed or killed is of
 * unknown content after the next open, and is found again: nothing about it is stored.
 */
export class Discards {
  readonly #parts: DiscardParts;
  readonly #rate: RateLimit;
  readonly #clock: Clock;
  #failures = 0;
  #backoffMs = 0;
  #notBeforeMs = 0;

  constructor(parts: DiscardParts, rate: RateLimit, clock: Clock) {
    this.#parts = parts;
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Discards that a device refused. */
  get failures(): number {
    return this.#failures;
  }

  /** One round, as far as the rate allows. The extents can be allocated again, as zeros, when a flush has followed (rule Z). */
  async round(): Promise<void> {
    if (this.#clock.nowMs() < this.#notBeforeMs) return;
    const runs = await this.#passRuns();
    // Extents that no device makes zeros are offered again and again: not all the time.
    const isFruitless = runs.length > 0 && !runs.some(({ isZero }) => isZero);
    if (!isFruitless) {
      this.#backoffMs = 0;
      return;
    }
    const doubled = Math.max(DISCARD_BACKOFF_MS_MIN, this.#backoffMs * 2);
    this.#backoffMs = Math.min(doubled, DISCARD_BACKOFF_MS_MAX);
    this.#notBeforeMs = this.#clock.nowMs() + this.#backoffMs;
  }

  async #passRuns(): Promise<readonly Run[]> {
    const { space, geometry } = this.#parts.state;
    const runs: Run[] = [];
    let isFlushed = false;
    try {
      while (runs.length < DISCARD_RUNS_MAX && this.#rate.allowanceBytes > 0) {
        // What is free in a pool that has stopped may be another host's data by now.
        if (this.#parts.health.failure !== null) break;
        const taken = space.takeForDiscard(Math.floor(DISCARD_BYTES_MAX / geometry.extentBytes));
        if (taken === null) break;
        const run = { ...taken, isZero: false };
        runs.push(run);
        this.#rate.use(taken.count * geometry.extentBytes);
        run.isZero = await this.#pass(taken.first, taken.count);
      }
      if (runs.some(({ isZero }) => isZero)) await syncBarrier(this.#parts.barrier);
      isFlushed = true;
    } finally {
      for (const { first, count, isZero } of runs)
        space.discarded(first, count, isZero && isFlushed);
    }
    return runs;
  }

  /** Whether the extents are zeros when it has been flushed. */
  async #pass(first: number, count: number): Promise<boolean> {
    const { addresses, geometry } = this.#parts.state;
    const device = addresses.deviceOf(first);
    if (!canDiscard(device, geometry.extentBytes)) return false;
    try {
      await discard(device, addresses.offsetOf(first), count * geometry.extentBytes);
      return device.traits.discardZeroes;
    } catch (error) {
      this.#failures += 1;
      this.#parts.log.warn({ error, device: device.name }, "a device did not take a discard");
      return false;
    }
  }
}

function canDiscard(device: BlockDevice, extentBytes: number): boolean {
  const { discardGranularityBytes } = device.traits;
  return discardGranularityBytes > 0 && discardGranularityBytes <= extentBytes;
}
