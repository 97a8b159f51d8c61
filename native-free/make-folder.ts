import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder with those that it lies in, as far as they are missing, and returns the first one that it made; undefined: all were there. Rejects
 * with what the system says. `mkdir` of Node.js with `recursive` tries for ever, with a thread of its pool, where a file system answers ENOENT
 * although the folder above is there, as /proc and /sys do.
 *
 * @param mode permissions of those that are made, before the umask
 */
export async function makeFolder(path: string, mode: number): Promise<string | undefined> {
  const missing: string[] = [];
  let at = resolve(path);
  while (!(await isMadeOrThere(at, mode, missing))) at = dirname(at);
  const made = missing.toReversed();
  for (const folder of made) await makeOne(folder, mode);
  return made[0];
}

/** False: the one above is missing, too. What is left to make is put into `missing`. */
async function isMadeOrThere(path: string, mode: number, missing: string[]): Promise<boolean> {
  const entry = await stat(path).catch((error: unknown) => {
    if (isMissing(error) && dirname(path) !== path) return null;
    throw error;
  });
  if (entry === null) {
    missing.push(path);
    return false;
  }
  // Says why a file is none.
  if (!entry.isDirectory()) await mkdir(path, { mode });
  return true;
}

/** Somebody else may be at it, too. */
async function makeOne(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST";
    if (!isThere || !(await stat(path)).isDirectory()) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
