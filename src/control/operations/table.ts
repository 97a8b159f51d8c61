import type { OperationName, ReplyOf } from "../protocol.ts";
import { JOB_SCHEMAS } from "../schemas/job.ts";
import { POOL_SCHEMAS } from "../schemas/pool.ts";
import { SNAPSHOT_SCHEMAS } from "../schemas/snapshot.ts";
import { TGT_APPLY_SCHEMAS, TGT_BODY_BYTES_MAX } from "../schemas/tgt-apply.ts";
import { VOLUME_SCHEMAS } from "../schemas/volume.ts";
import { checkArguments } from "./arguments.ts";
import type { Operation, UncheckedRequest } from "./operation.ts";
import { cancelJob, listJobs, showJob } from "./jobs.ts";
import { extendPool } from "./pool-extend.ts";
import { PLANE_OPERATIONS } from "./plane-table.ts";
import { addPool, createPool, removePool } from "./pool-membership.ts";
import { checkPool, listPools, setPool, showPool } from "./pools.ts";
import { diffSnapshots } from "./snapshot-diff.ts";
import { createSnapshots, deleteSnapshot, listSnapshots, rollbackVolume } from "./snapshots.ts";
import { applyTgt } from "./tgt-apply.ts";
import { dumpTgt } from "./tgt-dump.ts";
import { readVolume, syncVolume, volumeExtents, writeVolume } from "./volume-data.ts";
import { resizeVolume } from "./volume-size.ts";
import {
  createVolume,
  deleteVolume,
  listVolumes,
  renameVolume,
  setVolume,
  showVolume,
} from "./volumes.ts";

/**
 * Every operation by its name. One more takes its types and schemas in schemas/<noun>.ts (and the noun's protocol in Protocol of
 * protocol.ts), a function in a file beside this one, and an entry here: the compiler holds the three together, and HTTP, its
 * documentation and the roles follow from the entry.
 */
export const OPERATIONS: { readonly [Name in OperationName]: Operation<Name> } = {
  "pool/list": {
    ...POOL_SCHEMAS["pool/list"],
    summary: "All pools",
    role: "read",
    isReading: true,
    run: listPools,
  },
  "pool/show": {
    ...POOL_SCHEMAS["pool/show"],
    summary: "A pool, its volumes, and where its data lie",
    role: "read",
    isReading: true,
    run: showPool,
  },
  "pool/check": {
    ...POOL_SCHEMAS["pool/check"],
    summary: "Counts everything of a pool anew from its maps and compares",
    role: "operate",
    isLong: true,
    run: checkPool,
  },
  "pool/extend": {
    ...POOL_SCHEMAS["pool/extend"],
    summary: "Gives a pool more space: a device to add, or one that has grown",
    role: "admin",
    isLong: true,
    run: extendPool,
  },
  "pool/set": {
    ...POOL_SCHEMAS["pool/set"],
    summary: "Changes the settings of a pool",
    role: "admin",
    run: setPool,
  },
  "pool/create": {
    ...POOL_SCHEMAS["pool/create"],
    summary: "Makes an empty pool, which the daemon has from then on",
    role: "admin",
    isLong: true,
    run: createPool,
  },
  "pool/add": {
    ...POOL_SCHEMAS["pool/add"],
    summary: "Opens a pool that is there, which the daemon has from then on",
    role: "admin",
    isLong: true,
    whyNoStop:
      "a pool that is being opened is closed again only when it is open; pool/remove lets go of it then",
    run: addPool,
  },
  "pool/remove": {
    ...POOL_SCHEMAS["pool/remove"],
    summary: "Lets go of a pool whose volumes nobody uses; its devices stay as they are",
    role: "admin",
    run: removePool,
  },
  "volume/list": {
    ...VOLUME_SCHEMAS["volume/list"],
    summary: "Volumes and snapshots",
    role: "read",
    isReading: true,
    run: listVolumes,
  },
  "volume/show": {
    ...VOLUME_SCHEMAS["volume/show"],
    summary: "A volume or snapshot",
    role: "read",
    isReading: true,
    run: showVolume,
  },
  "volume/create": {
    ...VOLUME_SCHEMAS["volume/create"],
    summary: "Makes an empty volume",
    role: "operate",
    run: createVolume,
  },
  "volume/resize": {
    ...VOLUME_SCHEMAS["volume/resize"],
    summary: "Changes the size of a volume, also while it is served",
    role: "operate",
    run: resizeVolume,
  },
  "volume/rename": {
    ...VOLUME_SCHEMAS["volume/rename"],
    summary: "Gives a volume another name, also while it is served",
    role: "operate",
    run: renameVolume,
  },
  "volume/set": {
    ...VOLUME_SCHEMAS["volume/set"],
    summary: "Changes the reservation, quota or write protection of a volume",
    role: "operate",
    run: setVolume,
  },
  "volume/delete": {
    ...VOLUME_SCHEMAS["volume/delete"],
    summary: "Deletes a volume and all its data",
    role: "operate",
    run: deleteVolume,
  },
  "volume/extents": {
    ...VOLUME_SCHEMAS["volume/extents"],
    summary: "What of a volume is mapped, a page of runs at a time",
    role: "read",
    isReading: true,
    run: volumeExtents,
  },
  "volume/read": {
    ...VOLUME_SCHEMAS["volume/read"],
    summary: "Bytes of a volume that cannot change meanwhile",
    // What people keep on their disks is no matter of monitoring.
    role: "operate",
    isReading: true,
    repliesBytes: true,
    run: readVolume,
  },
  "volume/write": {
    ...VOLUME_SCHEMAS["volume/write"],
    summary: "Writes bytes to a volume that is being imported",
    role: "operate",
    takesPayload: true,
    run: writeVolume,
  },
  "volume/sync": {
    ...VOLUME_SCHEMAS["volume/sync"],
    summary: "Makes durable what was written to a volume",
    role: "operate",
    run: syncVolume,
  },
  "snapshot/list": {
    ...SNAPSHOT_SCHEMAS["snapshot/list"],
    summary: "Snapshots",
    role: "read",
    isReading: true,
    run: listSnapshots,
  },
  "snapshot/create": {
    ...SNAPSHOT_SCHEMAS["snapshot/create"],
    summary: "Copies volumes of a pool, all at one instant",
    role: "operate",
    run: createSnapshots,
  },
  "snapshot/delete": {
    ...SNAPSHOT_SCHEMAS["snapshot/delete"],
    summary: "Deletes a snapshot",
    role: "operate",
    run: deleteSnapshot,
  },
  "snapshot/rollback": {
    ...SNAPSHOT_SCHEMAS["snapshot/rollback"],
    summary: "Makes a volume what another one is, also while it is served",
    role: "operate",
    run: rollbackVolume,
  },
  "snapshot/diff": {
    ...SNAPSHOT_SCHEMAS["snapshot/diff"],
    summary: "Where two volumes of a pool may differ, a page of runs at a time",
    role: "read",
    isReading: true,
    isLong: true,
    run: diffSnapshots,
  },
  "job/list": {
    ...JOB_SCHEMAS["job/list"],
    summary: "Jobs that run, and some that have ended",
    role: "read",
    isReading: true,
    run: listJobs,
  },
  "job/show": {
    ...JOB_SCHEMAS["job/show"],
    summary: "A job, how far it is, and what came of it",
    role: "read",
    isReading: true,
    run: showJob,
  },
  "job/cancel": {
    ...JOB_SCHEMAS["job/cancel"],
    summary: "Asks a job to stop",
    role: "operate",
    run: cancelJob,
  },
  "tgt/apply": {
    ...TGT_APPLY_SCHEMAS["tgt/apply"],
    summary: "Makes targets as a targets.conf of tgt has them, all of them at once",
    role: "admin",
    bodyBytesMax: TGT_BODY_BYTES_MAX,
    run: applyTgt,
  },
  "tgt/dump": {
    ...TGT_APPLY_SCHEMAS["tgt/dump"],
    summary: "All targets in the words of tgt's targets.conf",
    // With passwords, if asked for: no GET.
    role: "admin",
    run: dumpTgt,
  },
  ...PLANE_OPERATIONS,
};

/** All names, in the order of the table. */
export const OPERATION_NAMES: readonly OperationName[] = Object.keys(OPERATIONS) as OperationName[];

/** Whether a name that came from outside is an operation's. */
export function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(OPERATIONS, name);
}

/** Checks a request against the operation's schema, does it, and answers: every face comes through here. */
export async function perform<Name extends OperationName>(
  name: Name,
  request: UncheckedRequest,
): Promise<ReplyOf<Name>> {
  const operation: Operation<Name> = OPERATIONS[name];
  const body = checkArguments(operation.arguments, request.body);
  return operation.run({ ...request, body });
}
