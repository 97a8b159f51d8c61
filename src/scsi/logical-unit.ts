import { assert, unreachable } from "../util/assert.ts";
import type { IoError, IoErrorKind } from "../util/io-error.ts";
import type { Volume, VolumeEvent } from "../volume/volume.ts";
import { runTask } from "./dispatch.ts";
import { identityOf, type IdentityOptions, type UnitIdentity } from "./identity.ts";
import { ERROR_REPORT_INTERVAL_MS, TRANSFER_BYTES_MAX } from "./limits.ts";
import type { Nexus } from "./nexus.ts";
import { Sense, type SenseCode } from "./sense.ts";
import type { Task } from "./task.ts";
import { TaskSet } from "./task-set.ts";

/** Sizes of a logical block that are offered. */
export type BlockBytes = 512 | 4096;

/** One line for the log about I/O that failed. */
export interface IoErrorReport {
  readonly unit: LogicalUnit;
  readonly error: IoError;
  /** The operation code of the command that met it; -1 where the command was answered before. */
  readonly operationCode: number;
  /** Reports of such errors that were left out since the last one, to keep the log readable. */
  readonly suppressedCount: number;
}

export interface LogicalUnitOptions extends IdentityOptions {
  readonly volume: Volume;
  readonly blockBytes: BlockBytes;
  /** Refuses writes even where the volume takes them. */
  readonly readOnly?: boolean;
  /** D_SENSE of the Control mode page: sense data in descriptor format. */
  readonly descriptorSense?: boolean;
  /** Takes what an administrator should read about failing storage; called once a second for each kind at the most. */
  readonly report?: (report: IoErrorReport) => void;
  /** A monotonic clock in milliseconds. */
  readonly nowMs: () => number;
}

/**
 * A disk that initiators see: a volume in logical blocks, with its identity, its task set, and the state that the
 * commands of all nexuses share. It does not own the volume: `close` lets go of it, the owner closes it.
 */
export class LogicalUnit {
  readonly volume: Volume;
  readonly blockBytes: BlockBytes;
  readonly identity: UnitIdentity;
  readonly taskSet: TaskSet;
  readonly descriptorSense: boolean;
  /** Writes are refused, and MODE SENSE shows WP. Changed by {@link setReadOnly} alone. */
  readOnly: boolean;
  /** True where UNMAP works and LBPME is set. */
  readonly unmappable: boolean;
  /** MAXIMUM TRANSFER LENGTH. */
  readonly transferBlocksMax: number;
  /** Whole blocks of the volume; a rest that fills no block is not used. */
  capacityBlocks = 0;
  /** START STOP UNIT stopped it: medium access is NOT READY until it is started. */
  stopped = false;
  /** The volume went away under it. */
  gone = false;
  /** The nexuses that reach it, over every target that it is attached to. Kept by `TargetDevice`. */
  readonly nexuses: Set<Nexus> = new Set();

  readonly #report: (report: IoErrorReport) => void;
  readonly #nowMs: () => number;
  readonly #unsubscribe: () => void;
  /** By kind: a fault must not go unseen behind a full pool, of which every write tells. */
  readonly #reports: Map<IoErrorKind, { atMs: number; suppressedCount: number }> = new Map();

  constructor(options: LogicalUnitOptions) {
    const { volume, blockBytes } = options;
    assert(blockBytes === 512 || blockBytes === 4096, "a logical block has 512 or 4096 bytes");
    this.volume = volume;
    this.blockBytes = blockBytes;
    this.identity = identityOf(volume.uuid, options);
    this.taskSet = new TaskSet(runTask);
    this.descriptorSense = options.descriptorSense ?? false;
    this.readOnly = (options.readOnly ?? false) || !volume.capabilities.writable;
    this.unmappable = volume.capabilities.discardGranularityBytes > 0;
    this.transferBlocksMax = TRANSFER_BYTES_MAX / blockBytes;
    this.#report = options.report ?? (() => undefined);
    this.#nowMs = options.nowMs;
    this.#measure();
    this.#unsubscribe = volume.subscribe((event) => this.#onVolumeEvent(event));
  }

  #measure(): void {
    this.capacityBlocks = Math.floor(this.volume.capacityBytes / this.blockBytes);
  }

  #onVolumeEvent(event: VolumeEvent): void {
    switch (event) {
      case "capacity-changed":
        this.#measure();
        this.raise(Sense.capacityDataHasChanged);
        break;
      case "content-replaced":
        // What a rollback does to an initiator is what a change of the medium does: nothing that it cached holds.
        this.#measure();
        this.raise(Sense.mediumMayHaveChanged);
        break;
      case "space-low":
        this.raise(Sense.thinProvisioningSoftThresholdReached);
        break;
      case "gone":
        this.gone = true;
        break;
      default:
        unreachable(event);
    }
  }

  /** Establishes a unit attention on every nexus, `except` the one whose doing it was. */
  raise(code: SenseCode, except: Nexus | null = null): void {
    for (const nexus of this.nexuses) if (nexus !== except) nexus.raise(this, code);
  }

  /**
   * Changes the write protection while initiators are there, who learn it from MODE PARAMETERS CHANGED: WP is in the
   * header of the mode parameters. A volume that takes no writes stays protected. Commands that are running go on.
   *
   * @returns whether anything has changed
   */
  setReadOnly(readOnly: boolean): boolean {
    const wanted = readOnly || !this.volume.capabilities.writable;
    if (wanted === this.readOnly) return false;
    this.readOnly = wanted;
    this.raise(Sense.modeParametersChanged);
    return true;
  }

  /** What a reset restores (SAM-5 6.3.3). Tasks and unit attentions are the business of task management. */
  reset(): void {
    this.stopped = false;
  }

  /** Tells the administrator about I/O that failed, with a limit on how often. */
  reportIoError(error: IoError, task: Task | null): void {
    if (error.kind === "miscompare") return;
    const nowMs = this.#nowMs();
    const reports = this.#reports.get(error.kind);
    if (reports !== undefined && nowMs - reports.atMs < ERROR_REPORT_INTERVAL_MS) {
      reports.suppressedCount += 1;
      return;
    }
    const suppressedCount = reports?.suppressedCount ?? 0;
    this.#reports.set(error.kind, { atMs: nowMs, suppressedCount: 0 });
    const operationCode = task?.cdb[0] ?? -1;
    this.#report({ unit: this, error, operationCode, suppressedCount });
  }

  /** Stops listening to the volume. The unit is attached to no target any more. */
  close(): void {
    assert(this.nexuses.size === 0, "a unit is detached before it is closed");
    this.#unsubscribe();
  }
}
