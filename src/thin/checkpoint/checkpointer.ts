import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import type { Barrier } from "../log/barrier.ts";
import type { Health } from "../log/health.ts";
import type { CheckpointWanted, Journal } from "../log/journal.ts";
import type { PoolState } from "../map/pool-state.ts";
import type { SuperblockStore } from "./superblock-store.ts";

export interface CheckpointerOptions {
  readonly state: PoolState;
  readonly journal: Journal;
  readonly barrier: Barrier;
  readonly health: Health;
  readonly superblocks: SuperblockStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the checkpoint that the pool was opened from. */
  readonly generation: number;
  readonly checkpointSeq: number;
}

/** Why a checkpoint is made, for the log. */
export type CheckpointReason =
  "journal" | "dirty" | "idle" | "asked" | "growth" | "recovery" | "format" | "close";

/** Writes the maps to new places and makes them the truth (rule C). */
export class Checkpointer implements CheckpointWanted {
  constructor(options: CheckpointerOptions) {
    void options;
  }

  get generation(): number {
    return 0;
  }

  get checkpointSeq(): number {
    return 0;
  }

  get isRunning(): boolean {
    return false;
  }

  /** Makes a checkpoint that includes all that has taken effect by now. @throws {IoError} failed */
  run(reason: CheckpointReason): Promise<void> {
    return Promise.reject(new Error(reason));
  }

  /** The journal or the memory for dirty pages is used up: begins a checkpoint unless one runs. */
  wanted(): void {
    void this.run("journal");
  }

  /** The last checkpoint of an orderly end: clean, and without an owner. @throws {IoError} failed */
  close(): Promise<void> {
    return this.run("close");
  }
}
