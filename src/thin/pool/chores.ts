import { syncBarrier } from "../log/promises.ts";
import { dirtyPagesFor } from "../checkpoint/metadata-reserve.ts";
import type { Discards } from "./discards.ts";
import type { Filler } from "./filler.ts";
import type { Chores } from "./housekeeping.ts";
import { DIRTY_SHARE_MAX, JOURNAL_SHARE_MAX } from "./limits.ts";
import type { PoolEngine } from "./pool-engine.ts";
import type { PoolParts } from "./pool-parts.ts";
import type { SpaceWatch } from "./space-watch.ts";
import { moveVirginMarks } from "./virgin.ts";

export interface PoolChoresOptions {
  readonly parts: PoolParts;
  readonly engine: PoolEngine;
  readonly discards: Discards | null;
  readonly filler: Filler | null;
  readonly watch: SpaceWatch;
}

/** An open pool's housekeeping. */
export class PoolChores implements Chores {
  readonly #parts: PoolParts;
  readonly #options: PoolChoresOptions;
  #wasBusy = false;

  constructor(options: PoolChoresOptions) {
    this.#options = options;
    this.#parts = options.parts;
  }

  get appliedSeq(): number {
    return this.#parts.journal.appliedSeq;
  }

  get checkpointSeq(): number {
    return this.#parts.checkpointer.checkpointSeq;
  }

  get hasWayBack(): boolean {
    return this.#parts.checkpointer.hasWayBack;
  }

  takeDirty(): boolean {
    const { engine } = this.#options;
    const wasWritten = engine.isDirty;
    engine.isDirty = false;
    this.#wasBusy = wasWritten;
    return wasWritten || this.canBarrierFree();
  }

  canBarrierFree(): boolean {
    return this.#parts.journal.appliedSeq > this.#parts.barrier.durableSeq;
  }

  barrier(): Promise<void> {
    return syncBarrier(this.#parts.barrier);
  }

  isCheckpointDue(): boolean {
    if (this.#canCheckpointFree()) return true;
    if (this.appliedSeq === this.checkpointSeq) return false;
    const { journal, state } = this.#parts;
    const isJournalFull =
      this.appliedSeq - this.checkpointSeq >= journal.blocks * JOURNAL_SHARE_MAX;
    const pagesMax = dirtyPagesFor(state.space.metadataReserveExtents, state.geometry);
    const { dirtyPages, dirtyNodes } = state.leaves;
    const isDirty = dirtyPages + dirtyNodes >= Math.max(1, pagesMax * DIRTY_SHARE_MAX);
    return isJournalFull || isDirty;
  }

  /** Writes wait for space, and places of older checkpoints would make some, that become free with the next ones. */
  #canCheckpointFree(): boolean {
    const { fullPolicy, state } = this.#parts;
    const { blocksToCome } = state.space.metadata;
    return fullPolicy.waiters > 0 && blocksToCome >= state.geometry.blocksPerExtent;
  }

  checkpoint(reason: "journal" | "idle"): Promise<void> {
    return this.#parts.checkpointer.run(reason);
  }

  virgin(): Promise<void> {
    return moveVirginMarks(this.#parts);
  }

  async discards(): Promise<void> {
    await this.#options.discards?.round();
  }

  /** Only when nobody has written of late, and until somebody does: the filler must not be felt. Nor must it take room that there is none of. */
  async fill(): Promise<void> {
    if (!this.#wasBusy && !this.#parts.storage.isFull) await this.#options.filler?.round();
  }

  recount(): Promise<void> {
    return this.#parts.ownership.recount();
  }

  watchSpace(): void {
    this.#options.watch.check();
  }
}
