import { countOwned } from "../map/derive.ts";
import type { PoolState } from "../map/pool-state.ts";
import type { PoolParts } from "./pool-parts.ts";

/** All leaves of the volumes are looked at while other operations wait: for so many times as long it is not done again. */
const COUNT_REST = 9;

type OwnershipParts = Pick<PoolParts, "state" | "barrier" | "clock">;

/**
 * Keeps what volumes with a reservation are known to own. What a volume shared with a copy is its own again when the copy is deleted; no
 * record says so, and until it is counted the pool keeps more space for the volume than it needs.
 */
export class Ownership {
  readonly #parts: OwnershipParts;
  /** Puts an operation into the pool's queue: no copy is made while it is counted. */
  readonly #run: (operation: () => Promise<void>) => Promise<void>;
  /** The record after which counts are out of date; 0: they are not. */
  #staleSeq = 0;
  #notBeforeMs = -Infinity;

  constructor(parts: OwnershipParts, run: (operation: () => Promise<void>) => Promise<void>) {
    this.#parts = parts;
    this.#run = run;
  }

  /** A record up to this one has taken references away from what volumes share. */
  changed(seq: number): void {
    this.#staleSeq = seq;
  }

  /** Counts anew when what the record took away has been released. Errors as IoError. */
  async recount(): Promise<void> {
    const { state, barrier, clock } = this.#parts;
    if (this.#staleSeq === 0 || barrier.durableSeq < this.#staleSeq) return;
    if (clock.nowMs() < this.#notBeforeMs) return;
    this.#staleSeq = 0;
    if (!hasReservations(state)) return;
    await state.space.idle();
    await this.#run(async () => {
      const beganMs = clock.nowMs();
      for (const volume of state.volumes.values()) {
        if (volume.attributes.reservedBytes > 0) await countOwned(state, volume);
      }
      const endedMs = clock.nowMs();
      this.#notBeforeMs = endedMs + (endedMs - beganMs) * COUNT_REST;
    });
  }
}

function hasReservations(state: PoolState): boolean {
  for (const { attributes } of state.volumes.values())
    if (attributes.reservedBytes > 0) return true;
  return false;
}
