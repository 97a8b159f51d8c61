import type { BlockDevice } from "../../device/block-device.ts";
import { type FormatFault, isFault } from "../format/fault.ts";
import { newestOf, readSuperblockCopies } from "../format/superblock-io.ts";
import type { Superblock } from "../format/superblock.ts";
import { PoolError } from "../pool-error.ts";

/** One place for a superblock, and what is there. */
export interface LocatedCopy {
  readonly device: BlockDevice;
  readonly offsetBytes: number;
  readonly superblock: Superblock | FormatFault;
}

/** A pool as it lies on devices, however little of it is left. */
export interface LocatedPool {
  readonly poolUuid: string;
  readonly name: string;
  readonly extentBytes: number;
  /** In the pool's order; null: missing. */
  readonly devices: readonly (BlockDevice | null)[];
  /** UUIDs of the devices that are missing. */
  readonly missing: readonly string[];
  /** By UUID, also those that no superblock lists. */
  readonly deviceByUuid: ReadonlyMap<string, BlockDevice>;
  /** All places of all devices. */
  readonly copies: readonly LocatedCopy[];
  /** The newest of all; a label where device 0 has none left. */
  readonly newest: Superblock;
  /** Of device 0, each generation once, the newest first. */
  readonly superblocks: readonly Superblock[];
}

/**
 * Finds a pool on devices in any order, for looking at it and for repair: goes on with whatever is there. To open a pool for use, see
 * `assemble`.
 *
 * @throws {PoolError} missing: not one superblock; foreign: more than one pool; exists: one device twice; unsupported: of a later version
 * @throws {IoError}
 */
export async function locatePool(devices: readonly BlockDevice[]): Promise<LocatedPool> {
  const copies: LocatedCopy[] = [];
  const deviceByUuid = new Map<string, BlockDevice>();
  for (const device of devices) {
    const found = await readSuperblockCopies(device);
    for (const copy of found) copies.push({ device, ...copy });
    const uuid = newestOf(found)?.deviceUuid;
    if (uuid === undefined) continue;
    const twin = deviceByUuid.get(uuid);
    if (twin !== undefined) throw twins(uuid, twin, device);
    deviceByUuid.set(uuid, device);
  }
  const whole = copies.flatMap(({ superblock }) => (isFault(superblock) ? [] : [superblock]));
  const heads = whole.filter(({ deviceIndex }) => deviceIndex === 0);
  const superblocks = byGeneration(heads);
  const newest = superblocks[0] ?? byGeneration(whole)[0];
  if (newest === undefined) throw nothingFound(devices, copies);
  for (const { poolUuid, poolName } of whole) {
    if (poolUuid === newest.poolUuid) continue;
    const [one, other] = [
      `"${newest.poolName}" (${newest.poolUuid})`,
      `"${poolName}" (${poolUuid})`,
    ];
    throw new PoolError("foreign", `the devices belong to two pools, ${one} and ${other}`);
  }
  const found = newest.devices.map(({ uuid }) => deviceByUuid.get(uuid) ?? null);
  return {
    poolUuid: newest.poolUuid,
    name: newest.poolName,
    extentBytes: newest.extentBytes,
    devices: found,
    missing: newest.devices.flatMap(({ uuid }) => (deviceByUuid.has(uuid) ? [] : [uuid])),
    deviceByUuid,
    copies,
    newest,
    superblocks,
  };
}

/** Each would make the other look broken. */
function twins(uuid: string, twin: BlockDevice, device: BlockDevice): PoolError {
  return new PoolError(
    "exists",
    `${twin.name} and ${device.name} are both device ${uuid}: one is a copy of the other, or another path to it; give only one`,
  );
}

function byGeneration(superblocks: readonly Superblock[]): Superblock[] {
  const byNumber = new Map<number, Superblock>();
  for (const superblock of superblocks) byNumber.set(superblock.generation, superblock);
  return [...byNumber.values()].toSorted((a, b) => b.generation - a.generation);
}

function nothingFound(devices: readonly BlockDevice[], copies: readonly LocatedCopy[]): PoolError {
  for (const { device, superblock } of copies) {
    if (!isFault(superblock) || superblock.kind !== "unsupported") continue;
    return new PoolError("unsupported", `${device.name}: ${superblock.message}`);
  }
  const names = devices.map(({ name }) => name).join(", ");
  return new PoolError("missing", `no superblock of a pool is left on ${names}`);
}
