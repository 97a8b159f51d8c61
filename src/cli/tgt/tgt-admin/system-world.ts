import { constants } from "node:fs";
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { bytesOf } from "../byte-words.ts";
import type { ConfigFiles, FileKind } from "../config-general-files.ts";
import type { DeviceState } from "./world.ts";

/** The files of this host, relative paths from the working folder on. */
export const SYSTEM_FILES: ConfigFiles = {
  kindOf(path): FileKind {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return "none";
    if (found.isFile()) return "file";
    return found.isDirectory() ? "folder" : "other";
  },
  read(path, bytesMax) {
    const file = openSync(path, "r");
    try {
      return readUpTo(file, bytesMax);
    } finally {
      closeSync(file);
    }
  },
  namesIn: (folder) => readdirSync(folder),
};

const CHUNK_BYTES = 64 * 1024;

function readUpTo(file: number, bytesMax: number): Uint8Array {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < bytesMax) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, bytesMax - length));
    const count = readSync(file, chunk);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    length += count;
  }
  return Buffer.concat(chunks);
}

/** Looks whether a file or device is there, and whether somebody has it. */
export async function lookAt(path: string): Promise<DeviceState> {
  const name = bytesOf(path);
  const found = await stat(name).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return "missing";
  try {
    // Alone with O_EXCL, a block device opens only where neither a mount nor another user in the kernel has it.
    const file = await open(name, constants.O_RDONLY | constants.O_EXCL | constants.O_NONBLOCK);
    await file.close();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EBUSY") return "busy";
  }
  return (await isOpenSomewhere(found)) ? "open" : "free";
}

interface FileId {
  readonly dev: number;
  readonly ino: number;
  readonly rdev: number;
  isBlockDevice(): boolean;
}

/** A device has many names, a file one place. */
function isSame(one: FileId, other: FileId): boolean {
  if (one.isBlockDevice() && other.isBlockDevice()) return one.rdev === other.rdev;
  return one.dev === other.dev && one.ino === other.ino;
}

/** Whether a process of this host, other than this one, has a file or device open. */
async function isOpenSomewhere(wanted: FileId): Promise<boolean> {
  for (const process_ of await namesIn("/proc")) {
    if (!/^\d+$/.test(process_) || process_ === `${process.pid}`) continue;
    const folder = `/proc/${process_}/fd`;
    for (const descriptor of await namesIn(folder)) {
      const found = await stat(`${folder}/${descriptor}`).catch(() => undefined);
      if (found !== undefined && isSame(found, wanted)) return true;
    }
  }
  return false;
}

/** Nothing where the folder is gone: processes end. */
function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
