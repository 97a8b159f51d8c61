import { IoError } from "../../src/util/io-error.ts";
import { SeededRandom } from "../../src/util/random.ts";
import type { CrashKind } from "./history.ts";
import type { Fault } from "./faults.ts";
import { FaultQueue } from "./faults.ts";
import type { Media } from "./media.ts";
import { Life, Scheduler, settle } from "./scheduler.ts";
import type { DiskHost } from "./sim-disk.ts";
import { SimDisk } from "./sim-disk.ts";
import { Violation } from "./violation.ts";

/** Nothing takes longer, in virtual time: full pools are waited for a second, stuck devices for half a minute. */
const OPERATION_MS_MAX = 400_000;
const OPERATION_STEPS_MAX = 400_000;

export interface MachineOptions {
  readonly discardZeroes: boolean;
  readonly copiesOnWrite: boolean;
  /** Whether a write is one of metadata: only those go astray. */
  isMetadata(media: Media, offsetBytes: number, data: Uint8Array): boolean;
  /** Whether this is a place of the journal on the first device. */
  isJournal(offsetBytes: number): boolean;
  /** Whether a write is one of a checkpoint's pages. */
  isPage(media: Media, offsetBytes: number, data: Uint8Array): boolean;
}

/** A computer with some disks, which runs one process after another until its power goes, and then again. */
export class Machine implements DiskHost {
  readonly scheduler: Scheduler;
  readonly faults: FaultQueue = new FaultQueue();
  readonly media: Media[];
  readonly options: MachineOptions;
  random: SeededRandom;
  life: Life = new Life();
  disks: SimDisk[] = [];
  /** Counts up with each start of the machine. */
  boot = 1;
  /** What is remembered until the machine is started again: pools that have failed. */
  readonly marks: Set<string> = new Set();
  /** The last opening did without the newest checkpoint. */
  hasFallenBack = false;
  /** Writes of pages take up to so many milliseconds; 0: what others take. */
  pagesMs = 0;
  isOpening = false;
  /** The pool that the process has open was taken over by others. */
  isFenced = false;
  /** Moments of the devices since `crashAfter` was set. */
  moments = 0;
  #crashAt = Number.POSITIVE_INFINITY;
  #refusals = 0.2;
  /** Something was thrown where nobody could catch it. */
  defect: unknown = undefined;

  constructor(media: Media[], seed: number, options: MachineOptions) {
    this.media = media;
    this.options = options;
    this.random = new SeededRandom(seed);
    this.scheduler = new Scheduler(this);
    this.start();
  }

  /** A new seed for all that is left to chance. */
  reseed(seed: number): void {
    this.random = new SeededRandom(seed);
    this.#refusals = this.random.pick([0, 0.05, 0.3, 1]);
  }

  setFaults(faults: readonly Fault[]): void {
    this.faults.set(faults);
  }

  /** The process dies when so many more moments have passed; Infinity: never. */
  crashAfter(moments: number): void {
    this.moments = 0;
    this.#crashAt = moments;
  }

  moment(): void {
    if (this.life.isDead) return;
    if (this.moments >= this.#crashAt) this.life.isDead = true;
    else this.moments += 1;
  }

  changing(name: string): void {
    if (!this.isFenced || this.life.isDead) return;
    this.defect ??= new Violation(`a pool that was fenced writes to ${name}`);
  }

  /** Opens the devices for a new process. */
  start(): void {
    this.life = new Life();
    this.isFenced = false;
    this.disks = this.media.map((media, index) => this.#open(media, index));
  }

  addDisk(media: Media): SimDisk {
    this.media.push(media);
    const disk = this.#open(media, this.media.length - 1);
    this.disks.push(disk);
    return disk;
  }

  #open(media: Media, index: number): SimDisk {
    return new SimDisk(media, this.life, this, {
      name: `disk${index}`,
      index,
      discardZeroes: this.options.discardZeroes,
      copiesOnWrite: this.options.copiesOnWrite,
      refusals: () => this.#refusals,
      isMetadata: (at, data) => this.options.isMetadata(media, at, data),
      isPage: (at, data) => this.options.isPage(media, at, data),
      isJournal: (at) => index === 0 && this.options.isJournal(at),
    });
  }

  /** The end of the process, and perhaps of more. */
  crash(kind: CrashKind): void {
    this.life.isDead = true;
    for (const disk of this.disks) disk.abandon();
    for (const media of this.media) {
      if (this.random.chance(0.3)) media.writeBack(this.random);
      if (kind === "power") media.powerCut(this.random);
      if (kind === "reboot") media.shutDown();
    }
    if (kind !== "kill") {
      this.boot += 1;
      this.marks.clear();
    }
    this.start();
  }

  /**
   * Lets the machine run until the promise is settled. "dead": the process died before that. Throws what the promise throws.
   */
  async run<T>(promise: Promise<T>): Promise<{ value: T } | "dead"> {
    const state: { end?: { value: T } | { error: unknown } } = {};
    promise.then(
      (value) => (state.end = { value }),
      (error: unknown) => (state.end = { error }),
    );
    await this.runUntil(() => state.end !== undefined);
    if (state.end === undefined) return "dead";
    if ("error" in state.end) throw state.end.error;
    return state.end;
  }

  /** Lets the machine run until the condition holds or the process is dead. */
  async runUntil(isDone: () => boolean): Promise<void> {
    const { scheduler } = this;
    const limitMs = scheduler.nowMs() + OPERATION_MS_MAX;
    const limitSteps = scheduler.steps + OPERATION_STEPS_MAX;
    await settle();
    while (!isDone() && !this.life.isDead) {
      this.#rethrow();
      if (!(await scheduler.step()))
        throw new Violation("something waits for ever: nothing is left to happen");
      if (scheduler.nowMs() > limitMs) throw new Violation("something never ends");
      if (scheduler.steps > limitSteps) throw new Violation("something runs in circles");
    }
    this.#rethrow();
  }

  /** Lets time pass. */
  async idle(forMs: number): Promise<void> {
    const untilMs = this.scheduler.nowMs() + forMs;
    const limitSteps = this.scheduler.steps + OPERATION_STEPS_MAX;
    await settle();
    while (!this.life.isDead && (await this.scheduler.step(untilMs))) {
      this.#rethrow();
      if (this.scheduler.steps > limitSteps) throw new Violation("idle time runs in circles");
    }
    this.scheduler.skipTo(untilMs);
    this.#rethrow();
  }

  #rethrow(): void {
    const { defect } = this;
    if (defect === undefined) return;
    this.defect = undefined;
    throw asViolation(defect);
  }
}

/** What nobody should ever see thrown. */
export function asViolation(error: unknown): Violation {
  if (error instanceof Violation) return error;
  if (error instanceof IoError) return new Violation(`IoError ${error.kind}: ${error.message}`);
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const stack =
    error instanceof Error ? (error.stack ?? "").split("\n").slice(1, 6).join("\n") : "";
  return new Violation(`a defect: ${text}\n${stack}`);
}
