import { unlink } from "node:fs/promises";
import { INHERITED_FD, runChild } from "./child-process.ts";
import { describeHolders } from "./file-holders.ts";
import { takeLockFile } from "./lock-file.ts";

/**
 * Exclusive locks on open files that end with the process, however it ends.
 *
 * flock(2) is a lock on the open file description. A child that inherits the descriptor takes it for us: it stays when
 * the child exits, and the kernel drops it with our last descriptor. That makes flock(1) as good as a native call.
 * `fs-ext`, where it was installed, saves the child; both are the same lock. A lock file is the last resort.
 */
export type LockMethod = "fs-ext" | "flock" | "lock-file";

export interface FileLock {
  readonly method: LockMethod;
  /** Removes what closing the descriptor does not: the lock file. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** Tried in this order. */
  readonly methods?: readonly LockMethod[];
  /** The search path for flock(1). */
  readonly path?: string;
}

/** Somebody else has the lock. */
export class FileLockedError extends Error {
  override readonly name = "FileLockedError";
}

const METHODS: readonly LockMethod[] = ["fs-ext", "flock", "lock-file"];

/** Set to 1, `fs-ext` is not loaded even where it is installed. */
const OPT_OUT = "THINLUN_NO_FS_EXT";

/** `undecided`: nobody knows whether somebody has it. */
type Attempt = "locked" | "refused" | "unavailable" | "undecided";

const noRelease = (): Promise<void> => Promise.resolve();

/** Exit statuses of flock(1): 1 is a conflict; from 64 on they are sysexits, a defect of the call or of the system. */
const FLOCK_CONFLICT = 1;

async function lockByChild(fd: number, path: string | undefined): Promise<Attempt> {
  const args = ["-n", "-x", String(INHERITED_FD)];
  const options = path === undefined ? { inheritedFd: fd } : { inheritedFd: fd, path };
  const { outcome, exitCode } = await runChild("flock", args, options);
  if (outcome === "missing") return "unavailable";
  // Busy systems are no reason for a lock file: it would not exclude whoever got this lock.
  if (outcome !== "exited") return "undecided";
  if (exitCode === 0) return "locked";
  return exitCode === FLOCK_CONFLICT ? "refused" : "unavailable";
}

async function lockByExtension(fd: number): Promise<Attempt> {
  if (process.env[OPT_OUT] === "1") return "unavailable";
  try {
    const { flockSync } = (await import("fs-ext")).default;
    flockSync(fd, "exnb");
    return "locked";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "EAGAIN" || code === "EWOULDBLOCK" ? "refused" : "unavailable";
  }
}

async function refusal(path: string, known: string): Promise<FileLockedError> {
  const holders = known === "" ? await describeHolders(path) : known;
  const who = holders === "" ? "by another process" : `by ${holders}`;
  return new FileLockedError(`${path} is in use: it is locked ${who}`);
}

/**
 * Locks what is open as `fd`, without waiting. `path` is where the lock file would lie beside, and for messages.
 *
 * @throws {FileLockedError} somebody else has it
 */
export async function lockFile(
  fd: number,
  path: string,
  options: LockOptions = {},
): Promise<FileLock> {
  for (const method of options.methods ?? METHODS) {
    if (method === "lock-file") {
      const file = `${path}.lock`;
      const owner = await takeLockFile(file);
      if (owner !== null) {
        throw await refusal(path, owner.pid === 0 ? `the file ${file}` : `process ${owner.pid}`);
      }
      return { method, release: () => unlink(file) };
    }
    const attempt =
      method === "fs-ext" ? await lockByExtension(fd) : await lockByChild(fd, options.path);
    if (attempt === "refused") throw await refusal(path, "");
    if (attempt === "undecided") {
      throw new FileLockedError(`${path} cannot be locked: flock(1) did not come to an end`);
    }
    if (attempt === "locked") return { method, release: noRelease };
  }
  throw new FileLockedError(`${path} cannot be locked: no way to lock works here`);
}
