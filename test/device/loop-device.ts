import {
  accessSync,
  constants,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, run } from "../support/program.ts";

/** Why there can be no loop devices or mounts here, in words for the name of a skipped suite; null when there can. */
export function loopDevicesMissing(): string | null {
  if (process.getuid?.() !== 0) return "not the superuser";
  try {
    statSync("/dev/loop-control");
    accessSync("/dev/loop-control", constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return "no /dev/loop-control";
  }
}

/** Put after the name of a suite that needs a loop device or a mount, so that its absence is seen. */
export function orWhyNot(missing: string | null): string {
  return missing === null ? "" : ` (cannot run: ${missing})`;
}

/** A folder for one test file's things. */
export function scratchFolder(): string {
  return mkdtempSync(join(tmpdir(), "thinlun-test-"));
}

/** A real block device for a test: a loop device on a sparse file. */
export class LoopDevice {
  readonly path: string;
  readonly backingFile: string;
  readonly #folder: string;

  private constructor(path: string, backingFile: string, folder: string) {
    this.path = path;
    this.backingFile = backingFile;
    this.#folder = folder;
  }

  static async attach(sizeBytes: number, ...options: string[]): Promise<LoopDevice> {
    const folder = scratchFolder();
    const file = join(folder, "backing");
    writeFileSync(file, "");
    truncateSync(file, sizeBytes);
    const path = (await run("losetup", "--find", "--show", ...options, file)).trim();
    return new LoopDevice(path, file, folder);
  }

  /** Grows or shrinks the backing file and tells the device. */
  async resize(sizeBytes: number): Promise<void> {
    truncateSync(this.backingFile, sizeBytes);
    await run("losetup", "--set-capacity", this.path);
  }

  async detach(): Promise<void> {
    await attempt("losetup", "--detach", this.path);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
