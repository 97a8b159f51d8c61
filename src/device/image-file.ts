import { constants } from "node:fs";
import { open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { assert } from "../util/assert.ts";
import { IoError } from "../util/io-error.ts";
import { syncFolder } from "../util/sync-folder.ts";
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

/**
 * Makes an image file larger, by a hole at its end; that is on stable media when this resolves. `fromBytes` is the size that it is
 * known to have: any other file that has the name by now is left alone.
 */
export async function growImageFile(
  path: string,
  fromBytes: number,
  toBytes: number,
): Promise<void> {
  assert(Number.isSafeInteger(toBytes) && toBytes > fromBytes, "an image grows to a whole size");
  let file;
  try {
    file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    throw ioErrorFrom(error, "growing the image", path);
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size !== fromBytes) {
      const message = `it has ${stats.size} bytes, not ${fromBytes}: it is left as it is`;
      throw new IoError("unsupported", message, { object: path });
    }
    await file.truncate(toBytes);
    await file.sync();
  } catch (error) {
    throw error instanceof IoError ? error : ioErrorFrom(error, "growing the image", path);
  } finally {
    await file.close();
  }
}
