import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Makes the names in a folder as durable as the files that they belong to. Rejects with the system's error. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
