import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, writeFile, type FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeFolder } from "../../../native-free/make-folder.ts";
import type { BlockDevice } from "../../device/block-device.ts";
import { readBytes } from "../../util/io-request.ts";
import { syncFolder } from "../../util/sync-folder.ts";
import { defaultJournalBytes } from "../checkpoint/segment-plan.ts";
import { HEAD_BYTES, SEGMENT_ALIGNMENT_BYTES, TAIL_BYTES } from "../format/layout.ts";
import { PoolError } from "../pool-error.ts";
import type { Finding } from "./finding.ts";
import { BACKUP_PIECE_BYTES, BACKUPS_OF_A_NAME_MAX } from "./limits.ts";

/** A range of a device that is overwritten when it becomes a pool's. */
export interface Region {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** The head and the tail that a pool takes; one region where they meet. */
export function overwrittenRegions(sizeBytes: number): Region[] {
  if (sizeBytes <= HEAD_BYTES + TAIL_BYTES) return [{ offsetBytes: 0, lengthBytes: sizeBytes }];
  return [
    { offsetBytes: 0, lengthBytes: HEAD_BYTES },
    { offsetBytes: sizeBytes - TAIL_BYTES, lengthBytes: TAIL_BYTES },
  ];
}

/** The largest extent, in which roots lie. */
const ROOT_EXTENT_BYTES_MAX = SEGMENT_ALIGNMENT_BYTES;

/** What an empty pool writes to: besides the ends, the journal of its first device and the extent of its roots behind that. */
function keptRegions(sizeBytes: number): Region[] {
  const journalEnd = HEAD_BYTES + defaultJournalBytes(sizeBytes);
  const aligned = Math.ceil(journalEnd / SEGMENT_ALIGNMENT_BYTES) * SEGMENT_ALIGNMENT_BYTES;
  const headBytes = aligned + ROOT_EXTENT_BYTES_MAX;
  if (sizeBytes <= headBytes + TAIL_BYTES) return [{ offsetBytes: 0, lengthBytes: sizeBytes }];
  return [
    { offsetBytes: 0, lengthBytes: headBytes },
    { offsetBytes: sizeBytes - TAIL_BYTES, lengthBytes: TAIL_BYTES },
  ];
}

export interface BackupRequest {
  readonly device: BlockDevice;
  readonly path: string;
  readonly findings: readonly Finding[];
  /** Made where it does not exist. */
  readonly folder: string;
  /** When, as it stands in names and manifest. */
  readonly time: Date;
}

/** What a backup says of itself. A region is put back by writing its file to its offset. */
export interface BackupManifest {
  readonly device: string;
  readonly sizeBytes: number;
  readonly time: string;
  readonly findings: readonly Finding[];
  readonly regions: readonly (Region & {
    readonly file: string;
    readonly sha256: string;
    /** The command that puts it back. */
    readonly restore: string;
  })[];
}

/** Only the owner may read it: it can hold keys. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

const ZEROS = Buffer.alloc(BACKUP_PIECE_BYTES);

/** Copies a region into a file of its length, with holes for zeros. Returns the checksum of all of it. */
async function copyRegion(device: BlockDevice, region: Region, file: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  await file.truncate(region.lengthBytes);
  for (let done = 0; done < region.lengthBytes; done += BACKUP_PIECE_BYTES) {
    const lengthBytes = Math.min(BACKUP_PIECE_BYTES, region.lengthBytes - done);
    const piece = await readBytes(device, region.offsetBytes + done, lengthBytes);
    hash.update(piece);
    if (piece.equals(ZEROS.subarray(0, lengthBytes))) continue;
    await writeWhole(file, piece, done);
  }
  await file.sync();
  return hash.digest("hex");
}

/** A file system that is nearly full takes a part of a write, and says so by a count. What is copied is about to be wiped. */
async function writeWhole(file: FileHandle, bytes: Uint8Array, offsetBytes: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offsetBytes + done);
    if (bytesWritten === 0) throw new Error("the file system takes no more of the backup");
    done += bytesWritten;
  }
}

function createNew(path: string): Promise<FileHandle> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
}

function regionFile(name: string, offsetBytes: number): string {
  return `${name}.${offsetBytes}.img`;
}

/** Takes a name that no other backup has: devices of several folders can be called the same. Opens the file of the region at 0. */
async function takeName(
  folder: string,
  stem: string,
): Promise<{ readonly name: string; readonly first: FileHandle }> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? stem : `${stem}-${number}`;
    try {
      return { name, first: await createNew(join(folder, regionFile(name, 0))) };
    } catch (error) {
      const isTaken = error instanceof Error && "code" in error && error.code === "EEXIST";
      if (!isTaken || number >= BACKUPS_OF_A_NAME_MAX) throw error;
    }
  }
}

async function writeBackup(request: BackupRequest): Promise<string> {
  const { device, path, findings, folder, time } = request;
  await makeFolder(folder, FOLDER_MODE);
  const stamp = time.toISOString().replaceAll(":", "-");
  const stem = `${basename(path).replace(/[^\w.-]/g, "_")}-${stamp}`;
  const { name, first } = await takeName(folder, stem);
  const regions: BackupManifest["regions"][number][] = [];
  for (const region of keptRegions(device.capacityBytes)) {
    const file = regionFile(name, region.offsetBytes);
    const handle = region.offsetBytes === 0 ? first : await createNew(join(folder, file));
    try {
      const sha256 = await copyRegion(device, region, handle);
      const restore = `dd if=${file} of=${path} bs=1M oflag=seek_bytes seek=${region.offsetBytes} conv=notrunc`;
      regions.push({ ...region, file, sha256, restore });
    } finally {
      await handle.close();
    }
  }
  const manifest: BackupManifest = {
    device: path,
    sizeBytes: device.capacityBytes,
    time: time.toISOString(),
    findings,
    regions,
  };
  const manifestPath = join(folder, `${name}.json`);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeFile(manifestPath, text, { flag: "wx", mode: FILE_MODE, flush: true });
  await syncFolder(folder);
  return manifestPath;
}

/**
 * Keeps what is about to be overwritten: the beginning and the end in sparse files, with a manifest. On stable media when it resolves with
 * the manifest's path. Never overwrites a file: the second of a name and time gets a number.
 *
 * @throws {PoolError} `io`: then nothing may be wiped
 */
export async function backUp(request: BackupRequest): Promise<string> {
  try {
    return await writeBackup(request);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${request.path} is left alone: what is on it cannot be backed up to ${request.folder}: ${reason}`;
    throw new PoolError("io", message, error);
  }
}
