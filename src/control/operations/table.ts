import type { OperationName, ReplyOf } from "../protocol.ts";
import type { Operation } from "./operation.ts";
import { extendPool } from "./pool-extend.ts";
import { checkPool, listPools, setPool, showPool } from "./pools.ts";
import { diffSnapshots } from "./snapshot-diff.ts";
import { createSnapshots, deleteSnapshot, listSnapshots, rollbackVolume } from "./snapshots.ts";
import { readVolume, syncVolume, volumeExtents, writeVolume } from "./volume-data.ts";
import {
  createVolume,
  deleteVolume,
  listVolumes,
  renameVolume,
  resizeVolume,
  setVolume,
  showVolume,
} from "./volumes.ts";

/** Every operation by its name. */
export const OPERATIONS: { readonly [Name in OperationName]: Operation<ReplyOf<Name>> } = {
  "pool/list": listPools,
  "pool/show": showPool,
  "pool/check": checkPool,
  "pool/extend": extendPool,
  "pool/set": setPool,
  "volume/list": listVolumes,
  "volume/show": showVolume,
  "volume/create": createVolume,
  "volume/resize": resizeVolume,
  "volume/rename": renameVolume,
  "volume/set": setVolume,
  "volume/delete": deleteVolume,
  "volume/extents": volumeExtents,
  "volume/read": readVolume,
  "volume/write": writeVolume,
  "volume/sync": syncVolume,
  "snapshot/list": listSnapshots,
  "snapshot/create": createSnapshots,
  "snapshot/delete": deleteSnapshot,
  "snapshot/rollback": rollbackVolume,
  "snapshot/diff": diffSnapshots,
};

/** Whether a name that came from outside is an operation's. */
export function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(OPERATIONS, name);
}
