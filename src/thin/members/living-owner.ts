import { basename } from "node:path";
import { readProcess, type RunningProcess } from "../../../native-free/running-process.ts";
import type { OwnerIdentity } from "../checkpoint/owner.ts";
import { NO_UUID } from "../format/identity.ts";
import type { OwnerRecord } from "../format/superblock.ts";
import { PoolError } from "../pool-error.ts";

/** The superblock knows the second in which a pool was opened, and so does the system when it was booted. Seconds. */
const CLOCKS_DIFFER_MAX = 2;

/**
 * Refuses a pool whose owner is a process of this system that lives. Locks keep others from its devices, but not where one disk or file
 * has two names that the kernel does not take for one: two paths to it, a loop device over it. A later process with the same number,
 * or another program, is not the owner; where the system's clock was set meanwhile, this may miss one, and never hinders for long.
 *
 * @throws {PoolError} `busy`
 */
export async function refuseLiving(
  owner: OwnerRecord,
  me: OwnerIdentity,
  look: (pid: number) => Promise<RunningProcess | null> = readProcess,
): Promise<void> {
  const isHere = owner.hostId === me.hostId && owner.bootId === me.bootId;
  if (owner.state === "clean" || !isHere || owner.bootId === NO_UUID) return;
  // Whatever this process has open itself, its locks keep from it.
  if (owner.pid === me.pid) return;
  const found = await look(owner.pid);
  if (found === null || found.startedAtSeconds > owner.openedAtSeconds + CLOCKS_DIFFER_MAX) return;
  if (found.program !== null && found.program !== basename(process.execPath)) return;
  throw new PoolError(
    "busy",
    `the pool is in use: process ${owner.pid} of this system has it open, perhaps under another name of its devices`,
  );
}
