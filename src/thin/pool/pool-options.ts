import type { BlockDevice } from "../../device/block-device.ts";
import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import type { OwnerIdentity } from "../checkpoint/owner.ts";
import type { PoolError } from "../pool-error.ts";
import type { AutoGrowthSettings } from "./auto-growth.ts";
import {
  DISCARD_BYTES_PER_SECOND_DEFAULT,
  FILL_BYTES_PER_SECOND_DEFAULT,
  FULL_RETRY_MS_DEFAULT,
  HOLD_MS_DEFAULT,
  LEAF_MEMORY_BYTES_DEFAULT,
} from "./limits.ts";

/** Remembers, for as long as the machine is up and not on the pool's devices, that a pool has failed (rule F). */
export interface FailureMark {
  isSet(poolUuid: string): Promise<boolean>;
  /** Synchronous, as good as it can: the process may be about to end. */
  set(poolUuid: string): void;
}

/** How a pool is run; none of it is kept in the pool. */
export interface PoolRunSettings {
  /** Memory for leaves, in bytes; what is not in it is read when it is needed. */
  readonly leafMemoryBytesMax: number;
  /** The longest that a write waits for space in a full pool, in milliseconds. */
  readonly holdMs: number;
  /** For how long writes into a full pool fail as "try again", in milliseconds, before they fail for good. */
  readonly fullRetryMs: number;
  /** Warn at these shares of space in use as well as at those in the pool's own settings. */
  readonly thresholds: readonly number[];
  readonly growth: AutoGrowthSettings | null;
  /** 0: none are passed down. */
  readonly discardBytesPerSecond: number;
  /** 0: PARTIAL entries are left as they are. */
  readonly fillBytesPerSecond: number;
}

export const POOL_RUN_DEFAULTS: PoolRunSettings = {
  leafMemoryBytesMax: LEAF_MEMORY_BYTES_DEFAULT,
  holdMs: HOLD_MS_DEFAULT,
  fullRetryMs: FULL_RETRY_MS_DEFAULT,
  thresholds: [],
  growth: null,
  discardBytesPerSecond: DISCARD_BYTES_PER_SECOND_DEFAULT,
  fillBytesPerSecond: FILL_BYTES_PER_SECOND_DEFAULT,
};

export interface PoolOpenOptions {
  /** All of the pool's devices, in any order; more are ignored only if they belong to no pool. They stay the caller's to close. */
  readonly devices: readonly BlockDevice[];
  readonly owner: OwnerIdentity;
  /** The host that has the pool open is known to be dead. */
  readonly takeOver?: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly failureMark: FailureMark;
  /**
   * Where other hosts reach the pool: takes who is to be told when it is not this host's any more, at once where that has happened. From
   * then on nothing more is written, also where the pool is only being opened.
   */
  readonly onLost?: (listener: (reason: PoolError) => void) => void;
  readonly settings?: Partial<PoolRunSettings>;
  /** Whether the program has much else to do: what nobody waits for is put off then. Never, where it is not given. */
  readonly isHostBusy?: () => boolean;
}

/** A volume to be made; {@link isNewName}, lower-case UUID, bytes. */
export interface VolumeSpec {
  readonly name: string;
  readonly uuid: string;
  /** A multiple of 512. */
  readonly sizeBytes: number;
  /** Space that is kept for it. */
  readonly reservedBytes?: number;
  /** The most that it may map; 0: no limit. */
  readonly quotaBytes?: number;
}

/** What of a volume can be changed. */
export interface AttributeChanges {
  readonly readOnly?: boolean;
  readonly reservedBytes?: number;
  readonly quotaBytes?: number;
}

/** What of a pool can be changed. */
export interface SettingsChanges {
  readonly name?: string;
  readonly overcommitMax?: number;
  readonly thresholds?: readonly number[];
}

/** A copy to be made of a volume: a snapshot, or where it can be written, a clone. */
export interface CopySpec<Source> {
  readonly source: Source;
  readonly name: string;
  readonly uuid: string;
  /** True where it is left out. */
  readonly readOnly?: boolean;
}

/** A device that joins the pool. */
export interface NewDevice {
  /** Lower-case UUID for its label. */
  readonly uuid: string;
  /** All of it reads as zeros on stable media: a file that was made for it just now. */
  readonly isZero: boolean;
}
