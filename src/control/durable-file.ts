import { link, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../util/sync-folder.ts";

/** The steps of a replacement, to be interrupted one by one by tests. */
export interface ReplacementSteps {
  /** Makes the file anew with this content, on stable media, for its owner only. */
  write(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Gives a file, where there is one, a second name in the place of another's. */
  keepPrevious(path: string, name: string): Promise<void>;
  /** Makes the names in a folder stable. */
  syncFolder(path: string): Promise<void>;
}

const OWNER_ONLY = 0o600;

export const systemSteps: ReplacementSteps = {
  async write(path, text) {
    // What a crash left behind is in the way, and may have other permissions.
    await unlink(path).catch(() => undefined);
    const file = await open(path, "wx", OWNER_ONLY);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  async keepPrevious(path, name) {
    await unlink(name).catch(() => undefined);
    // A file system without hard links has no second name, and does without.
    await link(path, name).catch(() => undefined);
  },
  syncFolder,
};

/** The name under which new content is written before it takes the place of the old. */
export function temporaryPath(path: string): string {
  return `${path}.new`;
}

/**
 * Replaces a small file as a whole: after a crash at any moment there is the old content or the new, never a part.
 * The new one is on stable media when this resolves. Calls for one path do not overlap: the caller sees to it.
 */
export async function replaceFile(
  path: string,
  text: string,
  steps: ReplacementSteps = systemSteps,
): Promise<void> {
  const temporary = temporaryPath(path);
  await steps.write(temporary, text);
  await steps.rename(temporary, path);
  await steps.syncFolder(dirname(path));
}
