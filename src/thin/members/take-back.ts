import { createHash } from "node:crypto";
import { type FileHandle, open, readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BlockDevice } from "../../device/block-device.ts";
import { flush, readBytes, writeBytes, writeZeroes } from "../../util/io-request.ts";
import { syncFolder } from "../../util/sync-folder.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { PoolError } from "../pool-error.ts";
import { type BackupManifest, overwrittenRegions } from "./backup.ts";
import type { Member } from "./create-members.ts";
import { BACKUP_PIECE_BYTES } from "./limits.ts";
import { openForPool } from "./open-member.ts";

/*
 * What is wiped for a pool comes back where the pool does not come to be. Beside the manifest of a backup there is a mark from before the
 * first byte is wiped until the pool is made: what is found marked later was cut short by the end of the process.
 */

const MARK_SUFFIX = ".unfinished";
const MANIFEST_SUFFIX = ".json";
const ZEROS = Buffer.alloc(BLOCK_BYTES);

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What this process is wiping, or has wiped, for a pool that is being made. */
const atWork = new Set<string>();

/** Marks what is about to be wiped, and by whom; on stable media when this resolves. */
export async function markWipe(members: readonly Pick<Member, "backup">[]): Promise<void> {
  for (const { backup } of members) {
    if (backup === null) continue;
    atWork.add(backup);
    const mark = { flag: "wx", mode: 0o600, flush: true } as const;
    await writeFile(`${backup}${MARK_SUFFIX}`, String(process.pid), mark);
    await syncFolder(dirname(backup));
  }
}

/** Whether whoever has marked it is still there, and may be at it. */
async function isAtWork(manifest: string): Promise<boolean> {
  if (atWork.has(manifest)) return true;
  const pid = Number(await readFile(`${manifest}${MARK_SUFFIX}`, "utf8").catch(() => ""));
  if (!Number.isInteger(pid) || pid < 1 || pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is there, and somebody else's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** The pool is made, or everything is as it was: nothing is left to be told. Never rejects. */
export async function unmarkWipe(backups: readonly (string | null)[]): Promise<void> {
  for (const backup of backups) {
    if (backup === null) continue;
    atWork.delete(backup);
    await unlink(`${backup}${MARK_SUFFIX}`).catch(() => undefined);
  }
}

async function readManifest(path: string): Promise<BackupManifest> {
  return JSON.parse(await readFile(path, "utf8")) as BackupManifest;
}

/** Each piece of a backup, with its place on the device. */
async function eachPiece(
  manifestPath: string,
  work: (piece: Buffer, offsetBytes: number) => Promise<void>,
): Promise<void> {
  const { regions } = await readManifest(manifestPath);
  for (const { file, offsetBytes, lengthBytes } of regions) {
    const handle = await open(join(dirname(manifestPath), file), "r");
    try {
      for (let done = 0; done < lengthBytes; done += BACKUP_PIECE_BYTES) {
        const piece = await readWhole(
          handle,
          done,
          Math.min(BACKUP_PIECE_BYTES, lengthBytes - done),
        );
        await work(piece, offsetBytes + done);
      }
    } finally {
      await handle.close();
    }
  }
}

async function readWhole(file: FileHandle, offset: number, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(lengthBytes);
  for (let done = 0; done < lengthBytes;) {
    const { bytesRead } = await file.read(bytes, done, lengthBytes - done, offset + done);
    if (bytesRead === 0) throw new Error("the backup is shorter than its manifest says");
    done += bytesRead;
  }
  return bytes;
}

/** Nothing is written from a backup that is not what it was. */
async function verify(manifestPath: string): Promise<void> {
  const { regions } = await readManifest(manifestPath);
  const found = new Map<number, ReturnType<typeof createHash>>();
  for (const { offsetBytes } of regions) found.set(offsetBytes, createHash("sha256"));
  await eachPiece(manifestPath, (piece, offsetBytes) => {
    const region = regions.findLast((one) => one.offsetBytes <= offsetBytes);
    found.get(region?.offsetBytes ?? 0)?.update(piece);
    return Promise.resolve();
  });
  for (const { file, offsetBytes, sha256 } of regions) {
    if (found.get(offsetBytes)?.digest("hex") === sha256) continue;
    throw new PoolError("io", `${file} is not what it was when it was written`);
  }
}

/** Writes what a backup has to where it was. Durable when this resolves. */
export async function putBack(device: BlockDevice, manifestPath: string): Promise<void> {
  await verify(manifestPath);
  await eachPiece(manifestPath, (piece, offsetBytes) => writeBytes(device, offsetBytes, piece));
  await flush(device);
}

/** What becomes of devices that were prepared for a pool that does not come to be. */
type Prepared = Pick<Member, "path" | "device" | "isZero" | "backup">;

/**
 * Leaves devices as they were before they were prepared: what was wiped is put back, image files that were made are gone, and what was
 * empty is empty at its ends. The devices are open, and the caller's to close.
 *
 * @param isWritten data were written to them: a file system that is put back around these would be taken for a whole one
 * @returns for people: what could not be put back, and where it is kept; empty where all is as it was
 */
export async function takeBackMembers(
  members: readonly Prepared[],
  isWritten: boolean = false,
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const { path, device, isZero, backup } of members) {
    try {
      if (isZero) await unlink(path);
      else if (backup !== null && !isWritten) await putBack(device, backup);
      else await clearEnds(device);
      if (backup !== null && isWritten) {
        left.push(`${path} is empty, and its beginning and end as they were are kept: ${backup}`);
      }
    } catch (error) {
      const kept = backup === null ? "" : `; what was there is kept: ${backup}`;
      left.push(`${path} is not as it was before (${messageOf(error)})${kept}`);
    }
    // Either way it is told now.
    await unmarkWipe([backup]);
  }
  return left;
}

async function clearEnds(device: BlockDevice): Promise<void> {
  for (const { offsetBytes, lengthBytes } of overwrittenRegions(device.capacityBytes)) {
    await writeZeroes(device, offsetBytes, lengthBytes);
  }
  await flush(device);
}

/** What became of what was wiped for nothing, for people; null: nothing was. */
export function outcomeOf(
  members: readonly Pick<Member, "backup">[],
  left: readonly string[],
): string | null {
  if (left.length > 0) return left.join("; ");
  const isWiped = members.some(({ backup }) => backup !== null);
  return isWiped ? "what was wiped for it was put back" : null;
}

/** Whether a device has what a wipe that was cut short leaves: in each block zeros, or what was there. */
async function isAsWiped(device: BlockDevice, manifestPath: string): Promise<boolean> {
  let isIt = true;
  await eachPiece(manifestPath, async (piece, offsetBytes) => {
    const now = Buffer.from(await readBytes(device, offsetBytes, piece.length));
    for (let at = 0; isIt && at < piece.length; at += BLOCK_BYTES) {
      const block = now.subarray(at, at + BLOCK_BYTES);
      isIt =
        block.equals(ZEROS.subarray(0, block.length)) ||
        block.equals(piece.subarray(at, at + BLOCK_BYTES));
    }
  });
  return isIt;
}

/**
 * Looks for wipes that the end of a process has cut short, and puts back what is still as that has left it. Each is told once.
 *
 * @param isMember a device that a pool has by now: the pool was made
 * @returns for people, a sentence for each
 */
export async function settleWipes(
  folder: string,
  isMember: (path: string) => boolean,
): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const told: string[] = [];
  for (const name of names.toSorted((a, b) => a.localeCompare(b))) {
    if (!name.endsWith(`${MANIFEST_SUFFIX}${MARK_SUFFIX}`)) continue;
    const manifest = join(folder, name.slice(0, -MARK_SUFFIX.length));
    if (await isAtWork(manifest)) continue;
    const outcome = await settleOne(manifest, isMember);
    if (outcome !== null) told.push(outcome);
    await unmarkWipe([manifest]);
  }
  return told;
}

async function settleOne(
  manifest: string,
  isMember: (path: string) => boolean,
): Promise<string | null> {
  const kept = `what was there is kept: ${manifest}`;
  let path = manifest;
  try {
    ({ device: path } = await readManifest(manifest));
    if (isMember(path)) return null;
    const device = await openForPool(path, { direct: false });
    try {
      if (!(await isAsWiped(device, manifest))) {
        return `${path} was wiped for a pool by a command that did not end, and holds something else by now; ${kept}`;
      }
      await putBack(device, manifest);
    } finally {
      await device.close();
    }
    return `${path} was wiped for a pool by a command that did not end, and has what it had before again`;
  } catch (error) {
    return `${path} was wiped for a pool by a command that did not end, and cannot be looked at (${messageOf(error)}); ${kept}`;
  }
}
