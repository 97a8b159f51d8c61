import { lstat, unlink } from "node:fs/promises";
import type { BlockDevice } from "../../device/block-device.ts";
import type { FileDevice } from "../../device/file-device.ts";
import { createImageFile } from "../../device/image-file.ts";
import { flush, writeZeroes } from "../../util/io-request.ts";
import { formatSize } from "../../util/units.ts";
import { PoolError } from "../pool-error.ts";
import { backUp, overwrittenRegions } from "./backup.ts";
import { inspectPath, type SystemFolders } from "./claim.ts";
import { checkConsent, type Consent } from "./consent.ts";
import type { Finding } from "./finding.ts";
import { MEMBER_BYTES_MIN } from "./limits.ts";
import { memberErrorFrom, openForPool } from "./open-member.ts";
import { markWipe, outcomeOf, takeBackMembers } from "./take-back.ts";
import { findAllSignatures, type ToolOptions } from "./tool-signatures.ts";

/** A device that a pool is to have. */
export interface MemberRequest {
  readonly path: string;
  /** Where the path does not exist, a sparse image file of this size is made; absent: it must exist. */
  readonly createBytes?: number;
}

export interface CreateMembersOptions extends Consent, ToolOptions {
  /** Where what is wiped is kept. */
  readonly backupDir: string;
  readonly time: Date;
  readonly folders?: SystemFolders;
  readonly direct?: boolean;
  /** Called when all is looked at and kept, and nothing is wiped yet. Where it throws, nothing is. */
  readonly beforeWipe?: (members: readonly Member[]) => void;
}

/** A device that is open, claimed, and has nothing on it any more that anybody could miss. */
export interface Member {
  readonly path: string;
  readonly device: FileDevice;
  /** It was made here and has never been written: all of it reads as zeros. */
  readonly isZero: boolean;
  /** What was wiped. */
  readonly wiped: readonly Finding[];
  /** The manifest of the backup of what was wiped; null where nothing was. */
  readonly backup: string | null;
}

interface Candidate {
  readonly path: string;
  readonly device: FileDevice;
  readonly isNew: boolean;
  readonly findings: readonly Finding[];
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw memberErrorFrom(error, path);
  }
}

/** Nobody makes a device node by giving a size. */
function mayBeImage(path: string): boolean {
  return !path.startsWith("/dev/");
}

async function createIfMissing({ path, createBytes }: MemberRequest): Promise<boolean> {
  if (await isThere(path)) return false;
  if (createBytes === undefined) {
    const how = "--size SIZE; over HTTP, createBytes; in a configuration, create: { size: SIZE }";
    const hint = mayBeImage(path) ? `; with a size, an image file is made there (${how})` : "";
    throw new PoolError("missing", `${path}: there is no such file or device${hint}`);
  }
  if (!Number.isSafeInteger(createBytes) || createBytes < MEMBER_BYTES_MIN) {
    const least = formatSize(MEMBER_BYTES_MIN);
    throw new PoolError("invalid", `${path}: an image for a pool has at least ${least}`);
  }
  try {
    await createImageFile(path, createBytes);
  } catch (error) {
    throw memberErrorFrom(error, path);
  }
  return true;
}

/** Zeros over all that the pool will use for itself, so that no tool takes the device for what it was. */
async function wipe(device: BlockDevice): Promise<void> {
  for (const { offsetBytes, lengthBytes } of overwrittenRegions(device.capacityBytes)) {
    await writeZeroes(device, offsetBytes, lengthBytes);
  }
  await flush(device);
}

/** What has to be undone when it comes to nothing. */
class Preparation {
  readonly candidates: Candidate[] = [];
  readonly #created: string[] = [];
  readonly #options: CreateMembersOptions;
  readonly #identities = new Map<string, string>();

  constructor(options: CreateMembersOptions) {
    this.#options = options;
  }

  /** Opens and looks, and changes nothing that was there. */
  async add(request: MemberRequest): Promise<void> {
    const { path } = request;
    const isNew = await createIfMissing(request);
    if (isNew) this.#created.push(path);
    const { folders, direct = false } = this.#options;
    const { identity } = await (folders === undefined
      ? inspectPath(path)
      : inspectPath(path, folders));
    const earlier = this.#identities.get(identity);
    if (earlier !== undefined) {
      throw new PoolError("invalid", `${path} and ${earlier} are the same device`);
    }
    this.#identities.set(identity, path);
    const device = await openForPool(
      path,
      folders === undefined ? { direct } : { direct, folders },
    );
    const entry = { path, device, isNew, findings: [] };
    const index = this.candidates.push(entry) - 1;
    if (device.traits.readOnly) {
      throw new PoolError("unsupported", `${path} cannot be written`);
    }
    try {
      const findings = await findAllSignatures(device, path, this.#options);
      this.candidates[index] = { ...entry, findings };
    } catch (error) {
      throw memberErrorFrom(error, path);
    }
  }

  async undo(): Promise<void> {
    for (const { device } of this.candidates) await device.close();
    for (const path of this.#created) await unlink(path);
  }
}

async function keep(candidate: Candidate, options: CreateMembersOptions): Promise<Member> {
  const { path, device, isNew, findings } = candidate;
  if (findings.length === 0) return { path, device, isZero: isNew, wiped: [], backup: null };
  const { backupDir: folder, time } = options;
  const backup = await backUp({ device, path, findings, folder, time });
  return { path, device, isZero: false, wiped: findings, backup };
}

async function clear({ path, device, wiped }: Member): Promise<void> {
  if (wiped.length === 0) return;
  try {
    await wipe(device);
  } catch (error) {
    throw memberErrorFrom(error, path);
  }
}

/** All or none: what is wiped comes back where another one does not take it. */
async function clearAll(members: readonly Member[]): Promise<void> {
  const wiped = members.filter(({ backup }) => backup !== null);
  await markWipe(wiped);
  try {
    for (const member of wiped) await clear(member);
  } catch (error) {
    const outcome = outcomeOf(wiped, await takeBackMembers(wiped));
    const reason = error instanceof Error ? error.message : String(error);
    throw new PoolError("io", `${reason}; ${outcome}`, error);
  }
}

/**
 * Opens, claims and clears the devices of a pool that is to be made, or that one is to be extended by. Everything is looked at before
 * anything is changed, and all that is wiped is backed up before. On failure all is closed again and as it was, and images that were made
 * here are gone. What is wiped is marked until `unmarkWipe`, or `takeBackMembers`: a kill before that is told by `settleWipes`.
 *
 * @throws {PoolError} `foreign`: there is something on a device that was not named; `busy`, `invalid`, `missing`, `unsupported`, `io`
 */
export async function createMembers(
  requests: readonly MemberRequest[],
  options: CreateMembersOptions,
): Promise<Member[]> {
  const preparation = new Preparation(options);
  try {
    for (const request of requests) await preparation.add(request);
    checkConsent(preparation.candidates, options);
    const members: Member[] = [];
    for (const candidate of preparation.candidates) members.push(await keep(candidate, options));
    options.beforeWipe?.(members);
    // Not before all is kept: the next one may not fit any more.
    await clearAll(members);
    return members;
  } catch (error) {
    await preparation.undo();
    throw error;
  }
}
