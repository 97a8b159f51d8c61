import { FileDevice } from "../../device/file-device.ts";
import { isFault } from "../format/fault.ts";
import { newestOf, readSuperblockCopies } from "../format/superblock-io.ts";
import type { OwnerRecord, Superblock } from "../format/superblock.ts";
import type { PoolError } from "../pool-error.ts";
import { memberErrorFrom } from "./open-member.ts";
import { signOfLife } from "./watch-heartbeat.ts";

/** A device of a pool that was found. */
export interface FoundDevice {
  /** The first path under which it was found. */
  readonly path: string;
  /** More paths with the same device UUID: other names of it, or copies of it, which must not be opened together. */
  readonly otherPaths: readonly string[];
  readonly uuid: string;
  readonly index: number;
}

/** A pool, as the newest superblock of all its devices that were found describes it. */
export interface FoundPool {
  readonly uuid: string;
  readonly name: string;
  /** In the order of the pool. */
  readonly devices: readonly FoundDevice[];
  /** What the pool has besides: its number in the pool, UUID and size in bytes. */
  readonly missing: readonly {
    readonly index: number;
    readonly uuid: string;
    readonly sizeBytes: number;
  }[];
  readonly owner: OwnerRecord;
  readonly generation: number;
  readonly needsCheck: boolean;
  /** A host that shared it with others has left its sign of life, see `Heartbeat`: there may be hosts whose locks are not seen here. */
  readonly isShared: boolean;
}

export interface ScanOptions {
  /** Told of a path that cannot be read, or on which all copies of a superblock are broken. */
  readonly onProblem?: (path: string, problem: PoolError | string) => void;
}

interface Sighting {
  readonly path: string;
  readonly superblock: Superblock;
  readonly hasHeartbeat: boolean;
}

/** The newest superblock of what is at a path, or null where there is none. It is only read, whoever has it. */
async function look(path: string, options: ScanOptions): Promise<Sighting | null> {
  let device: FileDevice;
  try {
    device = await FileDevice.open(path, { readOnly: true, lock: false });
  } catch (error) {
    options.onProblem?.(path, memberErrorFrom(error, path));
    return null;
  }
  try {
    const copies = await readSuperblockCopies(device);
    const superblock = newestOf(copies);
    if (superblock !== undefined) {
      return { path, superblock, hasHeartbeat: await hasHeartbeat(device, superblock) };
    }
    const faults = copies.map((copy) => copy.superblock).filter(isFault);
    const problem = faults.findLast(({ kind }) => kind !== "absent");
    if (problem !== undefined) options.onProblem?.(path, problem.message);
    return null;
  } catch (error) {
    options.onProblem?.(path, memberErrorFrom(error, path));
    return null;
  } finally {
    await device.close();
  }
}

async function hasHeartbeat(device: FileDevice, superblock: Superblock): Promise<boolean> {
  if (superblock.deviceIndex !== 0) return false;
  return (await signOfLife(device, superblock.poolUuid)) !== null;
}

/** Device 0 tells the truth; the others' superblocks are labels, which may be older. */
function truthOf(sightings: readonly Sighting[]): Superblock | undefined {
  const ranked = sightings
    .map(({ superblock }) => superblock)
    .toSorted(
      (left, right) => right.generation - left.generation || left.deviceIndex - right.deviceIndex,
    );
  return ranked.find(({ deviceIndex }) => deviceIndex === 0) ?? ranked[0];
}

function describePool(sightings: readonly Sighting[]): FoundPool | null {
  const truth = truthOf(sightings);
  if (truth === undefined) return null;
  const devices: FoundDevice[] = [];
  const missing: FoundPool["missing"][number][] = [];
  for (const [index, { uuid, sizeBytes }] of truth.devices.entries()) {
    const own = sightings.filter(({ superblock }) => superblock.deviceUuid === uuid);
    const [path, ...otherPaths] = own.map((sighting) => sighting.path);
    if (path === undefined) missing.push({ index, uuid, sizeBytes });
    else devices.push({ path, otherPaths, uuid, index });
  }
  const { poolUuid, poolName, owner, generation, needsCheck } = truth;
  const isShared = sightings.some((sighting) => sighting.hasHeartbeat);
  const pool = { uuid: poolUuid, name: poolName, devices, missing };
  return { ...pool, owner, generation, needsCheck, isShared };
}

/**
 * Finds the pools on the given files and devices, in any order and under any name. Reads only, and takes no lock: a pool that is in
 * use is found as well. What is no device of a pool is passed over.
 */
export async function scanDevices(
  paths: readonly string[],
  options: ScanOptions = {},
): Promise<FoundPool[]> {
  const byPool = new Map<string, Sighting[]>();
  for (const path of new Set(paths)) {
    const sighting = await look(path, options);
    if (sighting === null) continue;
    const { poolUuid } = sighting.superblock;
    byPool.set(poolUuid, [...(byPool.get(poolUuid) ?? []), sighting]);
  }
  return [...byPool.values()].map(describePool).filter((pool) => pool !== null);
}
