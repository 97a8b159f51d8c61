import { checkFormat } from "../../thin/checkpoint/format-pool.ts";
import { EXTENT_BYTES_DEFAULT } from "../../thin/format/geometry.ts";
import { createMembers, type Member } from "../../thin/members/create-members.ts";
import { findingName } from "../../thin/members/finding.ts";
import { openForPool } from "../../thin/members/open-member.ts";
import { refuseAlive } from "../../thin/members/refuse-alive.ts";
import { takeBackMembers, unmarkWipe } from "../../thin/members/take-back.ts";
import { systemRandomBytes } from "../../util/random.ts";
import type { PoolConfig } from "../config/config.ts";
import { OperationError } from "../protocol.ts";
import { daemonOf } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { tellUnfinishedWipes, withOutcome } from "./unfinished-wipes.ts";

/*
 * A daemon destroys nothing when it opens a pool: what is on devices that a new pool is to have is taken away before, and put back where
 * the pool does not come to be.
 */

/** A device of which something may have been wiped. It is closed by now. */
export type WipedDevice = Pick<Member, "path" | "backup">;

type Request = OperationRequest<"pool/create">;

/** Takes away what is named on devices, after a backup, and after everything was looked at. Errors: as `createMembers` has them. */
export async function wipeDevices(
  request: Request,
  config: PoolConfig,
): Promise<readonly WipedDevice[]> {
  const { context, body, settle } = request;
  const { pool, devices, wipe = [], acceptData = false, direct = false } = body;
  await tellUnfinishedWipes(context);
  if (wipe.length === 0 && !acceptData) return [];
  refuseKnownName(request);
  const owner = await context.owner();
  if (wipe.length > 0) await refuseAlive(devices, { owner, clock: context.clock });
  const beforeWipe = (members: readonly Member[]): void => {
    checkFormat(members, {
      uuid: context.makeUuid(),
      extentBytes: config.create?.extentBytes ?? EXTENT_BYTES_DEFAULT,
      settings: { name: pool, overcommitMax: 0, thresholds: [] },
      randomBytes: systemRandomBytes,
      owner,
    });
    settle?.("the devices are being made the pool's");
  };
  const { backupDir } = context;
  const members = await createMembers(
    devices.map((path) => ({ path })),
    { wipe, acceptData, backupDir, time: context.now(), direct, beforeWipe },
  );
  for (const { device } of members) await device.close();
  const wiped = members.map(({ path, backup }) => ({ path, backup }));
  const backups = wiped.flatMap(({ backup }) => backup ?? []);
  const found = Object.fromEntries(members.map((member) => [member.path, whatWas(member)]));
  context.log.info({ pool, found, backups }, "devices wiped for a pool; what was there is kept");
  return wiped;
}

/** What was on a device that was wiped, by the names that are typed for it. */
export function whatWas({ wiped }: Pick<Member, "wiped">): readonly string[] {
  return [...new Set(wiped.map(findingName))];
}

/** The pool's opening would take an empty one of this name for one that is missing. Errors: exists. */
function refuseKnownName({ context, body: { pool } }: Request): void {
  if (!daemonOf(context).poolIdentities.wasMade(pool)) return;
  throw new OperationError(
    "exists",
    `there was a pool ${pool} before, for which an empty one would be taken: give it another name; nothing was wiped`,
  );
}

/** Puts back what was wiped for a pool that could not be made. Gives what is to be said of that. */
export async function putBackDevices(
  { context, body }: Request,
  wiped: readonly WipedDevice[],
  error: unknown,
): Promise<unknown> {
  if (wiped.every(({ backup }) => backup === null)) return error;
  const { pool, direct = false } = body;
  const left: string[] = [];
  for (const { path, backup } of wiped) {
    try {
      const device = await openForPool(path, { direct });
      try {
        left.push(...(await takeBackMembers([{ path, device, isZero: false, backup }])));
      } finally {
        await device.close();
      }
    } catch (reason) {
      await unmarkWipe([backup]);
      const why = reason instanceof Error ? reason.message : String(reason);
      const kept = backup === null ? "" : `; what was there is kept: ${backup}`;
      left.push(`${path} is not as it was before (${why})${kept}`);
    }
  }
  context.log.error(
    { pool, wiped, left, error },
    "a pool could not be made after devices were wiped",
  );
  // It was made up for a pool that is not there any more, and would keep the next one from being made.
  if (left.length === 0) await daemonOf(context).poolIdentities.forget(pool);
  return withOutcome(error, wiped, left);
}
