import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { deviceNumbers } from "./block-geometry.ts";

/** What a block device consists of, and what stands on it, from /sys and from udev's notes. */
export interface BlockTopology {
  /** The kernel's name: "sda1", "dm-3". */
  readonly name: string;
  /** The disk that this is a partition of; null for what is none. */
  readonly disk: string | null;
  /** The partitions of a whole disk, by their kernel names. */
  readonly partitions: readonly string[];
  /** What stands on it: "dm-0 (vg-root)", "md127". */
  readonly holders: readonly string[];
  /** What stands on the disk that it is a partition of: a multipath device is on all of the disk. */
  readonly diskHolders: readonly string[];
  /** udev takes it for one of several paths to a disk. */
  readonly isMultipathLeg: boolean;
}

async function listed(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

async function text(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch {
    return "";
  }
}

async function exists(path: string): Promise<boolean> {
  return (await text(path)) !== "";
}

async function holdersOf(folder: string): Promise<string[]> {
  const holders: string[] = [];
  for (const name of await listed(`${folder}/holders`)) {
    const mapped = await text(`${folder}/holders/${name}/dm/name`);
    holders.push(mapped === "" ? name : `${name} (${mapped})`);
  }
  return holders;
}

async function partitionsOf(folder: string): Promise<string[]> {
  const partitions: string[] = [];
  for (const name of await listed(folder)) {
    if (await exists(`${folder}/${name}/partition`)) partitions.push(name);
  }
  return partitions;
}

/** The topology of the device with this number (`stats.rdev`), or null where /sys does not know it. */
export async function readBlockTopology(
  rdev: number,
  sysFolder: string = "/sys",
  udevFolder: string = "/run/udev/data",
): Promise<BlockTopology | null> {
  const { major, minor } = deviceNumbers(rdev);
  let folder: string;
  try {
    folder = await realpath(`${sysFolder}/dev/block/${major}:${minor}`);
  } catch {
    return null;
  }
  const isPartition = await exists(`${folder}/partition`);
  const notes = await text(`${udevFolder}/b${major}:${minor}`);
  return {
    name: basename(folder),
    disk: isPartition ? basename(dirname(folder)) : null,
    partitions: isPartition ? [] : await partitionsOf(folder),
    holders: await holdersOf(folder),
    diskHolders: isPartition ? await holdersOf(dirname(folder)) : [],
    isMultipathLeg: /^E:DM_MULTIPATH_DEVICE_PATH=1$/m.test(notes),
  };
}

/** Loop devices and the files behind them, for finding out whether a file is in use as a disk. */
export async function readLoopFiles(
  sysFolder: string = "/sys",
): Promise<{ readonly device: string; readonly file: string }[]> {
  const loops: { device: string; file: string }[] = [];
  for (const device of await listed(`${sysFolder}/block`)) {
    const file = await text(`${sysFolder}/block/${device}/loop/backing_file`);
    if (file !== "") loops.push({ device, file });
  }
  return loops;
}
