import { stat } from "node:fs/promises";
import { scanDevices } from "../thin/members/scan.ts";

/** Equal for two names of one file or device; null where there is none. */
async function identityOf(path: string): Promise<string | null> {
  try {
    const stats = await stat(path);
    return stats.isBlockDevice() ? `device ${stats.rdev}` : `file ${stats.dev}:${stats.ino}`;
  } catch {
    return null;
  }
}

/** Whether a path is another name of one of these, or one of them. */
export async function isAmong(path: string, paths: readonly string[]): Promise<boolean> {
  if (paths.includes(path)) return true;
  const identity = await identityOf(path);
  if (identity === null) return false;
  for (const other of paths) if ((await identityOf(other)) === identity) return true;
  return false;
}

/** Those of the paths, each device once, that carry a label of the pool, and are none of `known`. They are only read. */
export async function labelledPaths(
  poolUuid: string,
  paths: readonly string[],
  known: readonly string[],
): Promise<string[]> {
  const labelled: string[] = [];
  for (const path of paths) {
    if (await isAmong(path, [...known, ...labelled])) continue;
    const [found] = await scanDevices([path]);
    if (found?.uuid === poolUuid) labelled.push(path);
  }
  return labelled;
}
