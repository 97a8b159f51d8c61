import { stat } from "node:fs/promises";
import { FileLockedError } from "../../../native-free/file-lock.ts";
import { readLoopFiles } from "../../../native-free/block-topology.ts";
import { FileDevice } from "../../device/file-device.ts";

/** Equal for two names of one file; null where there is none, or not here. */
async function identityOf(path: string): Promise<string | null> {
  try {
    const { dev, ino, rdev } = await stat(path);
    return rdev === 0 ? `file ${dev}:${ino}` : `device ${rdev}`;
  } catch {
    return null;
  }
}

/** Why somebody else has the file, in words. */
async function lockOf(file: string): Promise<string | null> {
  try {
    await (await FileDevice.open(file, { readOnly: true })).close();
    return null;
  } catch (error) {
    // Whatever else it is keeps nobody from using the loop device.
    return error instanceof FileLockedError ? error.message : null;
  }
}

/**
 * What uses the file behind a loop device besides, in words; null: nothing, or it is no loop device. Neither a lock on the device nor its
 * exclusive opening keeps others from its file. `name`: of the kernel.
 */
export async function otherUseOfLoop(name: string, sysFolder: string): Promise<string | null> {
  const loops = await readLoopFiles(sysFolder);
  const file = loops.find(({ device }) => device === name)?.file;
  if (file === undefined) return null;
  const identity = await identityOf(file);
  if (identity === null) return null;
  for (const other of loops) {
    if (other.device === name || (await identityOf(other.file)) !== identity) continue;
    return `its file ${file} is behind ${other.device}, too`;
  }
  return lockOf(file);
}
