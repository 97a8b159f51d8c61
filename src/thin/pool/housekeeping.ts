import type { Clock, Timer } from "../../util/clock.ts";
import { BackgroundJob } from "./background-job.ts";
import { BARRIER_INTERVAL_MS, HOUSEKEEPING_TICK_MS, IDLE_CHECKPOINT_MS } from "./limits.ts";

/** What a pool does by itself, as its housekeeping sees it. The jobs reject with what stops the pool. */
export interface Chores {
  /** Something was written or appended that no barrier covers. Asking counts what was written until now as seen. */
  takeDirty(): boolean;
  barrier(): Promise<void>;
  /** Space is there when a barrier has passed. */
  canBarrierFree(): boolean;
  /** The last block of the journal, and the one that the last checkpoint includes. */
  readonly appliedSeq: number;
  readonly checkpointSeq: number;
  /** Where the last checkpoint is lost, there is another one. */
  readonly hasWayBack: boolean;
  /** Enough is new since the last checkpoint to make one now. */
  isCheckpointDue(): boolean;
  checkpoint(reason: "journal" | "idle"): Promise<void>;
  virgin(): Promise<void>;
  discards(): Promise<void>;
  fill(): Promise<void>;
  recount(): Promise<void>;
  /** Thresholds and growth: cheap, and never fails. */
  watchSpace(): void;
}

export interface HousekeepingOptions {
  readonly clock: Clock;
  readonly chores: Chores;
  /** A job has failed; it must not throw. */
  readonly failed: (error: unknown) => void;
}

/** Looks round a few times a second, and begins what is due. Each kind of work runs once at a time, and none waits for another. */
export class Housekeeping {
  readonly #clock: Clock;
  readonly #chores: Chores;
  readonly #barrier: BackgroundJob;
  readonly #checkpoint: BackgroundJob;
  readonly #virgin: BackgroundJob;
  readonly #discards: BackgroundJob;
  readonly #fill: BackgroundJob;
  readonly #recount: BackgroundJob;
  #timer: Timer | null = null;
  #isStopped = false;
  #barrierAtMs = -Infinity;
  #isDirty = false;
  #reason: "journal" | "idle" = "journal";
  /** Since when the journal has stood still, and at which block. */
  #idleSeq = -1;
  #idleSinceMs = 0;

  constructor({ clock, chores, failed }: HousekeepingOptions) {
    this.#clock = clock;
    this.#chores = chores;
    this.#barrier = new BackgroundJob(() => chores.barrier(), failed);
    this.#checkpoint = new BackgroundJob(() => chores.checkpoint(this.#reason), failed);
    this.#virgin = new BackgroundJob(() => chores.virgin(), failed);
    this.#discards = new BackgroundJob(() => chores.discards(), failed);
    this.#fill = new BackgroundJob(() => chores.fill(), failed);
    this.#recount = new BackgroundJob(() => chores.recount(), failed);
  }

  start(): void {
    this.#virgin.start();
    this.#arm();
  }

  /** Something waits for space: what can make some come free at once is begun. */
  wakeForSpace(): void {
    if (this.#isStopped) return;
    this.#virgin.start();
    if (this.#chores.canBarrierFree()) this.#barrier.startAgain();
    this.#chores.watchSpace();
  }

  /** What can be handed out runs low: writes must not have to wait for the next look round. */
  moveVirginMarks(): void {
    if (!this.#isStopped) this.#virgin.start();
  }

  /** Begins nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Resolves when nothing that was begun is under way. */
  async settled(): Promise<void> {
    const often = [this.#barrier, this.#checkpoint, this.#virgin];
    const jobs = [...often, this.#discards, this.#fill, this.#recount];
    await Promise.all(jobs.map((job) => job.settled()));
  }

  #arm(): void {
    if (this.#isStopped) return;
    this.#timer = this.#clock.after(HOUSEKEEPING_TICK_MS, () => {
      this.#tick();
      this.#arm();
    });
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    this.#keepDurable(nowMs);
    this.#keepCheckpointed(nowMs);
    this.#chores.watchSpace();
    this.#virgin.start();
    this.#discards.start();
    this.#fill.start();
    this.#recount.start();
  }

  #keepDurable(nowMs: number): void {
    this.#isDirty ||= this.#chores.takeDirty();
    // What is written after this look waits for the next one: together they stay within the interval.
    const isDue = nowMs - this.#barrierAtMs >= BARRIER_INTERVAL_MS - HOUSEKEEPING_TICK_MS;
    if (!this.#isDirty || !isDue || this.#barrier.isRunning) return;
    this.#barrierAtMs = nowMs;
    this.#isDirty = false;
    this.#barrier.start();
  }

  #keepCheckpointed(nowMs: number): void {
    const { appliedSeq, checkpointSeq } = this.#chores;
    if (appliedSeq !== this.#idleSeq) {
      this.#idleSeq = appliedSeq;
      this.#idleSinceMs = nowMs;
    }
    const isWorthIt = appliedSeq > checkpointSeq || !this.#chores.hasWayBack;
    const isIdle = isWorthIt && nowMs - this.#idleSinceMs >= IDLE_CHECKPOINT_MS;
    const isDue = this.#chores.isCheckpointDue();
    if (!isDue && !isIdle) return;
    this.#reason = isDue ? "journal" : "idle";
    this.#checkpoint.start();
  }
}
