import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { VolumeConfig } from "./config/config.ts";
import { codeOf } from "./start-error.ts";
import type { Disk, Place } from "./state-document.ts";

/*
 * A file or a device does not carry its identity in itself: it has it by the name of its volume, and by where it lies. A name that leads
 * elsewhere leads to another disk, which initiators must not take for the one that they know. Where it is the same one after all, as the
 * file was renamed, or is reached by another way, it keeps its identity.
 */

/** Where a volume lies, as far as its configuration says it. */
export function placeOf(config: VolumeConfig): Place {
  switch (config.driver) {
    case "raw":
      return { driver: "raw", path: resolve(config.path) };
    case "thin":
      return { driver: "thin", pool: config.pool };
    case "memory":
    case "null":
      return { driver: config.driver };
  }
}

/** The place of a file or device that is there, with what tells the file from others. */
export async function placeAt(path: string): Promise<Place> {
  const stats = await stat(path, { bigint: true });
  const place = { driver: "raw", path: resolve(path) } as const;
  if (!stats.isFile()) return place;
  return { ...place, file: { inode: String(stats.ino), bornNs: String(stats.birthtimeNs) } };
}

/** Whether a disk was there, by what a configuration says. One from before places were kept may have been anywhere. */
export function isAt({ place }: Disk, other: Place): boolean {
  if (place === undefined) return true;
  if (place.driver === "raw" && other.driver === "raw") return place.path === other.path;
  if (place.driver === "thin" && other.driver === "thin") return place.pool === other.pool;
  return place.driver === other.driver;
}

/** Which of some disks lies at a path: that of this path, else the one that is found there under a name which is new for it. */
export async function diskAt(disks: readonly Disk[], path: string): Promise<Disk | undefined> {
  const here: Place = { driver: "raw", path: resolve(path) };
  const known = disks.find((disk) => isAt(disk, here));
  if (known !== undefined || disks.length === 0) return known;
  const stats = await statOf(path);
  if (stats === null) return undefined;
  for (const disk of disks) if (await isSame(disk, stats)) return disk;
  return undefined;
}

async function isSame({ place }: Disk, now: BigIntStats): Promise<boolean> {
  if (place?.driver !== "raw") return false;
  const isBorn = now.birthtimeNs > 0n && place.file !== undefined && place.file.bornNs !== "0";
  // Numbers of inodes are used again, and those of file systems are dealt anew at each start of the machine: the moment of birth is not.
  if (now.isFile() && isBorn) {
    return place.file.inode === String(now.ino) && place.file.bornNs === String(now.birthtimeNs);
  }
  const before = await statOf(place.path);
  if (before === null) return false;
  if (now.isBlockDevice()) return before.isBlockDevice() && before.rdev === now.rdev;
  return now.isFile() && before.ino === now.ino && before.dev === now.dev;
}

async function statOf(path: string): Promise<BigIntStats | null> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
}
