import type { BlockDevice } from "../../device/block-device.ts";
import { formatSize } from "../../util/units.ts";
import { isFault } from "../format/fault.ts";
import { newestOf, readSuperblockCopies, type SuperblockCopy } from "../format/superblock-io.ts";
import type { Superblock } from "../format/superblock.ts";
import { PoolError } from "../pool-error.ts";

/** A device that carries a label of the pool. */
export interface Member {
  readonly uuid: string;
  readonly device: BlockDevice;
}

/** The devices of one pool, found. */
export interface Assembly {
  readonly poolUuid: string;
  readonly name: string;
  /** In the pool's order. */
  readonly devices: readonly BlockDevice[];
  /** Labelled as the pool's, and not in its table: if they were added at all, the journal says so. */
  readonly joining: readonly Member[];
  /** All copies on device 0, also the broken ones. */
  readonly superblocks: readonly SuperblockCopy[];
}

interface Found {
  readonly device: BlockDevice;
  readonly copies: readonly SuperblockCopy[];
  /** The newest whole copy; undefined: none is. */
  readonly newest: Superblock | undefined;
}

/**
 * Finds the members of a pool among the devices, in any order, under any name.
 *
 * @throws {PoolError} missing: no pool, or a device of it, by UUID; foreign: more than one pool; exists: a device that is there
 * twice; corrupt: no superblock can be read, or a device shrank; unsupported: made by a later version
 * @throws {IoError} a device cannot be read at all
 */
export async function assemble(devices: readonly BlockDevice[]): Promise<Assembly> {
  const found: Found[] = [];
  for (const device of devices) {
    const copies = await readSuperblockCopies(device);
    found.push({ device, copies, newest: newestOf(copies) });
  }
  const members = membersOf(found);
  const [any] = members.values();
  if (any?.newest === undefined) throw nothingFound(found);
  const head = headOf(members, any.newest);
  const { newest } = head;
  const joining: Member[] = [];
  for (const [uuid, { device }] of members) {
    if (!newest.devices.some((entry) => entry.uuid === uuid)) joining.push({ uuid, device });
  }
  const { poolUuid, poolName } = newest;
  const ordered = newest.devices.map((_, index) => deviceAt(newest, index, members));
  return { poolUuid, name: poolName, devices: ordered, joining, superblocks: head.copies };
}

/** What belongs to the one pool that is there, by the devices' UUIDs. */
function membersOf(found: readonly Found[]): Map<string, Found> {
  const members = new Map<string, Found>();
  let pool: Superblock | undefined;
  for (const one of found) {
    if (one.newest === undefined) continue;
    pool ??= one.newest;
    if (one.newest.poolUuid !== pool.poolUuid) {
      throw new PoolError(
        "foreign",
        `${one.device.name} belongs to pool "${one.newest.poolName}" (${one.newest.poolUuid}), ` +
          `others to "${pool.poolName}" (${pool.poolUuid}): give the devices of one pool`,
      );
    }
    const twin = members.get(one.newest.deviceUuid);
    if (twin !== undefined) {
      throw new PoolError(
        "exists",
        `${twin.device.name} and ${one.device.name} are both device ${one.newest.deviceUuid} of pool ` +
          `"${pool.poolName}": one is a copy of the other, or another path to it; give only one`,
      );
    }
    members.set(one.newest.deviceUuid, one);
  }
  return members;
}

/** Device 0, which has the superblock; the others only know who they are. */
function headOf(
  members: ReadonlyMap<string, Found>,
  label: Superblock,
): { newest: Superblock; copies: readonly SuperblockCopy[] } {
  for (const { newest, copies } of members.values()) {
    if (newest?.deviceIndex === 0) return { newest, copies };
  }
  throw missing(label, 0);
}

function deviceAt(
  pool: Superblock,
  index: number,
  members: ReadonlyMap<string, Found>,
): BlockDevice {
  const entry = pool.devices[index];
  const member = entry === undefined ? undefined : members.get(entry.uuid);
  if (entry === undefined || member === undefined) throw missing(pool, index);
  const { device } = member;
  if (device.capacityBytes >= entry.sizeBytes) return device;
  const sizes = `${formatSize(device.capacityBytes)} instead of ${formatSize(entry.sizeBytes)}`;
  throw new PoolError(
    "corrupt",
    `${device.name}, device ${entry.uuid} of pool "${pool.poolName}", has become smaller: ${sizes}`,
  );
}

function missing(pool: Superblock, index: number): PoolError {
  const uuid = pool.devices[index]?.uuid ?? "unknown";
  return new PoolError(
    "missing",
    `device ${uuid} (number ${index}) of pool "${pool.poolName}" (${pool.poolUuid}) is missing`,
  );
}

function nothingFound(found: readonly Found[]): PoolError {
  const names = found.map(({ device }) => device.name).join(", ");
  for (const { device, copies } of found) {
    for (const { superblock } of copies) {
      if (!isFault(superblock) || superblock.kind === "absent") continue;
      const kind = superblock.kind === "unsupported" ? "unsupported" : "corrupt";
      const hint = kind === "corrupt" ? "; see thinlun pool repair" : "";
      return new PoolError(kind, `${device.name}: ${superblock.message}${hint}`);
    }
  }
  return new PoolError("missing", `there is no pool on ${names === "" ? "no device" : names}`);
}
