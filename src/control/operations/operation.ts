import type { BlockDevice } from "../../device/block-device.ts";
import type { OwnerIdentity } from "../../thin/checkpoint/owner.ts";
import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import type { Pool } from "../../thin/pool/pool.ts";
import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import type { Progress } from "../protocol.ts";

/** A pool that is open here. */
export interface OperatedPool {
  readonly pool: Pool;
  /** Its devices are open past the page cache. */
  readonly direct: boolean;
  /** Notes a path whose device is about to join the pool: killed in between, its host must find it again. Never rejects. */
  readonly remember: (path: string) => Promise<void>;
  /** Takes over a device that the pool has now besides: whoever closes the others closes it. */
  readonly adopt: (device: BlockDevice) => void;
}

/** What operations work on: the pools of a daemon, or one that a command has opened by itself. */
export interface OperationContext {
  readonly pools: () => readonly OperatedPool[];
  /** Whether a volume is served to initiators. */
  readonly isServed: (volume: ThinVolume) => boolean;
  /** Who works here, for pools that are to be wiped. */
  readonly owner: () => Promise<OwnerIdentity>;
  readonly clock: Clock;
  readonly makeUuid: () => string;
  /** Where what is wiped is kept. */
  readonly backupDir: string;
  readonly now: () => Date;
  readonly log: Log;
}

/** One request. */
export interface OperationRequest {
  readonly context: OperationContext;
  /** As it came: each operation checks its own. */
  readonly body: unknown;
  /** Bytes that came with it; empty where there were none. */
  readonly payload: Uint8Array;
  readonly progress: (progress: Progress) => void;
}

/** Checks a request, does it, and answers: as a whole or not at all. Rejects with what {@link operationErrorOf} understands. */
export type Operation<Reply> = (request: OperationRequest) => Promise<Reply>;
