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
  health.onFailure((error) => {
    markFailure(failureMark, poolUuid, error);
    const what =
      error instanceof FenceError
        ? "the pool has stopped: another host may have it by now"
        : "the pool has stopped: start the machine anew to go on with what is on its devices";
    log.fatal({ error, pool: health.poolName }, what);
    failed(error);
  });
}

/** Why a pool is stopped that is not, or may not be, this host's any more. */
export class FenceError extends IoError {
  constructor(poolName: string, reason: PoolError) {
    super("failed", reason.message, { object: poolName, cause: reason });
  }
}

/** Sets the mark, unless no device has failed: then the system's cache shows what the devices have, and the pool may be opened again. */
export function markFailure(mark: FailureMark, poolUuid: string, error: IoError): void {
  if (!(error instanceof FenceError)) mark.set(poolUuid);
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
