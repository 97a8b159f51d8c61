import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBootId } from "../../../native-free/machine-identity.ts";
import { assert } from "../../util/assert.ts";
import { isUuid } from "../format/identity.ts";
import type { FailureMark } from "../pool/pool-options.ts";

export interface FailureMarkOptions {
  /** Tried in this order. */
  readonly folders: readonly string[];
  /** Null where it is not known: then a mark is good until somebody takes its file away. */
  readonly bootId: string | null;
}

/** Nobody else may put anything there, or take it away. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * Anybody may write to the folder for temporary files: ours has to be a folder, closed to others, and this user's or the superuser's.
 * The superuser believes a daemon that runs as somebody else.
 */
function isTrusted(folder: string): boolean {
  const stats = fs.lstatSync(folder);
  const self = process.getuid?.() ?? 0;
  const isOurs = self === 0 || stats.uid === self || stats.uid === 0;
  return stats.isDirectory() && isOurs && (stats.mode & 0o022) === 0;
}

function isMark(path: string): boolean {
  try {
    return fs.lstatSync(path).isFile() && isTrusted(join(path, ".."));
  } catch {
    return false;
  }
}

/** Not with its parents: those exist, and Node.js never comes back from that in a folder of /proc. */
function makeFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

/**
 * Remembers that a flush of a pool has failed for as long as the kernel runs that may now show pages as clean that never reached the
 * media (rule F). So it is a file, and not on the pool's devices: under /run where that may be written, else in the user's own folder.
 */
export class FileFailureMark implements FailureMark {
  readonly #options: FailureMarkOptions;

  constructor(options: FailureMarkOptions) {
    this.#options = options;
  }

  #paths(poolUuid: string): string[] {
    assert(isUuid(poolUuid), "a mark belongs to a pool");
    const { folders, bootId } = this.#options;
    const name = `failed-${poolUuid}-${bootId ?? "unknown-boot"}`;
    return folders.map((folder) => join(folder, name));
  }

  isSet(poolUuid: string): Promise<boolean> {
    return Promise.resolve(this.#paths(poolUuid).some(isMark));
  }

  set(poolUuid: string): void {
    for (const path of this.#paths(poolUuid)) {
      try {
        const folder = join(path, "..");
        makeFolder(folder);
        if (!isTrusted(folder)) continue;
        fs.closeSync(fs.openSync(path, "a", FILE_MODE));
        return;
      } catch {
        continue;
      }
    }
  }
}

/** The failure mark of this machine and user. */
export function systemFailureMark(): FileFailureMark {
  const folders = ["/run/thinlun"];
  const runtime = process.env["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && runtime.startsWith("/")) folders.push(join(runtime, "thinlun"));
  folders.push(join(tmpdir(), `thinlun-${process.getuid?.() ?? 0}`));
  return new FileFailureMark({ folders, bootId: readBootId() });
}
