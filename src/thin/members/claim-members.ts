import type { FileDevice } from "../../device/file-device.ts";
import { assert } from "../../util/assert.ts";
import type { Clock } from "../../util/clock.ts";
import type { OwnerIdentity } from "../checkpoint/owner.ts";
import { claimShared, type SharedClaim } from "./claim-shared.ts";
import { refuseLiving } from "./living-owner.ts";
import { openForPool } from "./open-member.ts";
import { mayOpen } from "./owner.ts";
import { scanDevices } from "./scan.ts";
import { watchBriefly } from "./watch-heartbeat.ts";

export interface ClaimMembersOptions {
  readonly owner: OwnerIdentity;
  readonly clock: Clock;
  /** As a heartbeat has it. */
  readonly uptimeMs?: () => number;
  /** Nothing is written: the pool is only looked at, whoever it says has it, but not while a host shows signs of life on it. */
  readonly readOnly?: boolean;
  /** Told that a host may share the pool, so that this takes some seconds. */
  readonly onShared?: () => void;
}

/** The devices of a pool, in the order of their paths, which nobody else has. */
export interface ClaimedMembers {
  readonly devices: readonly FileDevice[];
  /** To be released when the pool is closed, before its devices are. Null: no host has ever shared the pool, or it is only read. */
  readonly claim: SharedClaim | null;
}

/**
 * Opens devices for one process alone. A pool that a host shares with others says so by its signs of life, which stay when that host
 * has closed it: then other hosts are kept away as well, as by a daemon whose configuration says that the pool is shared.
 *
 * @throws {PoolError} as {@link openForPool} has them; `foreign`: it is open on another host; `busy`: another host shows signs of life, or a process of
 *   this one that has the pool open under other names lives
 */
export async function claimMembers(
  paths: readonly string[],
  { owner, clock, uptimeMs, readOnly = false, onShared }: ClaimMembersOptions,
): Promise<ClaimedMembers> {
  const shared = (await scanDevices(paths)).find(({ isShared }) => isShared);
  const devices: FileDevice[] = [];
  try {
    for (const path of paths) {
      devices.push(await openForPool(path, { readOnly, direct: shared !== undefined }));
    }
    // Anew: whoever had them may just have closed the pool.
    for (const pool of await scanDevices(paths)) await refuseLiving(pool.owner, owner);
    if (shared === undefined) return { devices, claim: null };
    const head = shared.devices.find(({ index }) => index === 0);
    const device = devices[paths.indexOf(head?.path ?? "")];
    assert(device !== undefined, "the sign of life lies on the pool's first device");
    // Before the owner's own sign of life is written over.
    if (!readOnly) mayOpen(shared.owner, owner);
    onShared?.();
    if (!readOnly) {
      const claim = await claimShared({ device, poolUuid: shared.uuid, owner, clock, uptimeMs });
      return { devices, claim };
    }
    await watchBriefly({ device, clock });
    return { devices, claim: null };
  } catch (error) {
    for (const device of devices) await device.close();
    throw error;
  }
}
