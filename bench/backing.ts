import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { DISK_BYTES, type BackingKind } from "./loads.ts";
import { makeBackingFile } from "./support/targets.ts";

const execute = promisify(execFile);

const MEMORY_FOLDER = "/dev/shm";
const LOSETUP = "losetup";
/** With the process, which says whose it is where one was left behind. */
const PREFIX = `thinlun-bench-${process.pid}-`;

/** What the targets keep their data on, and all else that must be gone in the end. */
export class Backing {
  readonly #memory: string;
  readonly #disk: string;
  readonly #loops: Set<string> = new Set();

  constructor(folder: string | null) {
    this.#memory = mkdtempSync(join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), PREFIX));
    this.#disk = mkdtempSync(join(folder ?? tmpdir(), PREFIX));
  }

  /** An empty folder for a peer's own files. */
  folderFor(name: string): string {
    const folder = join(this.#memory, "peers", name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Why there is none of this kind here, or null. */
  static objection(kind: BackingKind): string | null {
    return kind === "loop" && process.getuid?.() !== 0 ? "loop devices take a superuser" : null;
  }

  /** Files without holes, or devices over such, of `DISK_BYTES` together. */
  async make(kind: BackingKind, name: string, count: number): Promise<string[]> {
    const folder = join(kind === "memory" ? this.#memory : this.#disk, "data", name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const files = Array.from({ length: count }, (_, index) => join(folder, `disk${index}`));
    for (const file of files) makeBackingFile(file, DISK_BYTES / count);
    if (kind !== "loop") return files;
    const devices: string[] = [];
    for (const file of files) {
      const { stdout } = await execute(LOSETUP, ["--find", "--show", file]);
      devices.push(stdout.trim());
      this.#loops.add(stdout.trim());
    }
    return devices;
  }

  /** Takes what is on these devices, and in the files under them, out of the page cache. */
  static async chill(devices: readonly string[]): Promise<void> {
    for (const device of devices) {
      const under = await execute(LOSETUP, ["--noheadings", "--output", "BACK-FILE", device]);
      for (const path of [device, under.stdout.trim()]) {
        await execute("dd", [`of=${path}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"]);
      }
    }
  }

  /** What is over gives its room back. Nobody uses it any more. */
  release(): void {
    for (const device of this.#loops) {
      try {
        execFileSync(LOSETUP, ["--detach", device], { stdio: "ignore" });
      } catch {
        // Somebody has detached it by hand.
      }
    }
    this.#loops.clear();
    for (const folder of [this.#memory, this.#disk]) {
      rmSync(join(folder, "data"), { recursive: true, force: true });
    }
  }

  remove(): void {
    this.release();
    for (const folder of [this.#memory, this.#disk]) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
