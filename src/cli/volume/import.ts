import { type FileHandle, open, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { CommandModule } from "yargs";
import {
  DATA_BYTES_MAX,
  IMPORT_SUFFIX,
  OperationError,
  type Progress,
  type VolumeReport,
} from "../../control/protocol.ts";
import { formatSize } from "../../util/units.ts";
import type { Operations } from "../control-client.ts";
import { Interrupt } from "../interrupt.ts";
import { print } from "../output.ts";
import { ACCESS_OPTIONS, JSON_OPTION, withOperations } from "../pool-access.ts";
import { ProgressLine, withProgressLine } from "../progress-line.ts";
import { parseVolumePath, type VolumePath } from "../volume-path.ts";
import { VOLUME_POSITIONAL, type VolumeArguments } from "./change.ts";
import { convertImage, isQcow, needQemuImage, refuseOtherFiles } from "./qemu-image.ts";
import { dataRuns, readPiece } from "./sparse-file.ts";

interface ImportArguments extends VolumeArguments {
  readonly file: string;
  readonly format: "auto" | "raw" | "qcow2";
  readonly "temp-dir": string | undefined;
}

export interface ImportOptions {
  readonly file: string;
  readonly format: "auto" | "raw" | "qcow2";
  /** Where a raw copy of another format is made for the time. */
  readonly tempDir: string;
  /** Aborted, it ends in order, and nothing is left of it. */
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

const SECTOR_BYTES = 512;

async function openImage(path: string): Promise<{ file: FileHandle; sizeBytes: number }> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = isMissing ? "there is no such file" : String(error);
    throw new OperationError(isMissing ? "missing" : "io", `${path}: ${reason}`, error);
  }
  const stats = await file.stat();
  if (stats.isFile() && stats.size > 0) return { file, sizeBytes: stats.size };
  await file.close();
  throw new OperationError(
    "invalid",
    `${path} is no image: ${stats.isFile() ? "it is empty" : "it is not a regular file"}`,
  );
}

/** Copies what is not zeros. */
async function copyIn(
  operations: Operations,
  path: VolumePath,
  { file, sizeBytes }: { readonly file: FileHandle; readonly sizeBytes: number },
  { signal, onProgress }: ImportOptions,
): Promise<void> {
  for (let offset = 0; offset < sizeBytes; offset += DATA_BYTES_MAX) {
    signal.throwIfAborted();
    const bytes = await readPiece(file, offset, Math.min(DATA_BYTES_MAX, sizeBytes - offset));
    for (const { start, end } of dataRuns(bytes)) {
      const at = { ...path, offsetBytes: offset + start };
      await operations.call("volume/write", at, { payload: bytes.subarray(start, end) });
    }
    onProgress(offset + bytes.length, sizeBytes);
  }
  await operations.call("volume/sync", path);
}

async function importRaw(
  operations: Operations,
  { pool, volume }: VolumePath,
  path: string,
  options: ImportOptions,
): Promise<VolumeReport> {
  const image = await openImage(path);
  try {
    const sizeBytes = Math.ceil(image.sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
    const part = { pool, volume: `${volume}${IMPORT_SUFFIX}` };
    await operations.call("volume/create", { ...part, sizeBytes });
    try {
      await copyIn(operations, part, image, options);
      // Whoever finds the volume under its name has all of it.
      return await operations.call("volume/rename", { ...part, name: volume });
    } catch (error) {
      await operations.call("volume/delete", part).catch(() => undefined);
      throw error;
    }
  } finally {
    await image.file.close();
  }
}

async function importQcow(
  operations: Operations,
  path: VolumePath,
  options: ImportOptions,
): Promise<VolumeReport> {
  await needQemuImage();
  await refuseOtherFiles(options.file);
  const raw = join(options.tempDir, `.${basename(options.file)}.${process.pid}.raw`);
  // The name is taken by this process before a tool writes to it.
  const taken = await open(raw, "wx", 0o600);
  await taken.close();
  try {
    await convertImage(
      { path: options.file, format: "qcow2" },
      { path: raw, format: "raw" },
      options.signal,
    );
    return await importRaw(operations, path, raw, options);
  } finally {
    await unlink(raw).catch(() => undefined);
  }
}

/** Makes a volume of an image. Nothing of it is left when that fails. */
export async function importVolume(
  operations: Operations,
  path: VolumePath,
  options: ImportOptions,
): Promise<VolumeReport> {
  const { pool, volume } = path;
  const { file: opened } = await openImage(options.file);
  await opened.close();
  const there = await operations.call("volume/list", { pool });
  for (const name of [volume, `${volume}${IMPORT_SUFFIX}`]) {
    if (!there.some((other) => other.name === name)) continue;
    const hint = name === volume ? "" : ": an import runs, or has died; delete it then";
    throw new OperationError("exists", `a volume ${pool}/${name} is there already${hint}`);
  }
  const wantsQcow = options.format === "qcow2";
  const isQcowImage = wantsQcow || (options.format === "auto" && (await isQcow(options.file)));
  return isQcowImage
    ? importQcow(operations, path, options)
    : importRaw(operations, path, options.file, options);
}

async function run(args: ImportArguments): Promise<void> {
  const interrupt = new Interrupt();
  const { file, format } = args;
  const copy = (advance: (progress: Progress) => void): Promise<VolumeReport> =>
    withOperations(args, (operations) =>
      importVolume(operations, parseVolumePath(args.volume), {
        file,
        format,
        tempDir: args["temp-dir"] ?? dirname(file),
        signal: interrupt.signal,
        onProgress: (done, total) => advance({ step: "Importing", done, total }),
      }),
    );
  try {
    const made = await withProgressLine(copy, new ProgressLine({ inBytes: true }));
    const sizes = `${formatSize(made.sizeBytes)}, ${formatSize(made.mappedBytes)} of it mapped`;
    print(made, args.json, () => `Volume ${args.volume} is made from ${file}: ${sizes}.\n`);
  } finally {
    interrupt.release();
  }
}

/** `thinlun volume import`. */
export const importCommand: CommandModule<object, ImportArguments> = {
  command: "import <file> <volume>",
  describe: "Make a volume from an image file",
  builder: (yargs) =>
    yargs
      .positional("file", { type: "string", demandOption: true, describe: "The image" })
      .positional("volume", VOLUME_POSITIONAL)
      .option("format", {
        choices: ["auto", "raw", "qcow2"] as const,
        default: "auto" as const,
        describe: "Of the image; qcow2 needs qemu-img",
      })
      .option("temp-dir", {
        type: "string",
        requiresArg: true,
        describe: "Where a qcow2 image is unpacked (its own folder)",
      })
      .options(ACCESS_OPTIONS)
      .options(JSON_OPTION)
      .example("$0 volume import debian.qcow2 tank/debian", "Zeros take no space"),
  handler: run,
};
