import { constants } from "node:fs";
import { open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { assert } from "../util/assert.ts";
import { ioErrorFrom } from "./system-error.ts";

/**
 * Makes a sparse image file that reads as zeros. Never overwrites: the path must not exist. File and folder are on
 * stable media when this resolves; after a failure no file is left.
 */
export async function createImageFile(path: string, sizeBytes: number): Promise<void> {
  assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, "an image has a whole size");
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  // Only the owner may read what will be somebody's disk.
  const mode = 0o600;
  let file;
  try {
    file = await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  } catch (error) {
    throw ioErrorFrom(error, "creating the image", path);
  }
  try {
    await file.truncate(sizeBytes);
    await file.sync();
    await syncFolder(dirname(path));
  } catch (error) {
    await unlink(path);
    throw ioErrorFrom(error, "creating the image", path);
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
