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

/** Finding a free loop device and taking it are two steps, which other tests may come between. */
const ATTACH_ATTEMPTS_MAX = 20;

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

  static attach(sizeBytes: number, ...options: string[]): Promise<LoopDevice> {
    return LoopDevice.attachIn(scratchFolder(), sizeBytes, ...options);
  }

  /** With its file in this folder, which goes when the device is detached. */
  static async attachIn(
    folder: string,
    sizeBytes: number,
    ...options: string[]
  ): Promise<LoopDevice> {
    const file = join(folder, "backing");
    writeFileSync(file, "");
    truncateSync(file, sizeBytes);
    for (let attempts = 1; ; attempts += 1) {
      const { status, stdout, stderr } = await attempt(
        "losetup",
        "--find",
        "--show",
        ...options,
        file,
      );
      if (status === 0) return new LoopDevice(stdout.trim(), file, folder);
      // Somebody else took the free device that it had found.
      const lostRace = stderr.includes("busy") && attempts < ATTACH_ATTEMPTS_MAX;
      if (!lostRace) throw new Error(`losetup: ${stderr}`);
    }
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
