import * as fs from "node:fs";
import { readFile } from "node:fs/promises";

/**
 * What the kernel tells about a block device under /sys/dev/block/MAJOR:MINOR, which stands in for the BLKGETSIZE64,
 * BLKSSZGET, BLKPBSZGET, BLKIOOPT and BLKROTATIONAL ioctls.
 */
export interface BlockGeometry {
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  readonly physicalBlockBytes: number;
  /** 0 where the device has no preference. */
  readonly optimalIoBytes: number;
  /** 0 where discard is not supported. */
  readonly discardGranularityBytes: number;
  readonly discardMaxBytes: number;
  /** The device promises zeros after a discard; kernels since 4.12 never say so. */
  readonly discardZeroes: boolean;
  /** 0 where the kernel would have to write the zeros itself. */
  readonly writeZeroesMaxBytes: number;
  readonly rotational: boolean;
  readonly readOnly: boolean;
}

/** /sys counts the size in these, whatever the logical block of the device. */
const SYS_SECTOR_BYTES = 512;

/** Splits a device number as `stat` gives it (Linux: the low 32 bits of the kernel's huge encoding). */
export function deviceNumbers(rdev: number): { major: number; minor: number } {
  return {
    major: (rdev >>> 8) & 0xfff,
    minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00),
  };
}

async function attribute(path: string): Promise<number | null> {
  try {
    const value = Number((await readFile(path, "ascii")).trim());
    return Number.isFinite(value) && value >= 0 ? value : null;
  } catch {
    return null;
  }
}

/**
 * The geometry of the block device with this device number (`stats.rdev`), or null where /sys does not know it, as in
 * a container that hides it. A partition has its own size and the queue of the disk that it is on.
 */
export async function readBlockGeometry(
  rdev: number,
  sysFolder: string = "/sys",
): Promise<BlockGeometry | null> {
  const { major, minor } = deviceNumbers(rdev);
  const folder = `${sysFolder}/dev/block/${major}:${minor}`;
  const sectors = await attribute(`${folder}/size`);
  if (sectors === null) return null;
  // The entry is a link into the device tree, so ".." is the folder of the disk, not of the links.
  const isPartition = (await attribute(`${folder}/partition`)) !== null;
  const queue = isPartition ? `${folder}/../queue` : `${folder}/queue`;
  const limit = async (name: string, otherwise: number): Promise<number> =>
    (await attribute(`${queue}/${name}`)) ?? otherwise;
  const logicalBlockBytes = await limit("logical_block_size", SYS_SECTOR_BYTES);
  const discardMaxBytes = await limit("discard_max_bytes", 0);
  return {
    sizeBytes: sectors * SYS_SECTOR_BYTES,
    logicalBlockBytes,
    physicalBlockBytes: await limit("physical_block_size", logicalBlockBytes),
    optimalIoBytes: await limit("optimal_io_size", 0),
    discardGranularityBytes: discardMaxBytes === 0 ? 0 : await limit("discard_granularity", 0),
    discardMaxBytes,
    discardZeroes: (await limit("discard_zeroes_data", 0)) === 1,
    writeZeroesMaxBytes: await limit("write_zeroes_max_bytes", 0),
    rotational: (await limit("rotational", 0)) === 1,
    readOnly: (await attribute(`${folder}/ro`)) === 1,
  };
}

/** The largest size that is looked for: 2^53 bytes, the end of safe integers. */
const SEARCH_BYTES_MAX = 2 ** 53;

/**
 * The size of what is open as `fd` where /sys cannot tell. Node.js has no lseek, but a read at the end gives nothing
 * and a read before it gives a byte, so some fifty reads of one byte find it.
 */
export function findEndByReading(fd: number): number {
  const byte = Buffer.alloc(1);
  const holds = (offset: number): boolean => {
    try {
      return fs.readSync(fd, byte, 0, 1, offset) === 1;
    } catch {
      // A bad sector, or an offset past what the device addresses. Taken as the end: never claim too much.
      return false;
    }
  };
  if (!holds(0)) return 0;
  let inside = 0;
  let outside = 1;
  while (outside < SEARCH_BYTES_MAX && holds(outside)) {
    inside = outside;
    outside *= 2;
  }
  while (outside - inside > 1) {
    const middle = inside + Math.floor((outside - inside) / 2);
    if (holds(middle)) inside = middle;
    else outside = middle;
  }
  return outside;
}
