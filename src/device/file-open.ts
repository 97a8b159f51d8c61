import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { findEndByReading, readBlockGeometry } from "../../native-free/block-geometry.ts";
import { probeDirectIo } from "../../native-free/direct-io.ts";
import { describeHolders } from "../../native-free/file-holders.ts";
import {
  FileLockedError,
  lockFile,
  type FileLock,
  type LockOptions,
} from "../../native-free/file-lock.ts";
import { RangeOperation, type RangeCleaner } from "../../native-free/hole-punch.ts";
import { IoError } from "../util/io-error.ts";
import type { DeviceTraits } from "./block-device.ts";
import { reportsLate } from "./late-errors.ts";
import { ioErrorFrom } from "./system-error.ts";

const openFile = promisify(fs.open);
const closeFile = promisify(fs.close);
const statPath = promisify(fs.stat);
const statFile = promisify(fs.fstat);
const statFileSystem = promisify(fs.statfs);

/** A page: what the kernel reads before it changes a part of it. */
const PAGE_BYTES = 4096;

/** How often a lock is tried for, and how long apart: some 300 ms in all, many times what a shell takes to exit. */
const LOCK_ATTEMPTS = 4;
const LOCK_RETRY_MS = 100;

export interface FileOpenOptions {
  readonly readOnly?: boolean;
  /** Past the page cache. Everything is asynchronous then. */
  readonly direct?: boolean;
  /** Take the file or device for this process alone; true unless told otherwise. */
  readonly lock?: boolean;
  readonly lockOptions?: LockOptions;
  /** Replaces statfs(2): the type of the file system that a file lies on. */
  readonly fileSystemType?: (path: string) => Promise<number>;
}

/** A file or device that is open, and all that was found out about it. */
export interface OpenedFile {
  readonly path: string;
  readonly fd: number;
  /** A second descriptor whose writes wait for stable media; -1 where there is none. */
  readonly syncFd: number;
  readonly isBlockDevice: boolean;
  /** The device number of a block device; 0 for a file. */
  readonly rdev: number;
  readonly capacityBytes: number;
  /** What direct I/O has to be a multiple of; 0 without. */
  readonly directAlignmentBytes: number;
  readonly readOnly: boolean;
  /** The page cache is all there is of it (tmpfs): no read ever waits for a disk. */
  readonly inMemory: boolean;
  /** An error of a write may be that of others, which were done before: see {@link reportsLate}. */
  readonly reportsLate: boolean;
  readonly lock: FileLock | null;
}

/** File systems that keep nothing but the page cache: the numbers of tmpfs and ramfs in Linux's magic.h. */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);

async function fileSystemTypeOf(path: string): Promise<number> {
  return (await statFileSystem(path)).type;
}

/** The file or device as the system describes it; anything else is refused. */
async function inspect(path: string): Promise<fs.Stats> {
  let stats: fs.Stats;
  try {
    stats = await statPath(path);
  } catch (error) {
    throw ioErrorFrom(error, "looking it up", path);
  }
  if (stats.isFile() || stats.isBlockDevice()) return stats;
  throw new IoError("unsupported", "neither a regular file nor a block device", { object: path });
}

/** One attempt to open and lock. */
async function openLockedOnce(
  path: string,
  flags: number,
  options: FileOpenOptions,
): Promise<{ fd: number; lock: FileLock | null }> {
  let fd: number;
  try {
    fd = await openFile(path, flags);
  } catch (error) {
    // O_EXCL on a block device: it is mounted, part of an array, or exported by somebody else.
    if (error instanceof Error && "code" in error && error.code === "EBUSY") {
      const holders = await describeHolders(path);
      throw new FileLockedError(`${path} is in use${holders === "" ? "" : ` (${holders})`}`);
    }
    throw ioErrorFrom(error, "opening it", path);
  }
  if (options.lock === false) return { fd, lock: null };
  try {
    return { fd, lock: await lockFile(fd, path, options.lockOptions) };
  } catch (error) {
    await closeFile(fd);
    throw error;
  }
}

/**
 * Opens and locks. A daemon that was killed leaves its helper for clearing ranges with the lock until that has noticed,
 * so a refusal becomes final only after some patience.
 */
async function openLocked(
  path: string,
  flags: number,
  options: FileOpenOptions,
): Promise<{ fd: number; lock: FileLock | null }> {
  for (let attempt = 1; attempt < LOCK_ATTEMPTS; attempt += 1) {
    try {
      return await openLockedOnce(path, flags, options);
    } catch (error) {
      if (!(error instanceof FileLockedError)) throw error;
    }
    await sleep(LOCK_RETRY_MS);
  }
  return openLockedOnce(path, flags, options);
}

/**
 * Opens the same file again, whatever has become of its name, for writes that wait for stable media. Direct I/O reads
 * through it too, what a write leaves of its blocks.
 */
async function openSynced(fd: number, direct: boolean): Promise<number> {
  const { O_RDWR, O_DSYNC, O_DIRECT } = fs.constants;
  try {
    return await openFile(`/proc/self/fd/${fd}`, O_RDWR | O_DSYNC | (direct ? O_DIRECT : 0));
  } catch {
    return -1;
  }
}

/** The capacity of what is open, asked of the system. */
export async function measureCapacity(fd: number, rdev: number): Promise<number> {
  if (rdev === 0) return (await statFile(fd)).size;
  return (await readBlockGeometry(rdev))?.sizeBytes ?? findEndByReading(fd);
}

async function directAlignment(path: string, stats: fs.Stats): Promise<number> {
  const { direct, alignmentBytes } = await probeDirectIo(path);
  if (!direct) {
    throw new IoError("unsupported", "direct I/O does not work here", { object: path });
  }
  if (stats.isFile() && stats.size % alignmentBytes !== 0) {
    const message = `direct I/O needs a size that is a multiple of ${alignmentBytes}`;
    throw new IoError("unsupported", message, { object: path });
  }
  return alignmentBytes;
}

/**
 * Opens a regular file or a block device.
 *
 * @throws {FileLockedError} it is in use
 * @throws {IoError} everything else, with the system's reason
 */
export async function openFileOrDevice(
  path: string,
  options: FileOpenOptions,
): Promise<OpenedFile> {
  const stats = await inspect(path);
  const isBlockDevice = stats.isBlockDevice();
  const readOnly = options.readOnly === true;
  const direct = options.direct === true;
  const directAlignmentBytes = direct ? await directAlignment(path, stats) : 0;
  const { O_RDONLY, O_RDWR, O_EXCL, O_DIRECT } = fs.constants;
  const exclusive = isBlockDevice && options.lock !== false;
  const flags = (readOnly ? O_RDONLY : O_RDWR) | (exclusive ? O_EXCL : 0) | (direct ? O_DIRECT : 0);
  const { fd, lock } = await openLocked(path, flags, options);
  try {
    const now = await statFile(fd);
    if (now.ino !== stats.ino || now.dev !== stats.dev) {
      throw new IoError("gone", "it was replaced while it was opened", { object: path });
    }
    const rdev = isBlockDevice ? now.rdev : 0;
    const typeOf = options.fileSystemType ?? fileSystemTypeOf;
    const fileSystem = isBlockDevice ? null : await typeOf(path);
    return {
      path,
      fd,
      isBlockDevice,
      rdev,
      capacityBytes: await measureCapacity(fd, rdev),
      directAlignmentBytes,
      readOnly,
      inMemory: fileSystem !== null && MEMORY_FILE_SYSTEMS.has(fileSystem),
      reportsLate: fileSystem !== null && reportsLate(fileSystem),
      lock,
      // Last, because nothing that fails after it would close it.
      syncFd: readOnly ? -1 : await openSynced(fd, direct),
    };
  } catch (error) {
    await closeFile(fd);
    await lock?.release();
    throw ioErrorFrom(error, "finding out about it", path);
  }
}

/** Closes the descriptors and lets go of the lock. */
export async function closeOpened(opened: OpenedFile): Promise<void> {
  if (opened.syncFd !== -1) await closeFile(opened.syncFd);
  await closeFile(opened.fd);
  await opened.lock?.release();
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}

function roundUpToPowerOfTwo(value: number): number {
  return value === 0 ? 0 : 2 ** Math.ceil(Math.log2(value));
}

async function deviceTraits(opened: OpenedFile): Promise<DeviceTraits> {
  const geometry = await readBlockGeometry(opened.rdev);
  const optimalIoBytes = geometry?.optimalIoBytes ?? 0;
  const readOnly = opened.readOnly || geometry?.readOnly === true;
  return {
    logicalBlockBytes: geometry?.logicalBlockBytes ?? 512,
    physicalBlockBytes: geometry?.physicalBlockBytes ?? PAGE_BYTES,
    // A stripe of three disks is no power of two: no advice is better than a wrong one.
    optimalIoBytes: isPowerOfTwo(optimalIoBytes) ? optimalIoBytes : 0,
    discardGranularityBytes: readOnly
      ? 0
      : roundUpToPowerOfTwo(geometry?.discardGranularityBytes ?? 0),
    discardZeroes: geometry?.discardZeroes ?? false,
    readOnly,
    rotational: geometry?.rotational ?? false,
  };
}

/** Punches past the end of the file, where there is nothing to lose: it works only where punching does. */
function canPunch(opened: OpenedFile, cleaner: RangeCleaner): Promise<boolean> {
  const beyondEnd = Math.ceil(opened.capacityBytes / PAGE_BYTES) * PAGE_BYTES;
  return new Promise((resolve) => {
    cleaner.clear(RangeOperation.punchHole, beyondEnd, PAGE_BYTES, (outcome) =>
      resolve(outcome === ""),
    );
  });
}

async function fileTraits(opened: OpenedFile, cleaner: RangeCleaner): Promise<DeviceTraits> {
  const stats = await statFile(opened.fd);
  const blockBytes = isPowerOfTwo(stats.blksize) ? Math.min(stats.blksize, PAGE_BYTES) : PAGE_BYTES;
  const punches = !opened.readOnly && (await canPunch(opened, cleaner));
  // The disk below the file system, where there is one that has a number of its own.
  const disk = await readBlockGeometry(stats.dev);
  return {
    logicalBlockBytes: 1,
    physicalBlockBytes: blockBytes,
    optimalIoBytes: 0,
    discardGranularityBytes: punches ? blockBytes : 0,
    discardZeroes: punches,
    readOnly: opened.readOnly,
    rotational: disk?.rotational ?? false,
  };
}

/** What the opened file or device is like. Tries whether holes can be punched. */
export function findTraits(opened: OpenedFile, cleaner: RangeCleaner): Promise<DeviceTraits> {
  return opened.isBlockDevice ? deviceTraits(opened) : fileTraits(opened, cleaner);
}
