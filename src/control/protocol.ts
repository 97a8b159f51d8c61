import { join } from "node:path";
import { defaultStateFolder, systemSurroundings } from "./state-folder.ts";

/**
 * What the commands and the daemon say to each other: HTTP and JSON over a unix socket. An operation is
 * `POST /v1/<noun>/<verb>`; its arguments and its reply are the types below. All sizes in bytes.
 */

const CONTROL_SOCKET = "control.sock";

/** Arguments are names, sizes and short lists: more is a mistake. */
export const BODY_BYTES_MAX: number = 64 * 1024;

/** The most that one request reads from or writes to a volume: what both sides hold in memory for it. */
export const DATA_BYTES_MAX: number = 4 * 1024 * 1024;

/** Runs of extents in one reply: what makes about half a MiB of JSON. */
export const EXTENTS_MAX = 8192;

/** A reply that comes in lines: progress, and at the end the result or an error. */
export const LINES_TYPE = "application/x-ndjson";
export const JSON_TYPE = "application/json";
export const BYTES_TYPE = "application/octet-stream";

/** What a volume is called while an image is being imported into it; only such volumes are written through the socket. */
export const IMPORT_SUFFIX = ".importing";

/** Kinds of errors: those of pools, and a defect of the daemon. */
export const ERROR_KINDS = [
  "invalid",
  "exists",
  "missing",
  "busy",
  "foreign",
  "corrupt",
  "space",
  "unsupported",
  "failed",
  "io",
  "internal",
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** Why an operation was refused or failed. The message names the object and says what to do. */
export class OperationError extends Error {
  override readonly name = "OperationError";
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.kind = kind;
  }
}

/** How far a long operation is. */
export interface Progress {
  readonly step: string;
  readonly done: number;
  readonly total: number;
}

/** Where the daemon of this user listens; `stateDir`: as its option has it. */
export function controlSocketPath(stateDir: string | null): string {
  return join(stateFolder(stateDir), CONTROL_SOCKET);
}

/** The state folder that is meant: the default of the user where none is named. */
export function stateFolder(stateDir: string | null): string {
  return stateDir ?? defaultStateFolder(systemSurroundings());
}

export interface DeviceReport {
  readonly path: string;
  readonly uuid: string;
  readonly sizeBytes: number;
}

/** Where a pool's space is. */
export interface SpaceReport {
  readonly capacityBytes: number;
  /** The sizes of all volumes that can be written. */
  readonly virtualBytes: number;
  /** What the volumes map; what is shared counts once for each. */
  readonly mappedBytes: number;
  readonly dataBytes: number;
  readonly sharedBytes: number;
  readonly metadataBytes: number;
  /** Kept for volumes that have not used it yet. */
  readonly reservedBytes: number;
  readonly freeBytes: number;
  /** What a volume without a reservation could still take. */
  readonly usableBytes: number;
}

export interface PoolReport {
  readonly name: string;
  readonly uuid: string;
  readonly extentBytes: number;
  readonly devices: readonly DeviceReport[];
  readonly space: SpaceReport;
  /** Volumes and snapshots. */
  readonly volumeCount: number;
  /** 0: no limit. */
  readonly overcommitMax: number;
  /** Shares of 1. */
  readonly thresholds: readonly number[];
  /** What has stopped the pool, or null. */
  readonly failure: string | null;
}

/** The pool's space in equal pieces, in order; shares of 1. What is left is free. */
export interface UsageMap {
  readonly cellBytes: number;
  readonly cells: readonly { readonly data: number; readonly metadata: number }[];
}

export interface VolumeReport {
  readonly pool: string;
  readonly name: string;
  readonly uuid: string;
  readonly sizeBytes: number;
  readonly mappedBytes: number;
  /** Mapped since it was copied last. */
  readonly ownedBytes: number;
  readonly reservedBytes: number;
  /** 0: no limit. */
  readonly quotaBytes: number;
  readonly readOnly: boolean;
  readonly isSnapshot: boolean;
  /** The name of the volume that it was copied from; null: none, or gone. */
  readonly origin: string | null;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The daemon serves it. */
  readonly isServed: boolean;
}

export interface ExtentReport {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly mapped: boolean;
}

/** One page of runs; the next page begins at `nextOffsetBytes`, null: there is none. */
export interface ExtentsReply {
  readonly sizeBytes: number;
  readonly extents: readonly ExtentReport[];
  readonly nextOffsetBytes: number | null;
}

/** A range in which two volumes may differ; what is in none of them is equal. `removed`: zeros in the second. */
export interface DifferenceReport {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly kind: "changed" | "added" | "removed";
}

export interface DiffReply {
  /** Of the larger of the two. */
  readonly sizeBytes: number;
  readonly differences: readonly DifferenceReport[];
  readonly nextOffsetBytes: number | null;
}

export interface VolumeArguments {
  readonly pool: string;
  readonly volume: string;
}

export interface RangeArguments extends VolumeArguments {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

interface Lists<Reply> {
  readonly arguments: { readonly pool?: string };
  readonly reply: Reply;
}

type Nothing = Readonly<Record<string, never>>;

/** Every operation: what it is asked with, and what it answers. */
export interface Protocol {
  "pool/list": { readonly arguments: Nothing; readonly reply: readonly PoolReport[] };
  "pool/show": {
    readonly arguments: { readonly pool: string; readonly cells?: number };
    readonly reply: PoolReport & {
      readonly volumes: readonly VolumeReport[];
      readonly map: UsageMap;
    };
  };
  "pool/check": {
    readonly arguments: { readonly pool: string };
    readonly reply: { readonly isSound: boolean; readonly findings: readonly string[] };
  };
  "pool/extend": {
    readonly arguments: {
      readonly pool: string;
      /** A device to add; with `createBytes` an image file that is made where there is none. */
      readonly add?: string;
      readonly createBytes?: number;
      readonly wipe?: readonly string[];
      readonly acceptData?: boolean;
      /** A device of the pool that has grown; an image file is made `growBytes` large first. */
      readonly grow?: string;
      readonly growBytes?: number;
    };
    readonly reply: {
      readonly pool: PoolReport;
      /** The manifest of the backup of what was wiped. */
      readonly backup: string | null;
    };
  };
  "pool/set": {
    readonly arguments: {
      readonly pool: string;
      readonly overcommitMax?: number;
      readonly thresholds?: readonly number[];
    };
    readonly reply: PoolReport;
  };
  "volume/list": Lists<readonly VolumeReport[]>;
  "volume/show": { readonly arguments: VolumeArguments; readonly reply: VolumeReport };
  "volume/create": {
    readonly arguments: VolumeArguments & {
      readonly sizeBytes: number;
      readonly reservedBytes?: number;
      readonly quotaBytes?: number;
    };
    readonly reply: VolumeReport;
  };
  "volume/resize": {
    readonly arguments: VolumeArguments & {
      readonly sizeBytes: number;
      /** What lies past the new end is lost. */
      readonly shrink?: boolean;
    };
    readonly reply: VolumeReport;
  };
  "volume/rename": {
    readonly arguments: VolumeArguments & { readonly name: string };
    readonly reply: VolumeReport;
  };
  "volume/set": {
    readonly arguments: VolumeArguments & {
      readonly reservedBytes?: number;
      readonly quotaBytes?: number;
      readonly readOnly?: boolean;
    };
    readonly reply: VolumeReport;
  };
  "volume/delete": { readonly arguments: VolumeArguments; readonly reply: Nothing };
  "volume/extents": { readonly arguments: RangeArguments; readonly reply: ExtentsReply };
  /** Of volumes that are read-only: others change meanwhile. */
  "volume/read": { readonly arguments: RangeArguments; readonly reply: Uint8Array };
  /** Only of volumes that are being imported. The bytes are the request's payload. */
  "volume/write": {
    readonly arguments: VolumeArguments & { readonly offsetBytes: number };
    readonly reply: Nothing;
  };
  /** Makes what was written durable. */
  "volume/sync": { readonly arguments: VolumeArguments; readonly reply: Nothing };
  "snapshot/list": Lists<readonly VolumeReport[]>;
  "snapshot/create": {
    readonly arguments: {
      readonly pool: string;
      readonly copies: readonly { readonly volume: string; readonly name: string }[];
      /** Clones instead of snapshots. */
      readonly writable?: boolean;
    };
    readonly reply: readonly VolumeReport[];
  };
  "snapshot/delete": { readonly arguments: VolumeArguments; readonly reply: Nothing };
  "snapshot/rollback": {
    readonly arguments: VolumeArguments & {
      readonly source: string;
      /** The source need not have been made from the volume, nor the volume from it. */
      readonly unrelated?: boolean;
    };
    readonly reply: VolumeReport;
  };
  "snapshot/diff": {
    readonly arguments: {
      readonly pool: string;
      readonly from: string;
      readonly to: string;
      readonly offsetBytes: number;
    };
    readonly reply: DiffReply;
  };
}

export type OperationName = keyof Protocol;
export type ArgumentsOf<Name extends OperationName> = Protocol[Name]["arguments"];
export type ReplyOf<Name extends OperationName> = Protocol[Name]["reply"];
