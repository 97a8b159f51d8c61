import { systemFailureMark } from "../thin/members/failure-mark.ts";
import { systemOwner } from "../thin/members/owner.ts";
import { systemClock, systemUptimeMs } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import { systemRandomBytes } from "../util/random.ts";
import { PoolStore, type PoolStoreOptions } from "./pool-store.ts";

/** The pools of a daemon on this host, and by its clocks. None is open yet. */
export function systemPools(
  log: Log,
  { identities, stateDir }: Pick<PoolStoreOptions, "identities" | "stateDir">,
): PoolStore {
  return new PoolStore({
    log,
    clock: systemClock,
    uptimeMs: systemUptimeMs,
    randomBytes: systemRandomBytes,
    identities,
    stateDir,
    owner: systemOwner,
    failureMark: systemFailureMark(),
  });
}
