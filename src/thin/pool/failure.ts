import type { BlockDevice } from "../../device/block-device.ts";
import { IoError } from "../../util/io-error.ts";
import type { Log } from "../../util/log.ts";
import type { OwnerIdentity } from "../checkpoint/owner.ts";
import { newestOf, type SuperblockCopy } from "../format/superblock-io.ts";
import type { Health } from "../log/health.ts";
import { mayOpen } from "../members/owner.ts";
import { PoolError } from "../pool-error.ts";
import type { FailureMark } from "./pool-options.ts";

/** What must happen when a pool fails: the mark first, so that nobody opens it again before the machine is started anew (rule F). */
export function watchFailure(
  poolUuid: string,
  parts: { readonly health: Health; readonly failureMark: FailureMark; readonly log: Log },
  failed: (error: IoError) => void,
): void {
  const { health, failureMark, log } = parts;
  health.onEachFailure((error) => {
    markFailure(failureMark, poolUuid, error);
    if (!(health.failure instanceof FenceError) || isOfFence(error)) return;
    const what = "a device has failed after the pool had stopped: start the machine anew";
    log.error({ error, pool: health.poolName }, what);
  });
  health.onFailure((error) => {
    // Who opens or closes it says so.
    if (!(error instanceof NoRoomError)) log.fatal({ error, pool: health.poolName }, endOf(error));
    failed(error);
  });
}

/** Why a pool is stopped that is not, or may not be, this host's any more. */
export class FenceError extends IoError {
  constructor(poolName: string, reason: PoolError) {
    super("failed", reason.message, { object: poolName, cause: reason });
  }
}

/**
 * The pool is left as a kill would leave it, for the file system below has no room for its checkpoint: all is in its journal, and it may be
 * opened again. No device has failed.
 */
export class NoRoomError extends FenceError {}

function endOf(error: IoError): string {
  if (error instanceof FenceError) return "the pool has stopped: another host may have it by now";
  return "the pool has stopped: start the machine anew to go on with what is on its devices";
}

/** Also what a device refused only because its pool was fenced. */
function isOfFence(error: unknown): boolean {
  let at = error;
  while (at instanceof Error && !(at instanceof FenceError)) at = at.cause;
  return at instanceof FenceError;
}

/** Sets the mark, unless no device has failed: then the system's cache shows what the devices have, and the pool may be opened again. */
export function markFailure(mark: FailureMark, poolUuid: string, error: IoError): void {
  if (!isOfFence(error)) mark.set(poolUuid);
}

/**
 * What ties a device to its pool. A flush that the device began by itself and that failed stops the pool at once (rule F); when the pool is
 * fenced the device begins no write any more, also none of those that wait in it. A pool that has failed by itself stays this host's, and is
 * closed when they are done; who lets others have it before fences it, too. Returns the function that unties them.
 */
export function watchDevice(health: Health, device: BlockDevice): () => void {
  const unsubscribes = [
    device.onFlushFailure((cause) => {
      const message = "a flush failed: writes that were acknowledged may be lost";
      health.fail(new IoError("failed", message, { object: health.poolName, cause }));
    }),
    health.onEachFailure((error) => {
      if (error instanceof FenceError) device.refuseWrites(error);
    }),
  ];
  return () => {
    for (const unsubscribe of unsubscribes) unsubscribe();
  };
}

/** Errors: failed, where the pool has failed since the machine was started. */
export async function refuseFailed(
  failureMark: FailureMark,
  pool: { readonly uuid: string; readonly name: string },
): Promise<void> {
  if (!(await failureMark.isSet(pool.uuid))) return;
  throw new PoolError(
    "failed",
    `pool ${pool.name} (${pool.uuid}) has failed since this machine was started: the system's cache may show data that its ` +
      "devices do not have. Check the devices, start the machine anew, then open the pool: it goes on from what is on them",
  );
}

/** Errors: foreign, where another host has the pool, as far as the newest superblock knows. */
export function refuseForeign(
  copies: readonly SuperblockCopy[],
  { owner, takeOver }: { readonly owner: OwnerIdentity; readonly takeOver?: boolean },
): void {
  const newest = newestOf(copies);
  if (newest !== undefined) mayOpen(newest.owner, owner, { takeOver: takeOver === true });
}
