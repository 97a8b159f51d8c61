import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBootId } from "../../../native-free/machine-identity.ts";
import { assert } from "../../util/assert.ts";
import { isUuid } from "../format/identity.ts";
import type { FailureMark } from "../pool/pool-options.ts";

/**
 * Remembers that a flush of a pool has failed for as long as the kernel runs that may now show pages as clean that never reached the
 * media (rule F). So it is a file, and not on the pool's devices: under /run where that may be written, else in the user's own folder.
 */
export interface FileFailureMark extends FailureMark {
  /** Takes the mark away: after a repair, which reads past the page cache. */
  clear(poolUuid: string): void;
  /** Where the mark of a pool lies, null where there is none. */
  find(poolUuid: string): string | null;
}

export interface FailureMarkOptions {
  /** Tried in this order. */
  readonly folders: readonly string[];
  /** Null where it is not known: then a mark is good until it is cleared. */
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

/** Not with its parents: those exist, and Node.js never comes back from that in a folder of /proc. */
function makeFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

class MarkFiles implements FileFailureMark {
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
    return Promise.resolve(this.find(poolUuid) !== null);
  }

  find(poolUuid: string): string | null {
    for (const path of this.#paths(poolUuid)) {
      try {
        if (fs.lstatSync(path).isFile() && isTrusted(join(path, ".."))) return path;
      } catch {
        continue;
      }
    }
    return null;
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

  clear(poolUuid: string): void {
    for (const path of this.#paths(poolUuid)) {
      try {
        fs.unlinkSync(path);
      } catch {
        continue;
      }
    }
  }
}

/** A failure mark that is kept in the first of these folders that can be used. */
export function failureMarkIn(options: FailureMarkOptions): FileFailureMark {
  return new MarkFiles(options);
}

/** The failure mark of this machine and user. */
export function systemFailureMark(): FileFailureMark {
  const folders = ["/run/thinlun"];
  const runtime = process.env["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && runtime.startsWith("/")) folders.push(join(runtime, "thinlun"));
  folders.push(join(tmpdir(), `thinlun-${process.getuid?.() ?? 0}`));
  return failureMarkIn({ folders, bootId: readBootId() });
}

/** What a person is told when a pool is not opened because of its mark. */
export function describeFailureMark(poolUuid: string, path: string | null): string {
  const where = path === null ? "" : ` (${path})`;
  return (
    `a flush of pool ${poolUuid} has failed since the machine was started${where}: what the kernel shows of it may never have ` +
    "reached the disk; replace what is broken and restart the machine, or run a repair, which clears the mark"
  );
}
