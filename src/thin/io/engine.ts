import type { Clock } from "../../util/clock.ts";
import type { IoError } from "../../util/io-error.ts";
import type { Geometry } from "../format/geometry.ts";
import type { JournalRecord } from "../format/records.ts";
import type { PoolState } from "../map/pool-state.ts";

/** Told how an append went; the record is in effect when `appended` is called. */
export interface EngineAppendWaiter {
  appended(seq: number): void;
  appendFailed(error: IoError): void;
  /** The record was taken out before it was on its way: nothing of it is in the journal. */
  withdrawn?(error: IoError): void;
}

/** Of the journal, what the data path uses. */
export interface EngineJournal {
  /** The last record that is in effect. */
  readonly appliedSeq: number;
  append(record: JournalRecord, waiter: EngineAppendWaiter): void;
  /** In one block. */
  appendTogether(records: readonly JournalRecord[], waiter: EngineAppendWaiter): void;
}

/** Of the barrier, what the data path uses. */
export interface EngineBarrier {
  /** The last record that survives a power loss. */
  readonly durableSeq: number;
  sync(waiter: { done(error: IoError | null): void }): void;
}

/** What is done with writes for which there is no space. */
export interface SpaceWait {
  /** Calls one of the two, once, and perhaps before it returns: `retry` when there may be space, `expire` when the wait is over. */
  wait(retry: () => void, expire: (error: IoError) => void): void;
  /** How many wait. */
  readonly waiters: number;
  /** There may be space for some of them. */
  freed(): void;
}

/** A write of a volume for which the storage below had no room. */
export interface HeldWrite {
  /** Until when it waits, in milliseconds of the clock; 0: that is not known yet. It is kept when it comes back from trying again. */
  untilMs: number;
  retry(): void;
  /** The wait is over. */
  giveUp(error: IoError): void;
}

/** What is done with them. */
export interface StorageHold {
  /** Calls one of the write's two, once, and perhaps before it returns. */
  hold(write: HeldWrite): void;
  /** A write that was held has found room. */
  passed(): void;
}

/** What all volumes of a pool share; the pool puts it together. */
export interface Engine {
  readonly poolName: string;
  readonly geometry: Geometry;
  readonly state: PoolState;
  readonly journal: EngineJournal;
  readonly barrier: EngineBarrier;
  /** What has stopped the pool, or null. */
  readonly health: { readonly failure: IoError | null };
  readonly clock: Clock;
  readonly fullPolicy: SpaceWait;
  readonly storage: StorageHold;
  /** Set whenever a write has completed; the background barrier clears it before it begins. */
  isDirty: boolean;
}
