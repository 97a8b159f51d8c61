import type { BlockDevice } from "../../device/block-device.ts";
import type { OwnerIdentity } from "../../thin/checkpoint/owner.ts";
import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import type { Pool } from "../../thin/pool/pool.ts";
import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import type { Jobs } from "../jobs.ts";
import type { ArgumentsOf, OperationName, Progress, ReplyOf, Role } from "../protocol.ts";
import type { Schema } from "../schemas/schema.ts";
import type { OperatedDaemon } from "./operated-daemon.ts";

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
  /** Targets, portals and sessions; not there where a command works on a pool by itself. */
  readonly daemon?: OperatedDaemon;
  /** What a daemon does without anybody waiting for it. */
  readonly jobs?: Jobs;
}

/** One request as it came from outside. */
export interface UncheckedRequest {
  readonly context: OperationContext;
  readonly body: unknown;
  /** Bytes that came with it; empty where there were none. */
  readonly payload: Uint8Array;
  readonly progress: (progress: Progress) => void;
  /** Who asks, for the log; a command of this process where it is not given. */
  readonly by?: string;
  /** Aborted when whoever asked wants no answer any more; only operations that say so heed it. Its reason is an OperationError. */
  readonly signal?: AbortSignal;
  /** From here on it cannot be stopped, and why, a clause. Throws where it was asked to stop before. */
  readonly settle?: (why: string) => void;
}

/** One request whose arguments are what the operation's schema says. */
export interface OperationRequest<
  Name extends OperationName = OperationName,
> extends UncheckedRequest {
  readonly body: ArgumentsOf<Name>;
}

/** What there is to know of an operation; the faces only translate. */
export interface Operation<Name extends OperationName> {
  /** One line for the documentation. */
  readonly summary: string;
  /** Who may call it over the network. */
  readonly role: Role;
  /** Changes nothing: may be asked for by GET. */
  readonly isReading?: boolean;
  /** Takes minutes: may be asked for as a job. */
  readonly isLong?: boolean;
  /** Of a long one: why it does not heed the signal of its request, a clause; not there: it does. */
  readonly whyNoStop?: string;
  /** The request's body is bytes, and its arguments are in the query. */
  readonly takesPayload?: boolean;
  /** The reply is bytes. */
  readonly repliesBytes?: boolean;
  /** Where the arguments may be more than names, sizes and short lists. */
  readonly bodyBytesMax?: number;
  readonly arguments: Schema<ArgumentsOf<Name>>;
  readonly reply: Schema<ReplyOf<Name>>;
  /** Does it, and answers: as a whole or not at all. Rejects with what `operationErrorOf` understands. */
  readonly run: (request: OperationRequest<Name>) => Promise<ReplyOf<Name>>;
}
