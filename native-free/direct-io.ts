import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, stat, unlink, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AlignedBufferPool, BUFFER_ALIGNMENT_BYTES } from "./aligned-buffer.ts";

/** What was seen to work, by trying it. */
export interface DirectIoSupport {
  /** The page cache can be bypassed (O_DIRECT). */
  readonly direct: boolean;
  /** What memory, offset and length have to be a multiple of with O_DIRECT; 0 where it is not supported. */
  readonly alignmentBytes: number;
  /** A write can be made to wait for stable media by itself (O_DSYNC). */
  readonly dataSync: boolean;
}

/** Alignments that devices and file systems ask for, the smaller first. */
const ALIGNMENTS_BYTES = [512, BUFFER_ALIGNMENT_BYTES] as const;

async function opens(path: string, flags: number): Promise<FileHandle | null> {
  try {
    return await open(path, flags);
  } catch {
    return null;
  }
}

type Transfer = (file: FileHandle, buffer: Buffer, offsetBytes: number) => Promise<unknown>;

/** The smallest alignment with which a transfer succeeds; 0 for none. A buffer off the page shows what memory needs. */
async function smallestAlignment(file: FileHandle, transfer: Transfer): Promise<number> {
  const pool = new AlignedBufferPool(2 * BUFFER_ALIGNMENT_BYTES, 1);
  const memory = pool.lease();
  if (memory === null) return 0;
  memory.fill(0);
  for (const bytes of ALIGNMENTS_BYTES) {
    try {
      await transfer(file, memory.subarray(bytes, 2 * bytes), bytes);
      return bytes;
    } catch {
      continue;
    }
  }
  return 0;
}

const readOnce: Transfer = (file, buffer, offsetBytes) =>
  file.read(buffer, 0, buffer.length, offsetBytes);

const writeOnce: Transfer = (file, buffer, offsetBytes) =>
  file.write(buffer, 0, buffer.length, offsetBytes);

async function probeReading(path: string): Promise<number> {
  const file = await opens(path, constants.O_RDONLY | constants.O_DIRECT);
  if (file === null) return 0;
  try {
    return await smallestAlignment(file, readOnce);
  } finally {
    await file.close();
  }
}

/** Writes and reads for real, in a file of its own beside `path` that is gone afterwards. Null: no place to write. */
async function probeWriting(folder: string): Promise<DirectIoSupport | null> {
  const scratch = join(folder, `.thinlun-probe-${randomBytes(8).toString("hex")}`);
  const create = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
  const plain = await opens(scratch, create);
  if (plain === null) return null;
  try {
    await plain.truncate(4 * BUFFER_ALIGNMENT_BYTES);
    const direct = await opens(scratch, constants.O_RDWR | constants.O_DIRECT);
    let alignmentBytes = 0;
    if (direct !== null) {
      const writing = await smallestAlignment(direct, writeOnce);
      const reading = await smallestAlignment(direct, readOnce);
      alignmentBytes = writing === 0 || reading === 0 ? 0 : Math.max(writing, reading);
      await direct.close();
    }
    return { direct: alignmentBytes !== 0, alignmentBytes, dataSync: await writesSynced(scratch) };
  } finally {
    await plain.close();
    await unlink(scratch);
  }
}

async function writesSynced(path: string): Promise<boolean> {
  const file = await opens(path, constants.O_RDWR | constants.O_DSYNC);
  if (file === null) return false;
  try {
    await file.write(Buffer.alloc(1), 0, 1, 0);
    return true;
  } catch {
    return false;
  } finally {
    await file.close();
  }
}

/**
 * Finds out what `path` supports. Its own content is only read. A file system is tried with writes to a scratch file
 * beside the image; on a device there is no place for one, so reading and opening have to do.
 */
export async function probeDirectIo(path: string): Promise<DirectIoSupport> {
  const stats = await stat(path);
  const reading = await probeReading(path);
  const writing = stats.isFile() ? await probeWriting(dirname(path)) : null;
  if (writing !== null) {
    const direct = writing.direct && reading !== 0;
    const alignmentBytes = direct ? Math.max(writing.alignmentBytes, reading) : 0;
    return { direct, alignmentBytes, dataSync: writing.dataSync };
  }
  const synced = await opens(path, constants.O_RDWR | constants.O_DSYNC);
  await synced?.close();
  return { direct: reading !== 0, alignmentBytes: reading, dataSync: synced !== null };
}
