import { stat } from "node:fs/promises";
import { deviceNumbers } from "../../../native-free/block-geometry.ts";
import {
  readBlockTopology,
  readLoopFiles,
  type BlockTopology,
} from "../../../native-free/block-topology.ts";
import { readInUse, type InUse, type MountEntry } from "../../../native-free/mount-table.ts";
import { PoolError } from "../pool-error.ts";
import { otherUseOfLoop } from "./loop-backing.ts";

/** A path that may become, or is, a device of a pool. */
export interface PathFacts {
  readonly path: string;
  readonly isBlockDevice: boolean;
  /** Equal for two names of one file or device. */
  readonly identity: string;
}

/** Where the kernel and udev tell about devices; tests have folders of their own. */
export interface SystemFolders {
  readonly sys: string;
  readonly proc: string;
  readonly udev: string;
}

const SYSTEM_FOLDERS: SystemFolders = { sys: "/sys", proc: "/proc", udev: "/run/udev/data" };

interface Identity {
  readonly dev: number;
  readonly ino: number;
  readonly rdev: number;
}

/** Null where there is nothing, as with the source of a mount that is not a path. */
async function identityOf(path: string): Promise<Identity | null> {
  try {
    return await stat(path);
  } catch {
    return null;
  }
}

/** The path of a device by its kernel name, which has an exclamation mark for each slash. */
function devicePath(name: string): string {
  return `/dev/${name.replaceAll("!", "/")}`;
}

class Inspection {
  readonly path: string;
  readonly #self: Identity;
  readonly #inUse: InUse;

  constructor(path: string, self: Identity, inUse: InUse) {
    this.path = path;
    this.#self = self;
    this.#inUse = inUse;
  }

  busy(reason: string): PoolError {
    return new PoolError("busy", `${this.path} is in use: ${reason}`);
  }

  async #isSelf(path: string): Promise<boolean> {
    if (!path.startsWith("/")) return false;
    const other = await identityOf(path);
    if (other === null) return false;
    const { dev, ino, rdev } = this.#self;
    return rdev === 0 ? other.dev === dev && other.ino === ino : other.rdev === rdev;
  }

  async #isMounted({ device, source }: MountEntry): Promise<boolean> {
    const { rdev } = this.#self;
    if (rdev === 0) return this.#isSelf(source);
    const { major, minor } = deviceNumbers(rdev);
    // Some file systems have a device number that is nobody's; their source is a path then.
    return device === `${major}:${minor}` || this.#isSelf(source);
  }

  async #refuseMounted(): Promise<void> {
    for (const mount of this.#inUse.mounts) {
      if (!(await this.#isMounted(mount))) continue;
      const { mountPoint, fileSystem } = mount;
      if (mountPoint === "/") throw this.busy("the system runs from it (mounted on /)");
      throw this.busy(`it is mounted on ${mountPoint} (${fileSystem})`);
    }
  }

  async #refuseSwap(): Promise<void> {
    for (const path of this.#inUse.swaps) {
      if (await this.#isSelf(path)) throw this.busy("the system swaps to it (swapoff frees it)");
    }
  }

  async #refuseMd(): Promise<void> {
    for (const { array, members } of this.#inUse.arrays) {
      for (const member of members) {
        if (!(await this.#isSelf(devicePath(member)))) continue;
        throw this.busy(`it is a member of the array ${array} (mdadm --stop frees it)`);
      }
    }
  }

  /** What /proc knows: it comes first, because it says most. */
  async refuseListed(): Promise<void> {
    await this.#refuseMounted();
    await this.#refuseSwap();
    await this.#refuseMd();
  }

  refuseStructure(topology: BlockTopology): void {
    const { name, disk, partitions, holders, diskHolders, isMultipathLeg } = topology;
    if (holders.length > 0) throw this.busy(`${holders.join(", ")} stands on it`);
    if (diskHolders.length > 0) {
      throw this.busy(`${diskHolders.join(", ")} stands on its disk ${disk ?? name}`);
    }
    if (partitions.length > 0) {
      const list = partitions.join(", ");
      throw this.busy(
        `it is a disk with partitions (${list}); give one of them, or remove them first`,
      );
    }
    if (isMultipathLeg) {
      const hint = "give the device under /dev/mapper that stands for all paths";
      throw this.busy(`it is one of several paths to a disk; ${hint}`);
    }
  }

  async refuseBehind({ name, disk }: BlockTopology, sysFolder: string): Promise<void> {
    const use = await otherUseOfLoop(disk ?? name, sysFolder);
    if (use !== null) throw this.busy(use);
  }

  async refuseLoops(sysFolder: string): Promise<void> {
    for (const { device, file } of await readLoopFiles(sysFolder)) {
      if (!(await this.#isSelf(file))) continue;
      throw this.busy(`it is the file behind ${devicePath(device)} (losetup --detach frees it)`);
    }
  }
}

/**
 * Finds out whether a path can be a device of a pool, from everything that the system tells without opening it. What it cannot
 * tell, another mount namespace for one, O_EXCL and the lock refuse when it is opened. The size is checked there, too.
 *
 * @throws {PoolError} `missing`; `unsupported`: neither a file nor a block device; `busy`: and who holds it
 */
export async function inspectPath(
  path: string,
  folders: SystemFolders = SYSTEM_FOLDERS,
): Promise<PathFacts> {
  const stats = await identify(path);
  const inspection = new Inspection(path, stats, await readInUse(folders.proc));
  await inspection.refuseListed();
  const isBlockDevice = stats.rdev !== 0;
  if (isBlockDevice) {
    const topology = await readBlockTopology(stats.rdev, folders.sys, folders.udev);
    if (topology !== null) {
      inspection.refuseStructure(topology);
      await inspection.refuseBehind(topology, folders.sys);
    }
  } else {
    await inspection.refuseLoops(folders.sys);
  }
  const identity = isBlockDevice ? `device ${stats.rdev}` : `file ${stats.dev}:${stats.ino}`;
  return { path, isBlockDevice, identity };
}

async function identify(path: string): Promise<Identity> {
  let stats;
  try {
    stats = await stat(path);
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const message = isMissing ? "there is no such file or device" : "it cannot be looked up";
    throw new PoolError(isMissing ? "missing" : "io", `${path}: ${message}`, error);
  }
  if (stats.isBlockDevice()) return stats;
  // Only device nodes have a device of their own; some file systems set the field for others all the same.
  if (stats.isFile()) return { dev: stats.dev, ino: stats.ino, rdev: 0 };
  throw new PoolError("unsupported", `${path} is neither a regular file nor a block device`);
}
