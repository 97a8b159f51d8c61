import type { Clock } from "../../util/clock.ts";
import type { OwnerIdentity } from "../checkpoint/owner.ts";
import { PoolError } from "../pool-error.ts";
import { claimMembers } from "./claim-members.ts";
import { mayOpen } from "./owner.ts";
import { type FoundPool, scanDevices } from "./scan.ts";

export interface RefuseAliveOptions {
  readonly owner: OwnerIdentity;
  readonly clock: Clock;
  /** Told that a host may share a pool, so that this takes some seconds. */
  readonly onShared?: () => void;
}

/**
 * To be asked before pools are wiped from these devices: whoever names one to be wiped does not mean one that somebody works with.
 *
 * @throws {PoolError} `busy`: a process or another host has it; `foreign`: another host has it, or may have it
 */
export async function refuseAlive(
  paths: readonly string[],
  { owner, clock, onShared }: RefuseAliveOptions,
): Promise<void> {
  for (const pool of await scanDevices(paths)) {
    if (pool.devices.some(({ index }) => index === 0)) mayOpen(pool.owner, owner);
    else refuseStray(pool, owner);
    const members = pool.devices.map(({ path }) => path);
    const { devices } = await claimMembers(members, {
      owner,
      clock,
      readOnly: true,
      ...(onShared === undefined ? {} : { onShared }),
    });
    for (const device of devices) await device.close();
  }
}

/** The first device tells who has the pool; what the others say is as old as their place in it, and they bear no signs of life. */
function refuseStray({ name, uuid, owner }: FoundPool, me: OwnerIdentity): void {
  if (owner.hostId === me.hostId) return;
  throw new PoolError(
    "foreign",
    `the pool "${name}" (${uuid}) was made by another host (${owner.hostId}), and may be open there: its first device, which would tell, is not ` +
      "among these. Delete the pool there, or wipe this device by other means (wipefs)",
  );
}
