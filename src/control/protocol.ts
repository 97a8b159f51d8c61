import { join } from "node:path";
import type { ErrorKind } from "./schemas/error-kinds.ts";
import type { AccountProtocol } from "./schemas/account.ts";
import type { JobProtocol } from "./schemas/job.ts";
import type { LunProtocol } from "./schemas/lun.ts";
import type { PoolProtocol } from "./schemas/pool.ts";
import type { PortalProtocol } from "./schemas/portal.ts";
import type { SessionProtocol } from "./schemas/session.ts";
import type { SnapshotProtocol } from "./schemas/snapshot.ts";
import type { SystemProtocol } from "./schemas/system.ts";
import type { TargetProtocol } from "./schemas/target.ts";
import type { TgtApplyProtocol } from "./schemas/tgt-apply.ts";
import type { VolumeProtocol } from "./schemas/volume.ts";
import { defaultStateFolder, systemSurroundings } from "./state-folder.ts";

export { ERROR_KINDS, type ErrorKind } from "./schemas/error-kinds.ts";
export type { AccountReport } from "./schemas/account.ts";
export type { JobEvent, JobReport, Progress } from "./schemas/job.ts";
export type { LunReport, LunStatistics } from "./schemas/lun.ts";
export type { LunSettingArguments, LunSettings } from "./schemas/lun-settings.ts";
export type { Problem } from "./schemas/problem.ts";
export { BODY_BYTES_MAX, DATA_BYTES_MAX, EXTENTS_MAX } from "./schemas/limits.ts";
export type { PoolReport, SpaceReport, UsageMap } from "./schemas/pool.ts";
export type { PortalReport } from "./schemas/portal.ts";
export type { SessionArguments, SessionReport } from "./schemas/session.ts";
export type { ChangeReport, StatusReport } from "./schemas/system.ts";
export type { TargetReport, TargetSettings } from "./schemas/target.ts";
export type { DifferenceReport } from "./schemas/snapshot.ts";
export type {
  TgtApplyProtocol,
  TgtApplyReply,
  TgtDocument,
  TgtLunDocument,
  TgtSettingDocument,
  TgtTargetDocument,
} from "./schemas/tgt-apply.ts";
export type { ExtentsReply, RangeArguments, VolumeReport } from "./schemas/volume.ts";

/**
 * What the commands and the daemon say to each other: HTTP and JSON over a unix socket. An operation is
 * `POST /v1/<noun>/<verb>`; its arguments and its reply are the types of schemas/<noun>.ts. All sizes in bytes.
 */

const CONTROL_SOCKET = "control.sock";

/** A reply that comes in lines: progress, and at the end the result or an error. */
export const LINES_TYPE = "application/x-ndjson";
export const PROBLEM_TYPE = "application/problem+json";
export const JSON_TYPE = "application/json";
export const BYTES_TYPE = "application/octet-stream";

/** What a volume is called while an image is being imported into it; only such volumes are written through the socket. */
export const IMPORT_SUFFIX = ".importing";

/** Why an operation was refused or failed. The message names the object and says what to do. */
export class OperationError extends Error {
  override readonly name = "OperationError";
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.kind = kind;
  }
}

/** What callers over the network may do, each more than the one before it. Callers of the socket may do everything. */
export const ROLES = ["read", "operate", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Where the daemon of this user listens; `stateDir`: as its option has it. */
export function controlSocketPath(stateDir: string | null): string {
  return join(stateFolder(stateDir), CONTROL_SOCKET);
}

/** The state folder that is meant: the default of the user where none is named. */
export function stateFolder(stateDir: string | null): string {
  return stateDir ?? defaultStateFolder(systemSurroundings());
}

/** The operations on what the control plane keeps, and on sessions. */
export interface PlaneProtocol
  extends
    TargetProtocol,
    LunProtocol,
    AccountProtocol,
    PortalProtocol,
    SessionProtocol,
    SystemProtocol {}

/**
 * Every operation: what it is asked with, and what it answers. Types and schemas stand side by side in schemas/<noun>.ts; only the
 * types come in here, so that a command loads none of the schemas.
 */
export interface Protocol
  extends
    PoolProtocol,
    VolumeProtocol,
    SnapshotProtocol,
    JobProtocol,
    PlaneProtocol,
    TgtApplyProtocol {}

export type OperationName = keyof Protocol;
export type ArgumentsOf<Name extends OperationName> = Protocol[Name]["arguments"];
export type ReplyOf<Name extends OperationName> = Protocol[Name]["reply"];
