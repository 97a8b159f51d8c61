import { createHash } from "node:crypto";
import { readBootId, readMachineId } from "../../../native-free/machine-identity.ts";
import { systemRandomBytes, type RandomBytes } from "../../util/random.ts";
import type { OwnerIdentity } from "../checkpoint/owner.ts";
import { getUuid, NO_UUID, UUID_BYTES } from "../format/identity.ts";
import type { OwnerRecord } from "../format/superblock.ts";
import { PoolError } from "../pool-error.ts";

/** Added to the machine id, which is not to be given away as it is (machine-id(5)). */
const HOST_ID_SALT = "thinlun-pool";

/** The first 16 bytes of SHA-256 of machine id and salt, as a UUID. */
export function hostIdOf(machineId: string): string {
  return getUuid(createHash("sha256").update(`${machineId}${HOST_ID_SALT}`).digest(), 0);
}

export interface IdentitySources {
  readonly machineId: string | null;
  readonly bootId: string | null;
  readonly randomBytes: RandomBytes;
  readonly nowSeconds: number;
}

/**
 * Who opens a pool here and now. A machine without an id has one for this boot only, and one without a boot id takes a new one
 * each time: then more is asked before a pool is opened after a crash, never less.
 */
export function ownerIdentity(sources: IdentitySources): OwnerIdentity {
  const { machineId, bootId, randomBytes, nowSeconds } = sources;
  const nonce = getUuid(randomBytes(UUID_BYTES), 0);
  return {
    hostId: hostIdOf(machineId ?? `boot ${bootId ?? nonce}`),
    bootId: bootId ?? getUuid(randomBytes(UUID_BYTES), 0),
    nonce,
    pid: process.pid,
    openedAtSeconds: nowSeconds,
  };
}

/** The identity of this process for one opening of a pool. */
export function systemOwner(): Promise<OwnerIdentity> {
  return Promise.resolve(
    ownerIdentity({
      machineId: readMachineId(),
      bootId: readBootId(),
      randomBytes: systemRandomBytes,
      nowSeconds: Math.floor(Date.now() / 1000),
    }),
  );
}

/**
 * How a pool was left: closed; by a process that died, whose page cache is this kernel's; or by a kernel that is gone, and with
 * it everything that was not flushed (rule K).
 */
export type PoolLeft = "clean" | "crashed-here" | "power-loss";

export interface OpenConsent {
  /** The owner is known to be dead although it never said so. Asked of a person, for this pool. */
  readonly takeOver?: boolean;
}

/**
 * Whether a pool may be opened by `me`, who holds the locks of its devices, and in what state it was left.
 *
 * | state  | host    | boot  | takeover | answer       |
 * | ------ | ------- | ----- | -------- | ------------ |
 * | clean  | any     | any   | any      | clean        |
 * | active | mine    | mine  | any      | crashed-here |
 * | active | mine    | other | any      | power-loss   |
 * | active | another | any   | no       | foreign      |
 * | active | another | mine  | yes      | crashed-here |
 * | active | another | other | yes      | power-loss   |
 *
 * Another host with my boot is another container on my kernel: the page cache is the one it wrote to. Its lock is not seen
 * everywhere, so it counts as foreign. After a takeover is allowed here, the heartbeat has to be watched, see `watchHeartbeat`.
 *
 * @throws {PoolError} `foreign`
 */
export function mayOpen(
  owner: OwnerRecord,
  me: OwnerIdentity,
  consent: OpenConsent = {},
): PoolLeft {
  if (owner.state === "clean") return "clean";
  const isMyBoot = owner.bootId === me.bootId && owner.bootId !== NO_UUID;
  if (owner.hostId !== me.hostId && consent.takeOver !== true) {
    const since = new Date(Math.min(owner.openedAtSeconds * 1000, 8.64e15)).toISOString();
    throw new PoolError(
      "foreign",
      `the pool is open on another host (${owner.hostId}, process ${owner.pid}, since ${since}); ` +
        "close it there, or, if that host is certainly down, take the pool over",
    );
  }
  return isMyBoot ? "crashed-here" : "power-loss";
}

/**
 * Whether a pool may be taken over because its owner is silent. One that never gave a sign of life would be so, too, while it works.
 * `sign`: the one on the pool; that of this host is of an earlier takeover, which came to nothing.
 *
 * @throws {PoolError} `foreign`
 */
export function refuseSilent(
  owner: OwnerRecord,
  sign: { readonly hostId: string; readonly nonce: string } | null,
  me: OwnerIdentity,
): void {
  if (sign?.nonce === owner.nonce || sign?.hostId === me.hostId) return;
  throw new PoolError(
    "foreign",
    `the pool is open on another host (${owner.hostId}), which has never given a sign of life, so that its silence says nothing: ` +
      'make sure that it is down, and say so by "takeOver: force"',
  );
}

/** Whether opening means taking the pool away from another host, so that its heartbeat has to be watched first. */
export function isTakeover(owner: OwnerRecord, me: OwnerIdentity): boolean {
  return owner.state === "active" && owner.hostId !== me.hostId;
}
