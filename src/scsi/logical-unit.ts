import { isDeepStrictEqual } from "node:util";
import { assert, unreachable } from "../util/assert.ts";
import type { IoError, IoErrorKind } from "../util/io-error.ts";
import type { Volume, VolumeEvent } from "../volume/volume.ts";
import { BackgroundFlush } from "./background-flush.ts";
import { DeviceType } from "./device-type.ts";
import { runTask } from "./dispatch.ts";
import { identityOf, type IdentityOptions, type UnitIdentity } from "./identity.ts";
import { ERROR_REPORT_INTERVAL_MS, TRANSFER_BYTES_MAX } from "./limits.ts";
import type { Nexus } from "./nexus.ts";
import { Sense, type SenseCode } from "./sense.ts";
import type { Task } from "./task.ts";
import { TaskSet } from "./task-set.ts";
import {
  effectiveSettings,
  UNIT_SETTINGS_DEFAULTS,
  unitSettingsProblems,
  type EffectiveSettings,
  type UnitSettings,
} from "./unit-settings.ts";

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
  /** A disk where left out. */
  readonly deviceType?: DeviceType;
  /** What is left out has its default. */
  readonly settings?: Partial<UnitSettings>;
  /** Takes what an administrator should read about failing storage; called once a second for each kind at the most. */
  readonly report?: (report: IoErrorReport) => void;
  /** A monotonic clock in milliseconds. */
  readonly nowMs: () => number;
}

/** The unit attentions by which initiators learn that something which they may have read has changed. */
const ANNOUNCEMENTS: Readonly<Record<keyof UnitSettings, readonly SenseCode[]>> = {
  readOnly: [Sense.modeParametersChanged],
  // That it went, initiators hear from the sense of their next command; that it is back, from what follows on that.
  online: [],
  removable: [Sense.inquiryDataHasChanged],
  writeCache: [Sense.modeParametersChanged],
  softwareWriteProtect: [Sense.modeParametersChanged],
  descriptorSense: [Sense.modeParametersChanged],
  thinProvisioning: [Sense.capacityDataHasChanged, Sense.inquiryDataHasChanged],
  physicalBlockExponent: [Sense.capacityDataHasChanged],
  lowestAlignedLba: [Sense.capacityDataHasChanged],
  optimalGranularityBlocks: [Sense.inquiryDataHasChanged],
  optimalTransferBlocks: [Sense.inquiryDataHasChanged],
  rotationRate: [Sense.inquiryDataHasChanged],
};

/** The attentions that the step from one state to the other calls for, each once. */
function announcementsOf(before: EffectiveSettings, after: EffectiveSettings): Set<SenseCode> {
  const names = Object.keys(ANNOUNCEMENTS) as (keyof UnitSettings)[];
  const changed = names.filter((name) => before[name] !== after[name]);
  return new Set(changed.flatMap((name) => ANNOUNCEMENTS[name]));
}

/**
 * A unit that initiators see, a disk where nothing else is said: a volume in logical blocks, with its identity, its task set, and the state that the
 * commands of all nexuses share. It does not own the volume: `close` lets go of it, the owner closes it.
 */
export class LogicalUnit {
  readonly volume: Volume;
  readonly blockBytes: BlockBytes;
  readonly deviceType: DeviceType;
  readonly isDisk: boolean;
  readonly taskSet: TaskSet;
  /** MAXIMUM TRANSFER LENGTH. */
  readonly transferBlocksMax: number;
  // What follows is the work of `configure` and `identify` alone; the fields that commands look at are copies.
  identity: UnitIdentity;
  /** As the administrator wants it. */
  settings: UnitSettings;
  /** As it works out on the volume. */
  effective: EffectiveSettings;
  readOnly = false;
  /** Writes are refused, and MODE SENSE shows WP. */
  writeProtected = false;
  /** WCE. False: every write has to be on stable media before it is answered. */
  writeCache = true;
  descriptorSense = false;
  /** True where UNMAP works and LBPME is set. */
  unmappable = false;
  online = true;

  /** Whole blocks of the volume; a rest that fills no block is not used. */
  capacityBlocks = 0;
  /** START STOP UNIT stopped it: medium access is NOT READY until it is started. */
  stopped = false;
  /** START STOP UNIT ejected the medium: there is none until it is loaded. */
  ejected = false;
  /** The volume went away under it. */
  gone = false;
  /** The nexuses that need the medium to stay (PREVENT ALLOW MEDIUM REMOVAL). */
  readonly preventingRemoval: Set<Nexus> = new Set();
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
    this.deviceType = options.deviceType ?? DeviceType.directAccessBlock;
    this.isDisk = this.deviceType === DeviceType.directAccessBlock;
    this.identity = identityOf(volume.uuid, options);
    this.taskSet = new TaskSet(runTask);
    this.settings = UNIT_SETTINGS_DEFAULTS;
    this.effective = effectiveSettings(this.settings, volume.capabilities, blockBytes);
    this.#apply(options.settings ?? {});
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

  #apply(changes: Partial<UnitSettings>): void {
    assert(unitSettingsProblems(changes).length === 0, "settings are checked where they enter");
    this.settings = { ...this.settings, ...changes };
    const { capabilities } = this.volume;
    const effective = effectiveSettings(this.settings, capabilities, this.blockBytes);
    this.effective = effective;
    this.readOnly = effective.readOnly;
    this.writeProtected = effective.readOnly || effective.softwareWriteProtect;
    this.writeCache = effective.writeCache;
    this.descriptorSense = effective.descriptorSense;
    this.unmappable = effective.thinProvisioning;
    this.online = effective.online;
    // Who brings the unit online means that it can be used, and from a fixed disk nobody ejects anything.
    if (changes.online === true || !effective.removable) this.ejected = false;
  }

  get #hasMedium(): boolean {
    return this.online && !this.ejected;
  }

  /** Some nexus needs the medium to stay: it cannot be ejected, and an administrator should not take it away. */
  get removalPrevented(): boolean {
    return this.preventingRemoval.size > 0;
  }

  /** The medium that was ejected is back; the nexus that has loaded it knows that. */
  load(by: Nexus | null): void {
    if (this.ejected && this.online) this.raise(Sense.mediumMayHaveChanged, by);
    this.ejected = false;
  }

  /**
   * Changes settings while initiators are there, who learn of it from unit attentions. Commands that are running go on as
   * they began. What the write cache holds where it is switched off goes to stable media, and so does what is still being
   * written into it. What the volume cannot do has no effect, and is not announced.
   *
   * @returns whether anything has changed for initiators
   */
  configure(changes: Partial<UnitSettings>): boolean {
    const before = this.effective;
    const hadMedium = this.#hasMedium;
    this.#apply(changes);
    if (!hadMedium && this.#hasMedium) this.raise(Sense.mediumMayHaveChanged);
    for (const code of announcementsOf(before, this.effective)) this.raise(code);
    if (before.writeCache && !this.writeCache) {
      const writing = this.taskSet.tasksOf(null).filter(({ writes }) => writes);
      this.taskSet.await(writing, () => this.volume.submit(new BackgroundFlush(this)));
    }
    return hadMedium !== this.#hasMedium || !isDeepStrictEqual(before, this.effective);
  }

  /**
   * Gives the unit other names: for the administrator who asks for them, nobody else, as initiators find their disks by
   * them. Those that are there learn it from a unit attention. What the options leave out goes back to its default.
   *
   * @returns whether anything has changed
   */
  identify(options: IdentityOptions): boolean {
    const identity = identityOf(this.volume.uuid, options);
    if (isDeepStrictEqual(identity, this.identity)) return false;
    this.identity = identity;
    this.raise(Sense.inquiryDataHasChanged);
    return true;
  }

  /** The sense of commands that need the medium, for as long as it cannot be used; -1 where it can. */
  get notReady(): SenseCode {
    if (this.gone) return Sense.notReadyManualInterventionRequired;
    // BECOMING READY has initiators wait and try again; a drive without its medium has nothing to wait for.
    if (!this.#hasMedium) {
      return this.effective.removable ? Sense.mediumNotPresent : Sense.notReadyBecomingReady;
    }
    return this.stopped ? Sense.notReadyInitializingCommandRequired : -1;
  }

  /** What a reset restores (SAM-5 6.3.3). Tasks and unit attentions are the business of task management. */
  reset(): void {
    this.stopped = false;
    this.preventingRemoval.clear();
  }

  /** A nexus cannot reach the unit any more. */
  leave(nexus: Nexus): void {
    this.nexuses.delete(nexus);
    this.preventingRemoval.delete(nexus);
    nexus.dropAttentions(this);
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
